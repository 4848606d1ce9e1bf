"""Counts and times in words."""

from __future__ import annotations

import pytest

from ofa_plugins_core.words import counted, duration, durations, sized


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1257, "1,257 rows")]
)
def test_counts(count, said):
    assert counted(count, "row") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (5399, "90 min"), (9000, "2.5 h")],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_ranges():
    assert durations(60, 360) == "60 s to 6 min"
    assert durations(301, 302) == "about 5 min"


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 MB"), (16_896, "0.0169 MB"), (12_345_678, "12.3 MB"), (7_526_400_000, "7.5 GB")],
)
def test_amounts(count, said):
    assert sized(count) == said
