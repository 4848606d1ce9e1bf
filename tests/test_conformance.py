"""What the core itself offers keeps the laws of the seams, on the toy supernet."""

from __future__ import annotations

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import CostModelSuite, SamplerSuite, SearcherSuite, toy_supernet

HOST = Host.discover()
OFFERS = HOST.plugin("builtin").offers
COSTS = [name for name in OFFERS["cost_models"] if not HOST.cost_model(name).qualified]


def test_the_core_is_a_plugin_as_any_other():
    assert HOST.plugin("builtin").state == "loaded"
    assert {"params", "flops", "weight_bytes", "peak_memory"} <= set(COSTS)


class TestCosts(CostModelSuite):
    @pytest.fixture(params=COSTS)
    def cost_model(self, request):
        return HOST.cost_model(request.param).build(toy_supernet())


class TestSamplers(SamplerSuite):
    @pytest.fixture(params=OFFERS["samplers"])
    def sampler(self, request):
        return HOST.sampler(request.param).build(toy_supernet())


class TestSearchers(SearcherSuite):
    @pytest.fixture(params=OFFERS["searchers"])
    def searcher(self, request):
        return HOST.searcher(request.param).build()
