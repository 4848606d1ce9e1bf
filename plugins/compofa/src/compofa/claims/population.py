"""What measured accuracies say of CompOFA's networks beside Once-for-All's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from compofa.population.comparing import Cloud, shared_range
from compofa.population.jobs import run_population
from compofa.population.options import PopulationOptions
from compofa.population.result import PUBLISHED, Gap, PopulationResult
from ofa_plugins_core import Checked, Comparison, JobContext

BOUNDS: Final = (15.0, 20.0, 25.0, 30.0, 35.0)
"""ms on the Note10: CompOFA's list of targets, and one more."""
DRAWS: Final = 1_000
FEW: Final = 100
"""Draws where no interval is told."""
LABELS: Final = 0.72
"""Points: one standard error of the difference of two labels of different files, as estimates of
ImageNet's top-1: 0.6 of CompOFA's file, 0.4 of Once-for-All's."""
GRANTED: Final = (
    f"{LABELS} points is one standard error of the difference of two labels of different files."
)
OFA: Final = "Once-for-All"
LEVEL: Final = "no difference"

GO: Final = (
    "Accuracies measured by MOOFA's authors, at 160 and 192 pixels; latencies by the published "
    "table of the Note10, rows of wider networks (published convention)."
)


def best(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The most accurate network that was measured under each latency."""
    found = _compared(context, files, FEW)
    rows = [_best(found, number) for number in range(len(found.best))]
    return Checked(rows, f"{GO} {GRANTED} {_ahead_in(rows)}")


def _ahead_in(rows: Sequence[Comparison]) -> str:
    """Where the gap is more than what is granted: elsewhere neither is ahead."""
    gaps = [
        float(row.ours) - float(row.against)
        for row in rows
        if isinstance(row.ours, float) and isinstance(row.against, float)
    ]
    ahead, behind = sum(g > LABELS for g in gaps), sum(g < -LABELS for g in gaps)
    level = len(gaps) - ahead - behind
    return (
        f"By more than that CompOFA is ahead under {ahead} of {len(gaps)} bounds and behind under "
        f"{behind}; under {level} neither is."
    )


def _best(found: PopulationResult, number: int) -> Comparison:
    """Ours under a bound beside theirs; where either has no record there, it says so."""
    best = found.best[number]
    both = zip((found.ours, found.theirs), best.rows, strict=True)
    ours, theirs = (None if row is None else round(float(p.top1[row]), 3) for p, row in both)
    lacking = [n for n, top1 in zip(("CompOFA", OFA), (ours, theirs), strict=True) if top1 is None]
    return Comparison(
        f"CompOFA's most accurate record, at most {best.bound:g} ms",
        ours,
        None,
        "%",
        "measured",
        "at least",
        LABELS,
        why=f"{' and '.join(lacking)}: no record under {best.bound:g} ms" if lacking else "",
        against=theirs,
        beside=f"{OFA}'s",
    )


def parity(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """How far Once-for-All's front of measured networks is above CompOFA's, at any latency."""
    found = _compared(context, files, FEW)
    ours, theirs = found.ours.cloud, found.theirs.cloud
    low, high = shared_range(ours, theirs)
    gaps = front_gaps(ours, theirs, low, high)
    least = float(gaps.min())
    matched = float(np.mean(gaps >= 0))
    return Checked(
        [
            Comparison(
                f"CompOFA's front above Once-for-All's, at the least, {low:.1f} to {high:.1f} ms",
                round(least, 3),
                None,
                "points",
                "measured",
                "at least",
                LABELS,
                against=0.0,
                beside=LEVEL,
            ),
            Comparison(
                "the same on average", round(float(gaps.mean()), 3), None, "points", "measured",
                "at least", against=0.0, beside=LEVEL,
            ),
            Comparison(
                f"networks of Once-for-All's front ({len(gaps)}) that CompOFA's matches",
                round(100 * matched, 1), None, "%", "measured", "shown",
            ),
        ],
        f"{GO} At each network of Once-for-All's measured front: the most accurate network of "
        f"CompOFA's that is no slower, less it. {GRANTED}",
        "" if least >= 0 else f"it lies above by {-least:.3f} points somewhere, and that the error "
        "of two labels is granted is ours",
    )  # fmt: skip


def front_gaps(ours: Cloud, theirs: Cloud, low: float, high: float) -> np.ndarray:
    """(networks of their front within the costs,) points by which ours is above it, there."""
    order = np.lexsort((-theirs.top1, theirs.cost))
    cost, top1 = theirs.cost[order], theirs.top1[order]
    before = np.concatenate([[-np.inf], np.maximum.accumulate(top1)[:-1]])
    rows = np.flatnonzero((top1 > before) & (cost >= low) & (cost <= high))
    level = [ours.top1[ours.cost <= c].max(initial=-np.inf) for c in cost[rows]]
    return np.array(level) - top1[rows]


def average(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The mean gap at equal latency, with its interval over networks."""
    found = _compared(context, files)
    middle, half = sum(PUBLISHED) / 2, (PUBLISHED[1] - PUBLISHED[0]) / 2
    return Checked(
        [_ahead(gap) for gap in found.gaps]
        + [
            Comparison(
                f"mean gap, {gap.place}, {gap.mean.low:+.2f} to {gap.mean.high:+.2f}",
                round(gap.mean.value, 3),
                round(middle, 3),
                "points",
                "measured",
                within=round(half, 3),
                why="not seen in these records, which are other networks than the figure's",
            )
            for gap in found.gaps
        ],
        f"{GO} Parabolas through both populations, subtracted at the latencies of Once-for-All's "
        f"networks; 95 % intervals from {found.draws:,} resamples of the networks, which do not "
        f"know what all networks of a file share. {'; '.join(map(_ends, found.gaps))}.",
    )


def _ends(gap: Gap) -> str:
    low, high = gap.range
    first, last = gap.first.value, gap.last.value
    return f"{gap.place}: {first:+.2f} at {low:.0f} ms to {last:+.2f} at {high:.0f} ms"


def _ahead(gap: Gap) -> Comparison:
    what = f"more accurate at all, {gap.place}: mean gap"
    value = round(gap.mean.value, 3)
    return Comparison(
        what, value, None, "points", "measured", "at least", against=0.0, beside=LEVEL
    )


def density(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Shares of both populations near the front of all records, at equal latency."""
    found = _compared(context, files)
    ours, theirs, more = found.near
    return Checked(
        [
            Comparison(
                f"share of CompOFA's networks within {found.near_points:g} point of the front",
                round(100 * ours, 1),
                None,
                "%",
                "measured",
                "at least",
                against=round(100 * theirs, 1),
                beside="Once-for-All's, of the same records",
            ),
            Comparison(
                "lower end of the difference's 95 % interval",
                round(100 * more.low, 1), None, "points", "measured", "at least",
                against=0.0, beside=LEVEL,
            ),
        ],
        f"{GO} No figure was published.",
        "what counts as near the front is not published: we took a point; within two points "
        "neither population is denser",
    )  # fmt: skip


def _compared(
    context: JobContext, files: Mapping[str, Path], draws: int | None = None
) -> PopulationResult:
    names = ("compofa_elastic", "ofa_mbv3_w1.0")
    options = PopulationOptions(
        records=tuple(f"{name}={files[f'records_{name}']}" for name in names),
        lut=(f"note10={files['note10_tables']}",),
        lut_as="ofa_mbv3_w1.2",
        bounds=BOUNDS,
        draws=draws or DRAWS,
    )
    return run_population(context, options)
