"""The demo and the commit rule, replayed on the published levels."""

from __future__ import annotations

import pytest

from dynamic_ofa.claims import replayed
from dynamic_ofa.claims.replayed import LIMIT_MS, run, sequence_of, steady


def test_the_demo_goes_3_2_1_and_says_under_which_load(checked, pickled):
    found = checked("demo", nets_6=pickled())
    assert found.verdict == "consistent"  # the trace is ours
    assert "ours" in found.chosen
    assert [c.ours for c in found.comparisons] == ["3, 2, 1", 77.54, 76.134, 74.968, 1.214, 1.321]
    assert [c.holds for c in found.comparisons] == [True] + [None] * 5


@pytest.mark.parametrize(("load", "end"), [(1.2, 2), (1.213, 2), (1.215, 1), (1.32, 1), (1.322, 0)])
def test_outside_that_load_it_ends_elsewhere(nets_6, load, end):
    assert sequence_of(run(nets_6, steady(load), LIMIT_MS))[-1] == end


def test_with_faster_levels_it_differs(checked, pickled):
    file = pickled(lambda number, accuracy, latency: (accuracy, 0.9 * latency))
    found = checked("demo", nets_6=file)
    assert found.verdict == "differs"
    assert found.comparisons[0].ours == "3"


def test_with_the_commit_rule_it_settles_and_without_it_does_not(checked):
    found = checked("commit")
    assert found.verdict == "reproduced"
    on, off, unsettled = found.comparisons
    assert (on.ours, on.published, on.against) == (0, None, 0)
    assert off.ours > 4
    assert unsettled.ours > 1


def test_a_rule_that_does_not_work_is_seen(checked, monkeypatch):
    monkeypatch.setattr(replayed, "run", lambda *given, commit=True: run(*given, commit=False))
    assert checked("commit").verdict == "differs"
