"""The outside plugin keeps the laws of the seams that it fills."""

from __future__ import annotations

import pytest

pytest.importorskip(
    "ofa_outside", reason="not installed: pip install tests/third_party/ofa_outside"
)

from ofa_outside import costs
from ofa_outside.climb import Climb, ClimbOptions

from ofa_plugins_core import NoOptions
from ofa_plugins_core.testing import CostModelSuite, SearcherSuite


class TestTraffic(CostModelSuite):
    @pytest.fixture
    def cost_model(self, supernet):
        return costs.traffic(supernet, NoOptions())


class TestRoofline(CostModelSuite):
    @pytest.fixture
    def cost_model(self, supernet):
        return costs.roofline(supernet, costs.RooflineOptions())


class TestClimb(SearcherSuite):
    @pytest.fixture
    def searcher(self):
        return Climb(ClimbOptions())
