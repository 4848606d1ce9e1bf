"""The best levels in hindsight."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dynamic_ofa.simulating.optimum import best_sequence, optimum_of
from dynamic_ofa.simulating.simulator import Pace, play
from dynamic_ofa.traces import Moment
from ofa_plugins_core.interfaces import Level

LEVELS = (Level(70.0, 100.0), Level(75.0, 200.0), Level(78.0, 300.0))
tables = st.tuples(st.integers(1, 5), st.integers(1, 3)).flatmap(
    lambda shape: arrays.arrays(np.int64, (2, *shape), elements=st.integers(0, 5))
)


def worth(stay, switch, sequence):
    return sum(
        (switch if i and sequence[i - 1] != level else stay)[i, level]
        for i, level in enumerate(sequence)
    )


@settings(deadline=None)
@given(tables)
def test_no_sequence_is_worth_more(found):
    stay, switch = found[0].astype(float), np.minimum(found[0], found[1]).astype(float)
    images, levels = stay.shape
    most = max(worth(stay, switch, s) for s in product(range(levels), repeat=images))
    assert worth(stay, switch, best_sequence(stay, switch)) == most


@settings(deadline=None, max_examples=50)
@given(
    plan=st.lists(st.integers(0, 2), min_size=1, max_size=12),
    limit=st.floats(50, 700),
    cost=st.sampled_from([0.0, 30.0, 500.0]),
    factor=st.floats(0.3, 3.0),
)
def test_no_policy_is_better(planned, conditions, plan, limit, cost, factor):
    found = conditions(
        Moment(time_s=0.0), Moment(time_s=1.0, factor=factor), limit=limit, duration_s=2.0
    )
    played = play(planned(LEVELS, plan), found, Pace(jitter=0.3, switch_ms=cost))
    best = optimum_of(played, LEVELS, cost)
    own = [0.0 if i.late else LEVELS[i.level].accuracy for i in played.inferences]
    assert best.regret >= 0
    assert best.value - sum(own) / len(own) == pytest.approx(best.regret, abs=1e-9)


def test_it_begins_where_the_run_did_and_pays_for_switches(planned, conditions):
    found = conditions(
        Moment(time_s=0.0, limit_ms=300.0), Moment(time_s=0.5, limit_ms=100.0), duration_s=0.85
    )
    played = play(planned(LEVELS, [0]), found, Pace())
    free = optimum_of(played, LEVELS)
    assert [i.level for i in free.inferences] == [2, 2, 2, 2, 2, 0, 0, 0, 0]
    assert free.inferences[0].time_s == pytest.approx(0.3)
    paid = optimum_of(played, LEVELS, 20.0)
    assert [i.level for i in paid.inferences] == [2, 2, 2, 2, 0, 0, 0, 0, 0]  # an image early
    assert [i.latency_ms for i in paid.inferences][3:6] == [300.0, 120.0, 100.0]
    assert paid.regret == pytest.approx(free.regret - 8.0 / 9)


def test_where_nothing_is_in_time_nothing_is_missed(planned, conditions):
    played = play(planned(LEVELS, [2]), conditions(limit=10.0), Pace())
    assert optimum_of(played, LEVELS).regret == 0.0
