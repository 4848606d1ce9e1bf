"""Raises in ofa_jobs(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_jobs():
    yield from ()
    raise ValueError("no luck in jobs")
