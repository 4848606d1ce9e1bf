"""Timing: works take turns until each is known, and what disturbs biases none of them."""

from __future__ import annotations

import math
from collections import Counter
from itertools import count

import numpy as np
import pytest
from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.timing import Effort, looks_like, measure, quantile, refuse_odd, summary


class Quiet:
    """A session without conditions."""

    def conditions(self):
        return {}


@frozen
class Passes:
    """Passes of a work, as they come from a list or a clock; counted."""

    next: object
    log: list = field(factory=list)
    name: object = None
    asked: list = field(factory=list)

    def times(self, passes):
        self.asked.append(passes)
        found = []
        for _ in range(passes):
            time = self.next()
            if time is None:
                break
            self.log.append(self.name)
            found.append(time)
        return found

    def release(self):
        raise AssertionError("whoever loaded a work lets go of it")


def timed(works, effort, seed=0, tell=lambda share: None, session=None, reference=None):
    generator = np.random.default_rng(seed)
    return dict(measure(works, effort, generator, session or Quiet(), tell, reference))


def constant(value):
    return Passes(lambda: value)


def normal(mean, std, seed=0):
    generator = np.random.default_rng(seed)
    return Passes(lambda: float(abs(generator.normal(mean, std))))


class TestSummary:
    """Passes -> what they come to."""

    def test_of_equal_passes(self):
        found = summary([2.0] * 5)
        assert (found.mean, found.std, found.median, found.half_width) == (2.0, 0.0, 2.0, 0.0)
        assert (found.count, found.disturbed, found.variation) == (5, 0, 0.0)

    def test_the_interval_is_the_textbooks(self):
        found = summary([1.0, 2.0, 3.0, 4.0, 5.0])
        assert found.mean == pytest.approx(3.0)
        assert found.std == pytest.approx(math.sqrt(2.5))
        assert found.half_width == pytest.approx(2.776 * math.sqrt(2.5 / 5), rel=0.02)

    @pytest.mark.parametrize(
        ("count", "published"),
        [
            (2, 12.706),
            (3, 4.303),
            (4, 3.182),
            (5, 2.776),
            (10, 2.262),
            (20, 2.093),
            (61, 2.000),
            (1001, 1.962),
        ],
    )
    def test_the_quantile_is_students(self, count, published):
        """97.5 % of Student's t, from any table of it: the normal's 1.96 is too narrow for few."""
        assert quantile(count) == pytest.approx(published, rel=0.02)

    @given(st.lists(st.floats(0.9, 1.1), min_size=1, max_size=60))
    def test_the_middle_of_the_passes_lies_between_its_ends(self, times):
        """80 % of the passes that count are in it: a tenth is below, a tenth above."""
        found = summary(times)
        assert found.low <= found.mean <= found.high
        below, above = sum(t < found.low for t in times), sum(t > found.high for t in times)
        assert max(below, above) <= math.ceil(0.1 * len(times))

    def test_one_long_pass_lifts_the_mean_and_the_end_with_it(self):
        found = summary([1.0] * 59 + [1.9])
        assert (found.low, found.high) == (1.0, found.mean)

    def test_one_pass_says_nothing_of_its_spread(self):
        found = summary([3.0])
        assert (found.mean, found.std, found.count) == (3.0, 0.0, 1)
        assert found.half_width == math.inf

    def test_disturbed_passes_are_set_aside_and_counted(self):
        quiet = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0, 1.01, 0.99]
        found = summary([*quiet, 9.0, 30.0])
        assert (found.count, found.disturbed) == (8, 2)
        assert found.mean == pytest.approx(np.mean(quiet))

    def test_one_disturbed_pass_among_equal_ones(self):
        found = summary([1.0] * 9 + [2.5])
        assert (found.mean, found.count, found.disturbed) == (1.0, 9, 1)

    def test_a_pass_that_took_less_than_half_is_set_aside_too(self):
        """A clock that was read before the device had begun."""
        found = summary([1.0] * 9 + [0.3])
        assert (found.mean, found.count, found.disturbed) == (1.0, 9, 1)

    def test_what_a_busy_neighbour_slows_by_a_third_is_no_disturbance(self):
        """Long works average over it: leaving it out would make short ones look quick."""
        found = summary([1.0] * 9 + [1.4])
        assert (found.mean, found.count, found.disturbed) == (pytest.approx(1.04), 10, 0)

    @pytest.mark.parametrize("time", [0.51, 1.99])
    def test_what_is_within_twice_counts(self, time):
        assert summary([1.0] * 9 + [time]).disturbed == 0

    def test_the_clocks_grain_is_no_disturbance(self):
        found = summary([1.0] * 9 + [1.0 + 1e-5])
        assert found.disturbed == 0

    def test_conditions_are_kept(self):
        assert summary([1.0], {"celsius": 40.0}).conditions == {"celsius": 40.0}

    @given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30), st.floats(1e-3, 1e3))
    def test_it_scales_with_its_unit(self, times, factor):
        one, other = summary(times), summary([factor * t for t in times])
        assert other.count + other.disturbed == len(times)
        if one.count == other.count:
            assert other.mean == pytest.approx(factor * one.mean)
            assert other.std == pytest.approx(factor * one.std, abs=1e-9 * factor * one.mean)

    @given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30), st.randoms())
    def test_the_order_of_passes_says_nothing(self, times, random):
        other = list(times)
        random.shuffle(other)
        one, two = summary(times), summary(other)
        assert (one.count, one.median) == (two.count, two.median)
        assert one.mean == pytest.approx(two.mean)

    @given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30))
    def test_the_mean_lies_among_passes_that_count(self, times):
        found = summary(times)
        assert found.count >= 1
        assert min(times) * (1 - 1e-9) <= found.mean <= max(times) * (1 + 1e-9)


class TestEnough:
    """When a measurement is done."""

    EFFORT = Effort(precision=0.02, least=10, most=60, warmup=3)

    def test_the_mean_of_a_known_distribution_is_found(self):
        found = timed({n: normal(4.0, 0.4, n) for n in range(20)}, Effort(precision=0.02, most=900))
        assert all(abs(f.mean - 4.0) < 3 * 0.02 * 4.0 / 1.96 for f in found.values())
        assert np.mean([f.mean for f in found.values()]) == pytest.approx(4.0, rel=0.01)
        assert np.mean([f.std for f in found.values()]) == pytest.approx(0.4, rel=0.1)
        # 1.96 · 0.1 / √n = 0.02 at n = 96
        assert np.mean([f.count for f in found.values()]) == pytest.approx(96, rel=0.15)

    def test_the_interval_holds_the_mean_as_often_as_it_says(self):
        effort = Effort(precision=1e-9, least=30, most=30)
        found = timed({n: normal(4.0, 0.4, n) for n in range(400)}, effort).values()
        held = np.mean([abs(f.mean - 4.0) <= f.half_width for f in found])
        assert 0.90 <= held <= 0.98

    def test_passes_that_were_set_aside_are_not_among_the_least(self):
        """Ten that count, and the two disturbed ones beside them."""
        times = iter([1.0] * 4 + [9.0] * 2 + [1.0] * 30)
        found = timed({"a": Passes(lambda: next(times))}, Effort(least=10, warmup=0))["a"]
        assert (found.count, found.disturbed) == (10, 2)

    def test_a_steady_work_stops_at_least(self):
        work = constant(2.0)
        assert timed({"a": work}, self.EFFORT)["a"].count == 10
        assert len(work.log) == 13  # three of them warm it up

    def test_a_restless_work_stops_at_most(self):
        found = timed({"a": normal(1.0, 0.3)}, self.EFFORT)["a"]
        assert found.count + found.disturbed == 60
        assert found.half_width > 0.02 * found.mean

    def test_in_between_it_stops_where_the_interval_is_narrow(self):
        found = timed({"a": normal(1.0, 0.05)}, self.EFFORT)["a"]
        assert 10 < found.count < 60
        assert found.half_width <= 0.02 * found.mean

    def test_warming_up_does_not_count(self):
        slow_start = iter([50.0, 50.0, 50.0])
        found = timed({"a": Passes(lambda: next(slow_start, 1.0))}, self.EFFORT)["a"]
        assert (found.mean, found.count, found.disturbed) == (1.0, 10, 0)

    def test_disturbed_passes_are_set_aside(self):
        generator = np.random.default_rng(3)

        def steps():
            return float(generator.normal(1, 0.01)) * (20 if generator.random() < 0.1 else 1)

        found = timed({"a": Passes(steps)}, Effort(precision=1e-9, most=200))["a"]
        assert found.mean == pytest.approx(1.0, rel=0.01)
        assert 5 <= found.disturbed <= 40

    @given(
        st.integers(2, 20),
        st.integers(2, 40),
        st.integers(1, 7),
        st.integers(0, 4),
        st.floats(0.001, 0.5),
        st.floats(0, 0.5),
        st.integers(0, 5),
    )
    @settings(deadline=None)
    def test_never_more_passes_than_most_and_a_visit(
        self, least, most, visit, warmup, precision, spread, seed
    ):
        effort = Effort(precision=precision, least=least, most=most, visit=visit, warmup=warmup)
        works = {n: normal(1.0, spread * n / 3, seed + n) for n in range(3)}
        found = timed(works, effort)
        assert set(found) == set(works)
        for key, work in works.items():
            counted = len(work.log) - warmup
            assert counted == found[key].count + found[key].disturbed
            assert counted <= most + visit - 1
            assert counted >= min(least, most)
            assert set(work.asked) <= {visit, warmup}

    @pytest.mark.parametrize(
        "wrong",
        [{"precision": 0.0}, {"least": 1}, {"most": 1}, {"visit": 0}, {"warmup": -1}],
    )
    def test_efforts_that_make_no_sense(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Effort(**wrong)


class Clock:
    """Time that passes: a pass takes its work's time, and longer the later it is."""

    def __init__(self, drift):
        self.passes, self.drift, self.log = 0, drift, []

    def work(self, name, time):
        def step():
            self.passes += 1
            return time * (1 + self.drift * self.passes)

        return Passes(step, self.log, name)


class TestTurns:
    """Works take turns, so that what drifts biases none of them."""

    EFFORT = Effort(precision=1e-9, least=40, most=40, warmup=0)

    def ratios(self, found, times):
        """Measured / true, as parts of their mean: the drift itself is everybody's."""
        measured = np.array([found[n].mean for n in times]) / list(times.values())
        return measured / measured.mean()

    def test_a_drift_biases_no_work(self):
        times = {n: 1.0 + n for n in range(12)}
        clock = Clock(drift=0.002)
        found = timed({n: clock.work(n, t) for n, t in times.items()}, self.EFFORT)
        assert np.abs(self.ratios(found, times) - 1).max() < 0.005

    def test_one_after_another_it_would(self):
        times = {n: 1.0 + n for n in range(12)}
        clock, found = Clock(drift=0.002), {}
        for n, t in times.items():
            found |= timed({n: clock.work(n, t)}, self.EFFORT)
        assert np.abs(self.ratios(found, times) - 1).max() > 0.2

    def test_each_round_visits_every_work_once_in_an_order_of_its_own(self):
        clock = Clock(0.0)
        timed({n: clock.work(n, 1.0) for n in range(6)}, self.EFFORT)
        rounds = [tuple(clock.log[i : i + 6]) for i in range(0, len(clock.log), 6)]
        assert len(rounds) == 40
        assert all(set(r) == set(range(6)) for r in rounds)
        assert len(set(rounds)) > 30

    def test_the_same_seed_gives_the_same_order(self):
        logs = []
        for seed in (1, 1, 2):
            clock = Clock(0.0)
            timed({n: clock.work(n, 1.0) for n in range(6)}, self.EFFORT, seed)
            logs.append(clock.log)
        assert logs[0] == logs[1] != logs[2]

    def test_a_visit_is_passes_in_a_row(self):
        clock, effort = Clock(0.0), Effort(least=4, most=8, visit=4, warmup=0)
        timed({n: clock.work(n, 1.0) for n in range(3)}, effort)
        assert sorted(Counter(zip(*[iter(clock.log)] * 4, strict=True)).items()) == [
            ((n,) * 4, 1) for n in range(3)
        ]

    def test_what_is_done_is_given_at_once_and_not_run_again(self):
        steady, restless = constant(1.0), normal(1.0, 0.5)
        effort = Effort(least=5, most=50, warmup=0)
        found = measure(
            {"restless": restless, "steady": steady}, effort, np.random.default_rng(0), Quiet()
        )
        assert next(found)[0] == "steady"
        assert len(steady.log) == len(restless.log) == 5
        assert next(found)[0] == "restless"
        assert (len(steady.log), len(restless.log)) == (5, 50)


class TestReference:
    """Works of different times are held together by what takes a turn in every round."""

    EFFORT = Effort(precision=1e-9, least=20, most=20, warmup=0)

    def test_it_takes_a_turn_in_every_round(self):
        clock = Clock(0.0)
        reference = clock.work("reference", 3.0)
        found = timed({n: clock.work(n, 1.0) for n in range(3)}, self.EFFORT, reference=reference)
        rounds = [clock.log[i : i + 4] for i in range(0, len(clock.log), 4)]
        assert all(sorted(map(str, r)) == ["0", "1", "2", "reference"] for r in rounds)
        assert {r.index("reference") for r in rounds} == {0, 1, 2, 3}
        assert {f.reference for f in found.values()} == {3.0}

    def test_without_one_nothing_is_said(self):
        assert timed({"a": constant(1.0)}, self.EFFORT)["a"].reference is None

    def test_one_that_has_ended_says_nothing(self):
        gone = Passes(lambda: None)
        assert timed({"a": constant(1.0)}, self.EFFORT, reference=gone)["a"].reference is None

    def test_what_slowed_all_is_told_by_it(self):
        """A machine that is a third slower the second time: the ratio is the same."""
        clock, found = Clock(0.0), []
        for speed in (1.0, 1.5):
            work, reference = clock.work("a", 2.0 * speed), clock.work("reference", 8.0 * speed)
            found.append(timed({"a": work}, self.EFFORT, reference=reference)["a"])
        assert found[1].mean == pytest.approx(1.5 * found[0].mean)
        assert [f.mean / f.reference for f in found] == pytest.approx([0.25, 0.25])

    def test_it_is_told_of_the_rounds_of_each_work(self):
        """Slow from the tenth pass on: who was done by then has a quick reference beside it."""
        passes = iter(range(1000))
        reference = Passes(lambda: 1.0 if next(passes) < 10 else 1.001)
        works = {"short": constant(1.0), "long": normal(1.0, 0.5)}
        effort = Effort(precision=0.01, least=10, most=40, warmup=0)
        found = timed(works, effort, reference=reference)
        assert found["short"].reference == 1.0
        assert found["long"].reference > 1.0

    def test_a_disturbed_pass_of_the_reference_is_set_aside(self):
        """It is divided by: one pass of ten times its length would spoil every row."""
        passes = count()
        reference = Passes(lambda: 40.0 if next(passes) == 5 else 4.0)
        found = timed({"a": constant(1.0)}, Effort(least=10), reference=reference)["a"]
        assert (found.reference, found.reference_half_width) == (4.0, 0.0)

    def test_how_well_it_is_known_is_said(self):
        passes = count()
        reference = Passes(lambda: 4.0 + 0.1 * (-1) ** next(passes))
        found = timed({"a": constant(1.0)}, Effort(least=10, warmup=0), reference=reference)["a"]
        assert found.reference == pytest.approx(4.0)
        due = 2.262 * math.sqrt(10 / 9) * 0.1 / math.sqrt(10)
        assert found.reference_half_width == pytest.approx(due, rel=0.01)

    def test_how_its_passes_spread_is_kept(self):
        """Five numbers, each for a fifth of the passes; a disturbed one is in none."""
        passes = count()
        reference = Passes(lambda: 40.0 if (n := next(passes)) == 3 else 4.0 + 0.1 * (n % 10))
        effort = Effort(least=20, warmup=0)
        found = timed({"a": constant(1.0)}, effort, reference=reference)["a"]
        assert found.reference_spread == pytest.approx((4.1, 4.2, 4.5, 4.7, 4.8), abs=0.09)
        assert timed({"a": constant(1.0)}, self.EFFORT)["a"].reference_spread == ()


class TestAround:
    """What else belongs to a measurement."""

    def test_a_recording_that_ends_gives_what_it_had(self):
        passes = iter([1.0] * 7)
        found = timed(
            {"short": Passes(lambda: next(passes, None)), "long": constant(2.0)},
            Effort(least=10, warmup=2),
        )
        assert (found["short"].count, found["long"].count) == (5, 10)

    def test_a_recording_with_nothing_is_not_there(self):
        found = timed({"none": Passes(lambda: None), "long": constant(2.0)}, Effort())
        assert set(found) == {"long"}

    def test_no_works_take_no_time(self):
        assert timed({}, Effort()) == {}

    def test_conditions_are_those_at_the_end_of_each(self):
        class Warming:
            celsius = 40.0

            def conditions(self):
                self.celsius += 1
                return {"celsius": self.celsius}

        found = timed({"a": constant(1.0), "b": normal(1.0, 0.5)}, Effort(), session=Warming())
        assert found["a"].conditions == {"celsius": 41.0}
        assert found["b"].conditions == {"celsius": 42.0}

    @given(st.integers(1, 5), st.floats(0, 0.4))
    @settings(deadline=None)
    def test_progress_grows_to_all(self, count, spread):
        told = []
        timed({n: normal(1.0, spread * n, n) for n in range(count)}, Effort(), tell=told.append)
        assert told == sorted(told)
        assert told[-1] == 1.0
        assert told[0] > 0

    @pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf, -0.5])
    @pytest.mark.parametrize("place", ["work", "reference"])
    def test_times_that_are_none_are_the_devices_mistake(self, wrong, place):
        works, odd = {"the work": constant(1.0)}, constant(wrong)
        works, reference = ({"the work": odd}, None) if place == "work" else (works, odd)
        with pytest.raises(PluginError, match=f"a pass of the {place} took {wrong} ms"):
            timed(works, Effort(), reference=reference)

    def test_a_pass_may_be_shorter_than_the_clocks_grain_but_not_all(self):
        times = iter([1.0, 0.0, 2.0] * 200)
        found = timed({"a": Passes(lambda: next(times))}, Effort(least=10, most=20, warmup=0))
        assert found["a"].mean == pytest.approx(1.0, abs=0.1)
        with pytest.raises(PluginError, match=r"took 0\.0 ms"):
            timed({"a": constant(0.0)}, Effort())


class TestUnits:
    """A device whose milliseconds cannot be such."""

    @pytest.mark.parametrize(
        ("typical", "meant"),
        [(0.002, "seconds"), (0.004, None), (84.0, None), (499.0, None), (501.0, "microseconds")],
    )
    def test_only_the_extremes_can_be_told(self, typical, meant):
        assert looks_like(typical) == meant

    def test_it_is_asked_about(self):
        with pytest.raises(PluginError, match=r"takes 0\.001 ms, .* answer in seconds"):
            refuse_odd([0.001, 0.0001, 5.0], 1)
        with pytest.raises(PluginError, match=r"takes 4e\+04 ms, .* answer in microseconds"):
            refuse_odd([40_000.0], 64)

    def test_many_images_may_take_long(self):
        """84 ms an image, as on a Jetson's processor, in batches of 64."""
        refuse_odd([84.0 * 64], 64)
        with pytest.raises(PluginError, match="answer in seconds"):
            refuse_odd([0.001], 64)

    @pytest.mark.parametrize("times", [[0.0, 0.0], [1.0], [0.001, 1.0, 1.0]])
    def test_a_typical_block_decides_and_none_at_all_is_no_unit(self, times):
        refuse_odd(times, 1)
