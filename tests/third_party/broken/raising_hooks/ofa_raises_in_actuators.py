"""Raises in ofa_actuators(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_actuators():
    yield from ()
    raise ValueError("no luck in actuators")
