"""The headline against AutoSlim, by arithmetic on the points of the paper's figures.

"Similar" is not defined in the paper. The two halves come out under a reading each, which is said;
what another reading gives is shown beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from dynamic_ofa.claims.figures import AUTOSLIM, OURS, Points
from ofa_plugins_core import Checked, Comparison, JobContext

FASTER: Final = {"CPU": 3.5, "GPU": 2.4}
MORE_ACCURATE: Final = {"CPU": 3.8, "GPU": 5.1}
"""Percentage points."""

ROUNDED: Final = 0.05
"""Half of the last digit that is published."""
SIMILAR: Final = 0.05
"""Share by which two latencies differ that count as similar here."""
WIDER: Final = 0.1
"""Another such share, to show what hangs on it."""

Reading = Callable[[Points, Points], float]


def faster(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """How many times less its levels take than AutoSlim's networks of the same accuracy."""
    judged = "times faster at most, at equal accuracy on the line through the levels"
    return Checked(
        [
            *_read(judged, _faster_on_the_line, FASTER, "×"),
            *_read("the same by levels alone, no less accurate", _faster_by_levels, {}, "×"),
        ],
        "Arithmetic on the figures' points; nothing is measured. Equal accuracy lies between two "
        "levels: the published factors come out on the straight line between them, and a program "
        "that switches among the levels themselves has a little less.",
        "similar accuracy is not defined in the paper, and the published factors come out by one "
        "reading of it alone, the line between levels",
    )


def more_accurate(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """By how many points its levels beat AutoSlim's networks of about the same latency."""
    judged = f"points more at most, of a level within {SIMILAR:.0%} of the latency"
    return Checked(
        [
            *_read(judged, partial(_points_nearby, within=SIMILAR), MORE_ACCURATE, "points"),
            *_read(f"the same within {WIDER:.0%}", partial(_points_nearby, within=WIDER), {},
                   "points"),
            *_read("the same at equal latency on the line", _points_on_the_line, {}, "points"),
        ],
        "Arithmetic on the figures' points; nothing is measured. The published gains are those of "
        f"levels within {SIMILAR:.0%} of AutoSlim's latency, on the CPU of one that is 3 % slower; "
        "a wider reading of similar finds more.",
        f"similar latency is not defined in the paper, and {SIMILAR:.0%} is our reading of it",
    )  # fmt: skip


def _read(
    what: str, reading: Reading, published: Mapping[str, float], unit: str
) -> list[Comparison]:
    """A reading on both processors; shown where nothing was published for it."""
    return [
        Comparison(
            f"{name}: {what}",
            round(reading(OURS[name], AUTOSLIM[name]), 3),
            published.get(name),
            unit,
            kind="published",
            relation="equal" if name in published else "shown",
            within=ROUNDED if name in published else 0.0,
        )
        for name in OURS
    ]


def _columns(points: Points) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Accuracies, latencies."""
    accuracies, latencies = zip(*points, strict=True)
    return accuracies, latencies


def _faster_on_the_line(ours: Points, theirs: Points) -> float:
    accuracies, latencies = _columns(ours)
    return max(float(ms / np.interp(top1, accuracies, latencies)) for top1, ms in theirs)


def _faster_by_levels(ours: Points, theirs: Points) -> float:
    return max(ms / min(m for t, m in ours if t >= top1) for top1, ms in theirs)


def _points_nearby(ours: Points, theirs: Points, within: float) -> float:
    """0 where no level is near one of theirs."""
    nearby = (a - top1 for top1, ms in theirs for a, m in ours if abs(m / ms - 1) <= within)
    return max(nearby, default=0.0)


def _points_on_the_line(ours: Points, theirs: Points) -> float:
    accuracies, latencies = _columns(ours)
    return max(float(np.interp(ms, latencies, accuracies)) - top1 for top1, ms in theirs)
