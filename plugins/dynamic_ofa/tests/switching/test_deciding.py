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
from ofa_plugins_core.interfaces import Level

LEVELS = (Level(70.0, 10.0), Level(75.0, 20.0))


@frozen
class Counting:
    """Up and down in turns; remembers every observation in its state."""

    def start(self, levels):
        return ()

    def decide(self, state, observation):
        seen = (*state, observation)
        return seen, len(seen) % 2


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass by hand."""
    now = [100.0]
    monkeypatch.setattr(deciding.time, "monotonic", lambda: now[0])
    return now


def test_it_is_shown_time_limit_latency_and_the_level_that_ran(clock):
    governor = Governor(Counting(), LEVELS, "counting")
    found = Deciding(governor, read_limits("60 ms, 45 ms from 10 s"), lambda level: None)
    for after, level in ((9.0, 1), (2.0, 0)):
        clock[0] += after
        found.observe(level, 33.0)
    first, second = governor._state
    assert (first.time, first.limit, first.latency, first.level) == (9.0, 60.0, 33.0, 1)
    assert (second.time, second.limit, second.level) == (11.0, 45.0, 0)


def test_threads_are_heard_one_by_one_and_the_last_decision_stays():
    switched = []
    governor = Governor(Counting(), LEVELS, "counting")
    found = Deciding(governor, read_limits("60"), switched.append)
    threads = [Thread(target=lambda: [found.observe(0, 1.0) for _ in range(200)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(governor._state) == 800
    assert switched == [1, 0] * 400


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
