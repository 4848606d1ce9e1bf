"""What holds at a time of a trace."""

from __future__ import annotations

import pytest

from dynamic_ofa.quantities import read_limits
from dynamic_ofa.simulating.conditions import conditions_of
from dynamic_ofa.traces import Moment, Trace
from ofa_plugins_core.errors import InputError, UsageError

GAPPED = {
    "moments": (
        Moment(time_s=0.0),
        Moment(time_s=0.5, factor=2.0),
        Moment(time_s=5.0, factor=3.0),
    ),
    "duration_s": 6.0,
    "interval_s": 0.5,
}


def trace(**given):
    return Trace(name="mine", kind="recorded", **{"moments": (Moment(time_s=0.0),), **given})


class TestLimits:
    def test_a_limit_of_the_trace_holds_until_its_next(self, conditions):
        found = conditions(
            Moment(time_s=0.0),
            Moment(time_s=2.0, limit_ms=40.0),
            Moment(time_s=3.0),
            duration_s=9.0,
        )
        assert [found.at(t).limit_ms for t in (0.0, 1.9, 2.0, 8.0)] == [60.0, 60.0, 40.0, 40.0]

    def test_the_flag_s_steps_hold_where_the_trace_sets_none(self):
        found = conditions_of(trace(duration_s=9.0), read_limits("60 ms, 45 ms from 3 s"))
        assert [found.at(t).limit_ms for t in (0.0, 3.0, 8.0)] == [60.0, 45.0, 45.0]
        assert found.changes == (3.0,)
        assert found.limits == [45.0, 60.0]

    def test_the_flag_may_come_first(self, conditions):
        moment = Moment(time_s=0.0, limit_ms=40.0)
        assert conditions(moment, trace_limits=False).at(0.0).limit_ms == 60.0

    @pytest.mark.parametrize("moments", [(), (Moment(time_s=0.0, limit_ms=40.0),)])
    def test_without_any_it_cannot_run(self, conditions, moments):
        with pytest.raises(UsageError, match="'mine' sets no limit from its start on"):
            conditions(*moments, limit=None, trace_limits=False)


class TestChanges:
    def test_a_jump_of_load_or_limit_is_one_drift_is_none(self, conditions):
        found = conditions(
            Moment(time_s=0.0),
            Moment(time_s=1.0, factor=1.04),
            Moment(time_s=2.0, factor=1.3),
            Moment(time_s=3.0, factor=1.3, limit_ms=50.0),
            duration_s=4.0,
        )
        assert found.changes == (2.0, 3.0)

    def test_sampled_load_swings_and_is_none(self, conditions):
        moments = [Moment(time_s=0.1 * i, factor=1.0 + i % 2) for i in range(10)]
        assert conditions(*moments, interval_s=0.1).changes == ()


class TestGaps:
    def test_are_refused_with_what_to_do(self):
        with pytest.raises(InputError, match=r"says nothing from 0\.5 s to 5 s: it was") as caught:
            conditions_of(trace(**GAPPED), read_limits("60"))
        assert "--gaps hold" in str(caught.value) and "--gaps skip" in str(caught.value)

    def test_hold_takes_what_was_said_last(self):
        found = conditions_of(trace(**GAPPED), read_limits("60"), gaps="hold")
        assert found.at(3.0).factor == 2.0 and found.begins(3.0) == 3.0

    def test_skip_goes_on_after_it(self):
        found = conditions_of(trace(**GAPPED), read_limits("60"), gaps="skip")
        assert [found.begins(t) for t in (0.9, 1.0, 4.9, 5.0)] == [0.9, 5.0, 5.0, 5.0]


def test_a_trace_of_no_time_is_refused(conditions):
    with pytest.raises(InputError, match="lasts 0 s: nothing can run"):
        conditions(duration_s=0.0)
