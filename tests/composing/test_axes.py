"""What there is to combine."""

from __future__ import annotations

import pytest

from ofa_plugins_core import Host, LatencyPredictorEntry, ReductionEntry, UsageError
from ofa_plugins_core.composing.axes import Asked, axes_of
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.reduction.data import Drop, Reduction


class TestAxesOf:
    def test_everything_takes_part_that_a_plugin_offers(self, host_of):
        axes = axes_of(host_of(), Asked())
        assert axes.supernets == ("bare", "toy")
        assert {"params", "flops", "peak_memory"} <= set(axes.costs)
        assert axes.predictors == ("none", "additive")
        assert axes.searchers == ("auto", "random")
        assert axes.policies == ("toy",)
        lengths = [len(axes.supernets), len(axes.costs), 2, 2]
        assert len(axes.combinations()) == lengths[0] * lengths[1] * 4

    def test_latency_takes_part_once_for_each_way_to_have_it(self, host_of):
        form = LatencyPredictorEntry("lines", "a form", lambda t, o: None, lambda s, f: None)
        costs = axes_of(host_of(ofa_latency_predictors=[form]), Asked()).costs
        assert {c for c in costs if c.startswith("latency")} == {"latency@table", "latency@lines"}

    def test_a_smaller_space_takes_part_on_the_first_supernet_that_has_what_it_drops(self, host_of):
        some = ReductionEntry(Reduction("no_k5", (Drop({"k": 5}),)), "no kernel of 5")
        none = ReductionEntry(Reduction("no_k9", (Drop({"k": 9}),)), "no kernel of 9")
        axes = axes_of(host_of(ofa_reductions=[some, none]), Asked())
        assert axes.supernets == ("bare", "toy", "bare+no_k5")

    def test_names_narrow_it_down(self, host_of):
        asked = Asked(supernets=("toy",), costs=("flops",), searchers=("random",))
        axes = axes_of(host_of(), asked)
        assert {c.words for c in axes.combinations()} == {
            "toy × flops × none × random",
            "toy × flops × additive × random",
        }

    def test_an_unknown_name_is_the_users_mistake(self, host_of):
        with pytest.raises(UnknownNameError, match="unknown cost 'flips'; nearest known: flops"):
            axes_of(host_of(), Asked(costs=("flips",)))

    def test_without_a_supernet_there_is_nothing_to_combine(self, host_of):
        blocked = [p.name for p in host_of().plugins if p.name not in ("toys", "other", "builtin")]
        with pytest.raises(UsageError, match="no plugin offers a supernet"):
            axes_of(Host.discover(blocked), Asked())
