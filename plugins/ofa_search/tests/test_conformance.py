"""What ofa_search offers keeps the laws of the seams."""

from __future__ import annotations

from ofa_plugins_core import Host
from ofa_plugins_core.testing import PluginSuite


class TestPlugin(PluginSuite):
    plugin = "ofa_search"


def test_it_offers_what_exact_search_and_its_baselines_are_called():
    offers = Host.discover().plugin("ofa_search").offers
    assert {"exact", "exhaustive", "nsga2"} <= set(offers["searchers"])
    assert "additive" in offers["predictors"]
