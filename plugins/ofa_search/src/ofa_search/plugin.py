"""The hooks of the plugin ofa_search."""

from __future__ import annotations

OFA_API = 1
