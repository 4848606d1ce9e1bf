"""A policy beside a switcher: shown every inference, one at a time, with the limit that holds."""

from __future__ import annotations

from threading import Thread

import pytest
from attrs import frozen

from dynamic_ofa.governing import Governor
from dynamic_ofa.quantities import read_limits
from dynamic_ofa.switching import deciding
from dynamic_ofa.switching.deciding import Deciding, Stays, found_governor, found_limits
from ofa_plugins_core import UsageError
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.interfaces import Decision, Level

LEVELS = (Level(70.0, 10.0), Level(75.0, 20.0))


@frozen
class Counting:
    """Up and down in turns; remembers every observation in its state."""

    def start(self, levels):
        return ()

    def decide(self, state, observation):
        seen = (*state, observation)
        return seen, len(seen) % 2


@frozen
class Named:
    """To the level of a list, one an inference; remembers every observation in its state."""

    way: tuple[int, ...]

    def start(self, levels):
        return ()

    def decide(self, state, observation):
        return (*state, observation), self.way[len(state)]


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass by hand."""
    now = [100.0]
    monkeypatch.setattr(deciding.time, "monotonic", lambda: now[0])
    return now


def test_it_is_shown_time_limit_latency_and_the_level_that_ran(clock):
    governor = Governor(Named((0, 0)), LEVELS, "named")
    found = Deciding(governor, read_limits("60 ms, 45 ms from 10 s"), lambda level: 0.0)
    for after, level in ((9.0, 1), (2.0, 0)):
        clock[0] += after
        found.observe(level, 33.0)
    first, second = governor._state
    assert (first.time, first.limit, first.latency, first.level) == (9.0, 60.0, 33.0, 1)
    assert (second.time, second.limit, second.level) == (11.0, 45.0, 0)


@pytest.mark.parametrize(("latency", "limit"), [(99.0, 45.0), (101.0, 60.0)])
def test_the_limit_is_the_one_that_the_inference_began_under(clock, latency, limit):
    governor = Governor(Counting(), LEVELS, "counting")
    found = Deciding(governor, read_limits("60 ms, 45 ms from 10 s"), lambda level: 0.0)
    clock[0] += 10.1
    found.observe(1, latency)
    (seen,) = governor._state
    assert (seen.time, seen.limit) == (pytest.approx(10.1), limit)


def test_an_inference_that_began_before_the_switch_raises_no_level_again():
    """The published rule would: an inference at another level was within the limit."""
    switched, governor = [], Governor(Named((0, 1)), LEVELS, "named")
    found = Deciding(governor, read_limits("60"), lambda level: switched.append(level) or 0.0)
    assert found.observe(1, 99.0).level == 0
    late = found.observe(1, 33.0)
    assert late == Decision(0)
    assert len(governor._state) == 1
    assert governor.level == 0 and set(switched) == {0}


def test_a_switch_that_failed_is_tried_again_after_the_next_inference():
    on, fails = [1], [True]

    def switch(level):
        if fails.pop():
            raise RuntimeError("no memory")
        on[0] = level
        return 1.0

    found = Deciding(Governor(Named((0,)), LEVELS, "named"), read_limits("60"), switch)
    with pytest.raises(RuntimeError):
        found.observe(1, 99.0)
    fails.append(False)
    assert found.observe(1, 99.0) == Decision(0)
    assert on == [0]


def test_it_goes_on_from_a_level_that_somebody_else_turned_on():
    governor = Governor(Named((0,)), LEVELS, "named", start=1)
    found = Deciding(governor, read_limits("60"), lambda level: 5.0)
    assert found.switch(0) == 5.0
    found.observe(0, 33.0)
    (seen,) = governor._state
    assert seen.level == 0


def test_threads_are_heard_one_by_one_and_the_last_decision_stays():
    on, governor = [1], Governor(Counting(), LEVELS, "counting")

    def switch(level):
        on[0] = level
        return 0.0

    found = Deciding(governor, read_limits("60"), switch)
    threads = [
        Thread(target=lambda: [found.observe(governor.level, 1.0) for _ in range(200)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    heard = [seen.level for seen in governor._state]
    assert heard == [1, *(n % 2 for n in range(1, len(heard)))]
    assert on == [governor.level]


def test_nobody_is_heard_while_it_switches():
    governor, heard, others = Governor(Named((0, 1)), LEVELS, "named"), [], []

    def switch(level):
        if not others:  # somebody else's inference ends meanwhile
            others.append(Thread(target=found.observe, args=(0, 1.0), daemon=True))
            others[0].start()
            others[0].join(0.2)
        heard.append((level, len(governor._state)))
        return 0.0

    found = Deciding(governor, read_limits("60"), switch)
    found.observe(1, 99.0)
    others[0].join(60)
    assert heard == [(0, 1), (1, 2)]


def test_without_a_policy_the_level_stays_and_begins_at_the_most_accurate():
    governor = found_governor(JobContext(None), None, LEVELS, None)
    assert governor.level == 1
    assert Stays().decide(None, deciding.Observation(0.0, 1.0, 1.0, {}, 0)) == (None, 0)
    assert found_limits(None, None, LEVELS, pytest.fail) is None


def test_a_limit_in_words_or_in_ms():
    for given in ("25 ms", "25", 25, 25.0):
        found = found_limits(given, Counting(), LEVELS, pytest.fail)
        assert found.at(0.0) == pytest.approx(25.0)


@pytest.mark.parametrize("limit", [0, -5.0, float("nan"), "soon"])
def test_a_limit_that_is_none(limit):
    with pytest.raises(UsageError, match="limit: "):
        found_limits(limit, Counting(), LEVELS, pytest.fail)


def test_a_limit_that_will_be_under_the_fastest_level_is_told():
    said = []
    found_limits("25 ms, 5 ms from 10 s", Counting(), LEVELS, lambda e: said.append(e.message))
    assert said[0].startswith("the limit of 5 ms is under the fastest level's 10 ms")
