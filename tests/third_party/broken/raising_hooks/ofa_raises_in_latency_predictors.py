"""Raises in ofa_latency_predictors(), late."""

from ofa_plugins_core import hookimpl

OFA_API = 1


@hookimpl
def ofa_latency_predictors():
    yield from ()
    raise ValueError("no luck in latency_predictors")
