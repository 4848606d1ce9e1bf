"""Raises in ofa_monitors(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_monitors():
    yield from ()
    raise ValueError("no luck in monitors")
