"""Raises in ofa_supernets(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_supernets():
    yield from ()
    raise ValueError("no luck in supernets")
