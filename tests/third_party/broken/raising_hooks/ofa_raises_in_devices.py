"""Raises in ofa_devices(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_devices():
    yield from ()
    raise ValueError("no luck in devices")
