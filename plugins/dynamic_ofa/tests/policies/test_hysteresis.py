"""The policy with a band: quick down, patient up, quiet inside."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_ofa.policies.hysteresis import Hysteresis
from dynamic_ofa.policies.options import HysteresisOptions
from ofa_plugins_core.interfaces import Level, Observation
from ofa_plugins_core.testing import RuntimePolicySuite

THREADS = HysteresisOptions(actuator="threads", values=(1.0, 2.0, 4.0), window=5, dwell=4)
ONE = HysteresisOptions(window=1, dwell=5)


@pytest.fixture
def noisy():
    """(seed, load) -> load of an image with noise of 10 %."""

    def made(seed, load):
        noise = np.exp(0.1 * np.random.default_rng(seed).standard_normal(5000))
        return lambda i: float(noise[i] * (load(i) if callable(load) else load))

    return made


class TestLaws(RuntimePolicySuite):
    @pytest.fixture(params=[HysteresisOptions(), HysteresisOptions(window=3, dwell=2), THREADS])
    def policy(self, request):
        return Hysteresis(request.param)


class TestBand:
    def test_it_goes_down_at_once_and_as_far_as_needed(self, nets_6, looped, visited):
        decisions = looped(Hysteresis(), nets_6, lambda i: 1.3 if i >= 100 else 1.0, 120)
        assert visited(decisions) == [4, 1]
        assert decisions[104].level == 1  # a tenth of the window of 40 has seen the load

    def test_it_comes_up_again_a_level_at_a_time_when_load_ends(self, nets_6, looped, visited):
        decisions = looped(Hysteresis(), nets_6, lambda i: 1.3 if 100 <= i < 200 else 0.9, 500)
        assert visited(decisions) == [4, 1, 2, 3, 4]

    def test_inside_the_band_nothing_happens(self, nets_6, looped, visited):
        # 55.4 ms, over 0.9 of the limit, under it; at the level above it would be 61.5
        assert visited(looped(Hysteresis(), nets_6, 1.0844, 2000, start=3)) == [3]

    def test_one_late_inference_in_ten_is_nothing(self, nets_6, looped, visited):
        assert visited(looped(Hysteresis(), nets_6, lambda i: 5.0 if not i % 11 else 1.0, 900)) == [
            4
        ]

    def test_reasons_name_the_figures(self, nets_6, looped):
        reasons = [d.reason for d in looped(Hysteresis(), nets_6, 0.8, 200, start=4) if d.reason]
        assert reasons == ["20 times in a row level 5 would have stayed under 54 ms"]
        down = looped(Hysteresis(), nets_6, 1.3, 60, start=3)
        assert [d.reason for d in down if d.reason] == [
            "90 % of inferences take up to 66.4 ms; the limit is 60 ms"
        ]

    @pytest.mark.parametrize("load", [0.8, 0.95, 1.1, 1.2])
    def test_under_noise_it_is_quiet_and_keeps_the_limit(self, nets_6, looped, noisy, load):
        load_at = noisy(3, load)
        decisions = looped(Hysteresis(), nets_6, load_at, 5000)
        ran = [4, *(d.level for d in decisions)]
        late = sum(nets_6[ran[i]].latency * load_at(i) > 60.0 for i in range(200, 5000))
        assert sum(a != b for a, b in pairwise(ran)) <= 12
        assert late / 4800 <= 0.1


class TestPatience:
    def test_a_step_that_does_not_hold_is_tried_ever_more_seldom(self):
        """Level 1 takes three times what the table says: no table foretells it."""
        levels = (Level(70.0, 10.0), Level(75.0, 20.0))
        policy, level, ups = Hysteresis(), 0, []
        state = policy.start(levels)
        for image in range(6000):
            latency = 10.0 if level == 0 else 60.0
            state, found = policy.decide(state, Observation(0.1 * image, latency, 40.0, {}, level))
            if found.level > level:
                ups.append(image)
            level = found.level
        waits = [b - a for a, b in pairwise(ups)]
        assert waits == sorted(waits) and waits[3] > 4 * waits[0]

    @pytest.mark.parametrize(("held", "wait"), [(1, 10), (19, 10), (20, 5), (200, 5)])
    def test_a_step_that_held_for_four_times_the_dwell_was_good(self, held, wait):
        """Late once, after so many quiet images above: so many are waited for below."""
        levels, policy = (Level(70.0, 10.0), Level(75.0, 20.0)), Hysteresis(ONE)
        state, level, images = policy.start(levels), 0, []
        for image in range(5 + held + 1 + 20):
            latency = 40.0 if image == 5 + held else levels[level].latency
            images.append(level)
            state, found = policy.decide(state, Observation(0.1 * image, latency, 30.0, {}, level))
            level = found.level
        low = images[5 + held + 1 :]
        assert images[: 5 + held + 1] == [0] * 5 + [1] * (held + 1)
        assert low == [0] * wait + [1] * (20 - wait)


class TestActuator:
    def test_it_is_set_at_the_start(self, nets_6, looped):
        first = looped(Hysteresis(THREADS), nets_6, 1.0, 3)
        assert [dict(d.actions) for d in first] == [{"threads": 1.0}, {}, {}]

    def test_it_rises_only_at_the_fastest_level_that_is_late(self, nets_6, looped):
        decisions = looped(Hysteresis(THREADS), nets_6, 2.0, 40)
        rises = [(i, d) for i, d in enumerate(decisions) if d.actions and i]
        assert [d.actions["threads"] for _, d in rises] == [2.0, 4.0]
        assert all(d.level == 0 and d.reason.startswith("late at the fastest") for _, d in rises)
        assert rises[1][0] - rises[0][0] >= THREADS.window

    def test_it_falls_only_where_the_most_accurate_level_would_still_be_in_time(
        self, nets_6, looped
    ):
        decisions = looped(Hysteresis(THREADS), nets_6, lambda i: 2.0 if i < 30 else 0.4, 120)
        falls = [d.actions["threads"] for d in decisions[30:] if d.actions]
        assert falls == [2.0, 1.0]
        assert decisions[-1].level == 5

        half = looped(Hysteresis(THREADS), nets_6, lambda i: 2.0 if i < 30 else 0.6, 120)
        assert [d.actions for d in half[30:] if d.actions] == []  # 37 ms, doubled 74
        assert half[-1].level == 5


class TestSettings:
    @pytest.mark.parametrize(
        ("given", "said"),
        [
            ({"low": 1.0}, "low is less than high"),
            ({"actuator": "threads"}, "an actuator and its values go together"),
            ({"values": (1.0, 2.0)}, "an actuator and its values go together"),
            ({"actuator": "threads", "values": (2.0, 1.0)}, "increasing numbers over 0"),
            ({"quantile": 0.0}, "quantile"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, given, said):
        with pytest.raises(ValueError, match=said):
            HysteresisOptions(**given)


@settings(deadline=None)
@given(st.lists(st.floats(0.3, 3.0), min_size=1, max_size=30), st.floats(30, 100))
def test_no_level_predicted_late_where_one_is_predicted_in_time(nets_6, looped, loads, limit):
    policy = Hysteresis(HysteresisOptions(window=1, dwell=1))
    decisions = looped(policy, nets_6, lambda i: loads[i], len(loads), limit=limit)
    for load, decision in zip(loads, decisions, strict=True):
        chosen = nets_6[decision.level].latency * load
        assert chosen <= limit * 1.000001 or nets_6[0].latency * load > limit * 0.999999
