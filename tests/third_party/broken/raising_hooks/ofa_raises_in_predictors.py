"""Raises in ofa_predictors(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_predictors():
    yield from ()
    raise ValueError("no luck in predictors")
