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

    def test_or_with_the_next_frame(self, planned, conditions):
        played = play(planned(LEVELS, [0, 1, 0]), conditions(duration_s=0.7), Pace(every_s=0.15))
        assert ends(played) == [0.1, 0.35, 0.55, 0.7]  # 0, 0.15, then 0.45: at 0.3 one ran; 0.6

    def test_frames_that_came_in_a_slow_spell_are_left_out(self, planned, conditions):
        load = [Moment(time_s=0.0), Moment(time_s=0.3, factor=5.0), Moment(time_s=0.4)]
        played = play(planned(LEVELS, [0]), conditions(*load, duration_s=1.4), Pace(every_s=0.15))
        began = [i.time_s - i.latency_ms / 1000 for i in played.inferences]
        assert began == pytest.approx([0.0, 0.15, 0.3, 0.9, 1.05, 1.2, 1.35])  # 0.3 takes to 0.8

    def test_frames_that_came_in_a_gap_are_left_out(self, planned, conditions):
        moments = [Moment(time_s=t) for t in (0.0, 0.1, 1.0, 1.1, 1.2, 1.3)]
        found = conditions(*moments, duration_s=1.4, interval_s=0.1, gaps="skip")
        played = play(planned(LEVELS, [0]), found, Pace(every_s=0.15))
        began = [i.time_s - i.latency_ms / 1000 for i in played.inferences]
        assert began == pytest.approx([0.0, 0.15, 1.05, 1.2, 1.35])  # none from 0.2 to 1

    def test_a_frame_that_comes_as_one_is_done_is_not_left_out(self, planned, conditions):
        """Sums of floats end a little after it, as 0.1 + 0.1 + 0.1 does after 0.3."""
        found = conditions(duration_s=999.95)
        assert len(play(planned(LEVELS, [0]), found, Pace(every_s=0.1)).inferences) == 10_000

    def test_a_frame_holds_one_image_however_short(self, planned, conditions):
        short = (Level(70.0, 1e-7),)
        played = play(planned(short, [0]), conditions(duration_s=0.95), Pace(every_s=0.1 * 3))
        assert len(played.inferences) == 4

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
        asked, governor = [], planned(LEVELS, [0])
        monkeypatch.setattr(governor, "observe", lambda seen: asked.append(seen) or Decision(0))
        with pytest.raises(UsageError, match="more than 4,000 inferences"):
            play(governor, conditions(duration_s=600.0), Pace())
        assert len(asked) == simulator.CHUNK, "at the fastest level they are more than it allows"

    @pytest.mark.parametrize(
        ("duration", "pace"), [(1e300, Pace()), (2e6, Pace()), (2e6, Pace(every_s=0.3))]
    )
    def test_and_before_it_runs_where_that_is_known(self, planned, conditions, duration, pace):
        governor = planned(LEVELS, [1])
        governor.observe = None
        with pytest.raises(UsageError, match="more than 5,000,000 inferences"):
            play(governor, conditions(duration_s=duration), pace)


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
