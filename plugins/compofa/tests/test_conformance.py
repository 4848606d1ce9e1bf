"""What compofa offers keeps the laws of the seams; the core's costs keep them on its supernets."""

from __future__ import annotations

from functools import cache

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import (
    CostModelSuite,
    ElasticModuleSuite,
    PredictorSuite,
    SamplerSuite,
    SupernetSuite,
)

HOST = Host.discover()
OFFERS = HOST.plugin("compofa").offers
SUPERNETS = OFFERS["supernets"]
COSTS = [
    name
    for name in HOST.plugin("builtin").offers["cost_models"]
    if not HOST.cost_model(name).qualified
]
FITTED = [e for e in HOST.entries("fitted_predictors") if e.name in OFFERS["fitted_predictors"]]
SAMPLERS = sorted({"uniform", *OFFERS.get("samplers", [])})


supernet_of = cache(HOST.supernet)


@cache
def cost_on(name, supernet):
    return HOST.cost_model(name).build(supernet)


@cache
def sampler_on(name, supernet):
    return HOST.sampler(name).build(supernet)


@cache
def load(entry):
    return HOST.predictor(entry.predictor).load(supernet_of(entry.supernet), None, entry)


def test_it_is_loaded_and_nothing_is_contested():
    plugin = HOST.plugin("compofa")
    assert (plugin.state, plugin.error) == ("loaded", None)
    assert SUPERNETS
    assert FITTED


class TestSupernets(SupernetSuite):
    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return supernet_of(request.param)

    def test_it_is_known_by_its_name(self, supernet):
        assert supernet.name in SUPERNETS


ALIASES = [
    (alias, entry.name)
    for entry in HOST.entries("supernets")
    if entry.name in SUPERNETS
    for alias in entry.aliases
]


@pytest.mark.parametrize(("alias", "name"), ALIASES)
def test_an_alias_stands_for_its_supernet(alias, name):
    assert HOST.supernet(alias).name == name


class TestElasticNetworks(ElasticModuleSuite):
    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return supernet_of(request.param)


class TestCosts(CostModelSuite):
    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return supernet_of(request.param)

    @pytest.fixture(params=COSTS)
    def cost_model(self, request, supernet):
        return cost_on(request.param, supernet)


class TestSamplers(SamplerSuite):
    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return supernet_of(request.param)

    @pytest.fixture(params=SAMPLERS)
    def sampler(self, request, supernet):
        return sampler_on(request.param, supernet)


class TestFittedPredictors(PredictorSuite):
    @pytest.fixture(params=FITTED, ids=lambda entry: entry.name)
    def entry(self, request):
        return request.param

    @pytest.fixture
    def supernet(self, entry):
        return supernet_of(entry.supernet)

    @pytest.fixture
    def predictor(self, entry, supernet):
        return load(entry)
