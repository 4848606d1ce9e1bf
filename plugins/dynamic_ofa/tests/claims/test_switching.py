"""Switching is measured on a tiny network."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from dynamic_ofa.claims import switching
from dynamic_ofa.switching.ways import WAYS


@pytest.fixture
def tiny(monkeypatch, table):
    """The claim on a table of tiny levels."""
    monkeypatch.setattr(switching, "TABLE", table)


def test_answers_are_judged_and_times_are_shown(checked, tiny):
    found = checked("switch")
    assert found.verdict == "reproduced"
    assert [c.holds for c in found.comparisons] == [True, None, None, None] * 2
    for answer, *times in (found.comparisons[:4], found.comparisons[4:]):
        assert answer.published is None
        assert all(c.ours > 0 and c.kind == "measured" for c in times)


@pytest.mark.parametrize("mode", ["resident", "in_place"])
def test_a_switch_that_changes_nothing_is_seen(checked, tiny, monkeypatch, mode):
    monkeypatch.setattr(switching, "MODES", (mode,))
    monkeypatch.setattr(WAYS[mode], "switch", lambda way, level: None)
    found = checked("switch")
    assert found.verdict == "differs"
    assert found.comparisons[0].ours > 0.01
