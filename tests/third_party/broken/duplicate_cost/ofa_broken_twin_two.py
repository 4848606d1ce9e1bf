"""Offers a cost that another plugin offers too."""

from ofa_plugins_core import CostModelEntry, hookimpl
from ofa_plugins_core.pricing import BlockCostModel

OFA_API = 1


def build(supernet, options):
    return BlockCostModel("twin", "ops", supernet, lambda block: len(block.ops), "sum")


@hookimpl
def ofa_cost_models():
    yield CostModelEntry("twin", "number of ops", "ops", build)
    yield CostModelEntry("only_two", "number of ops", "ops", build)
