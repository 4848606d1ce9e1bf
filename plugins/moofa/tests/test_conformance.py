"""What moofa offers keeps the laws of the seams."""

from __future__ import annotations

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import ElasticModuleSuite, PluginSuite, SupernetSuite

HOST = Host.discover()
MINE = HOST.plugin("moofa").offers
SUPERNETS = MINE["supernets"]
ALIASES = [(a, e.name) for e in HOST.entries("supernets") if e.name in SUPERNETS for a in e.aliases]


class TestPlugin(PluginSuite):
    plugin = "moofa"


def test_it_ships_fitted_predictors():
    assert MINE["fitted_predictors"]


@pytest.mark.parametrize(("alias", "name"), ALIASES)
def test_an_alias_stands_for_its_supernet(alias, name):
    assert HOST.supernet(alias).name == name


class TestAnyNetwork(SupernetSuite):
    test_law = None

    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return HOST.supernet(request.param)


class TestAnyExtractedNetwork(ElasticModuleSuite):
    test_law = None

    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return HOST.supernet(request.param)
