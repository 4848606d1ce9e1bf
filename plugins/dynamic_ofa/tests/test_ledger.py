"""Scores of a run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_ofa.ledger import Inference, scored
from ofa_plugins_core.interfaces import Level

LEVELS = (Level(70.0, 10.0, 5.0), Level(80.0, 20.0, 9.0))


def run(*rows):
    """(time in s, level, latency in ms) each, under a limit of 20 ms."""
    return [Inference(time_s=t, level=n, latency_ms=ms, limit_ms=20.0) for t, n, ms in rows]


def test_means_are_over_inferences():
    scores = scored(run((1.0, 0, 10.0), (2.0, 1, 20.0), (3.0, 1, 30.0), (4.0, 0, 12.0)), LEVELS)
    assert (scores.inferences, scores.seconds, scores.switches) == (4, 4.0, 2)
    assert scores.late == 0.25  # 20 ms are within 20 ms
    assert scores.accuracy == 75.0
    assert scores.value == pytest.approx((70 + 80 + 0 + 70) / 4)
    assert scores.latency_ms == 18.0
    assert scores.shares == (0.5, 0.5)
    assert scores.energy_mj == 7.0


def test_energy_is_not_known_where_one_level_s_is_not():
    levels = (LEVELS[0], Level(80.0, 20.0))
    assert scored(run((1.0, 0, 10.0), (2.0, 1, 10.0)), levels).energy_mj is None
    assert scored(run((1.0, 0, 10.0)), levels).energy_mj == 5.0


class TestSettled:
    def test_leaves_out_what_comes_soon_after_start_and_changes(self):
        found = run((1.0, 0, 99.0), (3.0, 0, 10.0), (5.5, 0, 99.0), (7.5, 0, 99.0))
        assert scored(found, LEVELS, changes=(5.0,), settle_s=2.0).settled_late == 0.5
        assert scored(found, LEVELS, settle_s=2.0).settled_late == pytest.approx(2 / 3)

    def test_is_not_known_where_nothing_settles(self):
        assert scored(run((1.0, 0, 99.0)), LEVELS).settled_late is None


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(1, 40)), min_size=1, max_size=30))
def test_value_is_at_most_the_accuracy_and_less_by_what_is_late(rows):
    scores = scored(run(*((float(i), n, ms) for i, (n, ms) in enumerate(rows))), LEVELS)
    assert scores.value <= scores.accuracy + 1e-9
    assert scores.accuracy - scores.value <= 80.0 * scores.late + 1e-9
    assert sum(scores.shares) == pytest.approx(1.0)
