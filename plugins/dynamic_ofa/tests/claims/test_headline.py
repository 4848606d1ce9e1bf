"""The headline is arithmetic on figures: it holds by one reading, and not with other points."""

from __future__ import annotations

import pytest

from dynamic_ofa.claims import figures, headline


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("faster", [3.483, 2.398, 3.265, 2.252]),
        ("more_accurate", [3.8, 5.1, 4.9, 5.8, 4.697, 5.197]),
    ],
)
def test_the_published_figures_come_out_by_the_reading_that_is_said(checked, name, ours):
    found = checked(name)
    assert found.verdict == "consistent"  # arithmetic, by a reading of ours
    assert "not defined in the paper" in found.chosen
    assert [c.ours for c in found.comparisons] == ours
    assert [c.holds for c in found.comparisons] == [True, True] + [None] * (len(ours) - 2)


@pytest.mark.parametrize("name", ["faster", "more_accurate"])
def test_with_slower_levels_it_differs(checked, monkeypatch, name):
    slower = {
        name: [(top1, 1.1 * ms) for top1, ms in points] for name, points in figures.OURS.items()
    }
    monkeypatch.setattr(headline, "OURS", slower)
    assert checked(name).verdict == "differs"
