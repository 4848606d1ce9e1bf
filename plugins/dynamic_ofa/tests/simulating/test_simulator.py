"""The closed loop: when images begin, how long they take, what is logged."""

from __future__ import annotations

import pytest

from dynamic_ofa.simulating import simulator
from dynamic_ofa.simulating.simulator import Pace, play
from dynamic_ofa.traces import Moment
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Decision, Level

LEVELS = (Level(70.0, 100.0), Level(75.0, 200.0))


def ends(played):
    return pytest.approx([i.time_s for i in played.inferences])


class TestPace:
    def test_an_image_begins_when_the_one_before_is_done(self, planned, conditions):
        played = play(planned(LEVELS, [1, 1, 0]), conditions(duration_s=0.55), Pace())
        assert ends(played) == [0.2, 0.4, 0.5, 0.6]
        assert [i.level for i in played.inferences] == [1, 1, 0, 0]

    def test_or_when_it_comes_if_that_is_later(self, planned, conditions):
        played = play(planned(LEVELS, [0, 1, 0]), conditions(duration_s=0.55), Pace(every_s=0.15))
        assert ends(played) == [0.1, 0.35, 0.45, 0.55]  # 0, 0.15, 0.35 as 0.3 is over, 0.45

    def test_the_load_at_its_start_counts(self, planned, conditions):
        found = conditions(Moment(time_s=0.0), Moment(time_s=0.05, factor=2.0), duration_s=0.25)
        played = play(planned(LEVELS, [0]), found, Pace())
        assert [i.latency_ms for i in played.inferences] == [100.0, 200.0]

    def test_the_first_inference_after_a_switch_takes_longer(self, planned, conditions):
        played = play(planned(LEVELS, [0, 1, 1, 0]), conditions(), Pace(switch_ms=7.0))
        assert [i.latency_ms for i in played.inferences][:5] == [100.0, 207.0, 200.0, 107.0, 100.0]

    def test_noise_belongs_to_the_image_whatever_the_level(self, planned, conditions):
        pace = Pace(jitter=0.2, seed=5)
        low = play(planned(LEVELS, [0]), conditions(duration_s=5.0), pace)
        high = play(planned(LEVELS, [1]), conditions(duration_s=5.0), pace)
        count = len(high.slowdowns)
        assert low.slowdowns[:count].tolist() == high.slowdowns.tolist()
        assert len(set(high.slowdowns)) == count
        other = play(planned(LEVELS, [0]), conditions(duration_s=5.0), Pace(jitter=0.2, seed=6))
        assert other.slowdowns[0] != low.slowdowns[0]

    def test_nothing_begins_in_a_gap_that_is_left_out(self, planned, conditions):
        moments = [Moment(time_s=t) for t in (0.0, 0.1, 0.9)]
        found = conditions(*moments, interval_s=0.1, gaps="skip")
        assert ends(play(planned(LEVELS, [0]), found, Pace())) == [0.1, 0.2, 1.0]

    def test_readings_and_limit_are_those_that_hold(self, planned, conditions):
        moment = Moment(time_s=0.0, limit_ms=90.0, readings={"cpu_mhz": 900.0})
        played = play(planned(LEVELS, [0]), conditions(moment), Pace())
        assert played.inferences[0].readings == {"cpu_mhz": 900.0}
        assert played.inferences[0].late

    def test_what_could_not_be_kept_is_refused(self, planned, conditions, monkeypatch):
        monkeypatch.setattr(simulator, "MOST", 4000)
        with pytest.raises(UsageError, match="more than 4,000 inferences"):
            play(planned(LEVELS, [0]), conditions(duration_s=1000.0), Pace())


class TestLog:
    def test_a_switch_has_what_was_before_and_after(self, planned, conditions):
        played = play(planned(LEVELS, [0, 0, 1, 0]), conditions(limit=150.0), Pace())
        down, up = played.switches
        assert (down.before, down.after, up.before, up.after) == (0, 1, 1, 0)
        assert [down.time_s, up.time_s] == pytest.approx([0.2, 0.4])
        assert (down.latency_before_ms, down.latency_after_ms) == (100.0, 200.0)
        assert [down.late_share, up.late_share] == pytest.approx([0.0, 1 / 3])

    def test_after_the_last_inference_nothing_came(self, planned, conditions):
        played = play(planned(LEVELS, [0, 1]), conditions(duration_s=0.05), Pace())
        assert [s.latency_after_ms for s in played.switches] == [None]

    def test_actions_are_kept_though_nothing_takes_them(self, planned, conditions):
        plan = [0, Decision(1, "more", {"threads": 2.0})]
        played = play(planned(LEVELS, plan), conditions(), Pace())
        assert played.actions == {"threads": 2.0}
        assert played.switches[0].reason == "more"
