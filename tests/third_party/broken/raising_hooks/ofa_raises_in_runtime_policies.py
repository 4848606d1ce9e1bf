"""Raises in ofa_runtime_policies(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_runtime_policies():
    yield from ()
    raise ValueError("no luck in runtime_policies")
