"""Raises in ofa_searchers(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_searchers():
    yield from ()
    raise ValueError("no luck in searchers")
