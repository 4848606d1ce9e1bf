"""The greedy policy."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_ofa.policies.greedy import Greedy, best_within
from dynamic_ofa.policies.options import GreedyOptions
from ofa_plugins_core.interfaces import Level, Observation
from ofa_plugins_core.testing import RuntimePolicySuite


class TestLaws(RuntimePolicySuite):
    @pytest.fixture(params=[GreedyOptions(), GreedyOptions(window=1, margin=0.5)])
    def policy(self, request):
        return Greedy(request.param)


def test_it_takes_the_most_accurate_level_in_time(nets_6, looped, visited):
    assert visited(looped(Greedy(), nets_6, 1.0, 50)) == [3]
    assert visited(looped(Greedy(), nets_6, 1.15, 50)) == [1]


def test_it_takes_the_fastest_where_none_is_in_time(nets_6, looped, visited):
    assert visited(looped(Greedy(), nets_6, 3.0, 50)) == [0]


def test_its_reason_names_the_slowdown(nets_6, looped):
    reasons = [d.reason for d in looped(Greedy(), nets_6, 1.0, 9) if d.reason]
    assert reasons == [
        "inferences take 1 times what the table says: level 3 is the most accurate one within 60 ms"
    ]


def test_it_comes_up_again_when_load_ends(nets_6, looped, visited):
    decisions = looped(Greedy(), nets_6, lambda i: 1.3 if 20 <= i < 60 else 1.0, 100)
    assert visited(decisions) == [3, 0, 3]


def test_it_follows_the_limit_at_once(nets_6):
    state = Greedy().start(nets_6)
    state, _ = Greedy().decide(state, Observation(0.0, 56.75, 60.0, {}, 4))
    _, decision = Greedy().decide(state, Observation(0.1, 56.75, 44.0, {}, 4))
    assert decision.level == 0
    said = "inferences take 1 times what the table says: level 0 is the fastest, and none is within"
    assert decision.reason == f"{said} 44 ms"


def test_a_single_outlier_moves_nothing(nets_6, looped, visited):
    assert visited(looped(Greedy(), nets_6, lambda i: 9.0 if i % 10 == 5 else 1.0, 80)) == [3]


def test_of_equally_accurate_levels_it_takes_the_fastest():
    levels = (Level(70.0, 10.0), Level(75.0, 20.0), Level(75.0, 30.0))
    assert best_within(levels, 100.0) == 1


@settings(deadline=None)
@given(st.lists(st.floats(0.3, 3.0), min_size=1, max_size=30), st.floats(30, 100))
def test_no_level_predicted_late_where_one_is_predicted_in_time(nets_6, looped, loads, limit):
    policy = Greedy(GreedyOptions(window=1, margin=0.0))
    decisions = looped(policy, nets_6, lambda i: loads[i], len(loads), limit=limit)
    for load, decision in zip(loads, decisions, strict=True):
        in_time = [n for n, level in enumerate(nets_6) if level.latency * load <= limit * 0.999999]
        assert not in_time or decision.level in range(in_time[-1], len(nets_6))
        assert not in_time or nets_6[decision.level].latency * load <= limit * 1.000001
