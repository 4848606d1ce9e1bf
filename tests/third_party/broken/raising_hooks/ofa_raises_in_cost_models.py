"""Raises in ofa_cost_models(), after a record."""

from ofa_plugins_core import CostModelEntry, hookimpl

OFA_API = 1


@hookimpl
def ofa_cost_models():
    yield CostModelEntry("lost_cost", "what could have been", "units", build=print)
    raise ValueError("no luck in cost_models")
