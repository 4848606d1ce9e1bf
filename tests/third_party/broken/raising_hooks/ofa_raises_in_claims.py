"""Raises in ofa_claims(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_claims():
    yield from ()
    raise ValueError("no luck in claims")
