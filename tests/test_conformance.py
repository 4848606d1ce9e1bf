"""What the core itself offers keeps the laws of the seams, as any other plugin."""

from __future__ import annotations

from ofa_plugins_core import Host
from ofa_plugins_core.testing import PluginSuite


class TestCore(PluginSuite):
    plugin = "builtin"


def test_its_costs_are_there_by_name():
    costs = Host.discover().plugin("builtin").offers["cost_models"]
    assert {"params", "flops", "weight_bytes", "peak_memory"} <= set(costs)
