"""Needs what its extra would bring."""

import frobnicate

OFA_API = 1
VERSION = frobnicate.__version__
