"""Variants of the supernets that build on ofa_mit's: the same options, a name of their own."""

from __future__ import annotations

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.testing import ElasticModuleSuite, SupernetSuite

HOST = Host.discover()
SMALL = {
    "moofa_v3": {"stem_stride": 1},
    "compofa": {"strides": (1, 2, 2, 1, 2)},
}


def small(name):
    return HOST.configured({name: SMALL[name]}).supernet(name)


class TestSupernets(SupernetSuite):
    @pytest.fixture(params=SMALL)
    def supernet(self, request):
        return small(request.param)


class TestElasticNetworks(ElasticModuleSuite):
    """Extracted is active, and what runs has the geometry's sizes."""

    @pytest.fixture
    def supernet(self):
        return small("moofa_v3")


@pytest.mark.parametrize("name", SMALL)
def test_it_can_be_asked_for_by_its_own_name(name):
    assert HOST.supernet(small(name).name).name == small(name).name != name
