"""Switching is measured on a tiny network."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from dynamic_ofa.claims import switching


@pytest.fixture
def tiny(monkeypatch, table):
    """The claim on a table of tiny levels."""
    monkeypatch.setattr(switching, "TABLE", table)


def test_a_switch_takes_less_than_another_process(checked, tiny):
    found = checked("switch")
    assert found.verdict == "reproduced"
    assert [c.holds for c in found.comparisons] == [True, True, None] * 2
    assert all(c.ours > 0 and c.kind == "measured" for c in found.comparisons)


def test_one_that_takes_as_long_is_seen(checked, tiny, monkeypatch):
    monkeypatch.setattr(switching, "SWITCH_MS", 0.0)
    assert checked("switch").verdict == "differs"
