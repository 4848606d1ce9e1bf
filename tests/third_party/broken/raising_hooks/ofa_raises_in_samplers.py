"""Raises in ofa_samplers(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_samplers():
    yield from ()
    raise ValueError("no luck in samplers")
