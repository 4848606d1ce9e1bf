"""Raises in ofa_reductions(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_reductions():
    yield from ()
    raise ValueError("no luck in reductions")
