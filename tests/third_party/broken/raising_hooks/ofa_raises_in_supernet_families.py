"""Raises in ofa_supernet_families(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_supernet_families():
    yield from ()
    raise ValueError("no luck in supernet_families")
