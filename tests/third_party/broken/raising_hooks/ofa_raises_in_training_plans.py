"""Raises in ofa_training_plans(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_training_plans():
    yield from ()
    raise ValueError("no luck in training_plans")
