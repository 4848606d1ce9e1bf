"""Raises in ofa_weights(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_weights():
    yield from ()
    raise ValueError("no luck in weights")
