"""Misspells a hook."""

from ofa_plugins_core import CostModelEntry, hookimpl

OFA_API = 1


@hookimpl
def ofa_cost_modles():
    yield CostModelEntry("nothing", "never asked for", "units", build=print)
