"""The job ``ofa run population``: measured networks of two supernets at equal cost.

It tests what CompOFA (ICLR 2021) claims of its population: that it is more accurate on average at
equal latency, and denser. Only measured accuracies take part: a predictor of one supernet scores
that supernet's weights, and says nothing of another's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log10
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from compofa.population.comparing import (
    IN_BIN,
    LEAST,
    Cloud,
    Estimate,
    Numbers,
    Values,
    at_equal_cost,
    bin_edges,
    binned_gaps,
    estimated,
    in_bins,
    near_front,
    shared_range,
)
from compofa.population.options import PopulationOptions
from compofa.population.records import Population, populations
from compofa.population.result import Best, Bin, Gap, PopulationResult
from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.report.canvas import can_draw

BOUNDS: Final = 5
"""Bounds that are taken where none are given."""
PLOT: Final = "population.svg"

Edges: TypeAlias = Mapping[int | None, Values]
"""Image size (None: all together, the last) -> ends of its bins."""


def run_population(context: JobContext, options: PopulationOptions) -> PopulationResult:
    """Compare two populations of measured networks.

    Raises:
        UsageError: names or options that do not fit together, or nothing that can be compared.
        MissingExtraError: a plot is asked for, and matplotlib is not installed.
        InputError: a file is missing or broken, or holds too few networks.
    """
    if context.out is not None and context.out.suffix in runs.FILES:
        raise UsageError(f"a comparison is kept in a folder, and {context.out} is named as a file")
    if options.plot and not can_draw():  # before the work, not after
        raise MissingExtraError("drawing", "ofa-plugins-core", "plot")
    if context.resume and context.out is not None and context.out.exists():
        context.listener(Notice("a comparison starts anew: it keeps nothing to go on with"))
    ours, theirs, left_out = populations(context, options)
    sizes = _comparable(context, ours, theirs)
    if not sizes:
        raise InputError(
            f"too few networks to compare: a curve takes {LEAST} of each supernet at one image "
            f"size, found {len(ours.top1)} and {len(theirs.top1)} in all"
        )
    # all image sizes at once only where that is more than the one
    groups: list[int | None] = [*sizes, None] if len(sizes) > 1 else [*sizes]
    edges = {g: bin_edges(ours.cloud.at(g), theirs.cloud.at(g), options.bins) for g in groups}
    found = estimated(
        lambda a, b: asked(a, b, edges, options.near),
        ours.cloud,
        theirs.cloud,
        options.draws,
        np.random.Generator(np.random.PCG64([context.seed, 0])),
        context.listener,
    )
    result = PopulationResult(
        run=context.out,
        ours=ours,
        theirs=theirs,
        left_out=left_out,
        near_points=options.near,
        draws=options.draws,
        best=[_best(bound, ours, theirs) for bound in _bounds(options, ours, theirs)],
        gaps=[_gap(g, ours.cloud, theirs.cloud, found) for g in groups],
        bins=[b for g in groups for b in _bins(g, edges[g], ours.cloud, theirs.cloud, found)],
        near=(
            *near_front(ours.cloud, theirs.cloud, options.near, edges[groups[-1]]),
            found["near"],
        ),
    )
    if options.plot and context.out is not None:
        _draw(result, sizes, context.out)
    return result


def _comparable(context: JobContext, ours: Population, theirs: Population) -> list[int]:
    """Image sizes with networks enough for a curve."""
    found = []
    for size in ours.supernet.resolutions:
        counts = [len(p.cloud.at(size)) for p in (ours, theirs)]
        low, high = shared_range(ours.cloud.at(size), theirs.cloud.at(size))
        if min(counts) >= LEAST and low < high:
            found.append(size)
        elif min(counts) < LEAST:
            said = f"{counts[0]} and {counts[1]} networks are too few for a curve ({LEAST})"
            context.listener(Notice(f"{size} px: {said}"))
        else:
            context.listener(Notice(f"{size} px: the two have no costs in common"))
    return found


# ------------------------------------------------------------------------------- what is estimated


def asked(ours: Cloud, theirs: Cloud, edges: Edges, near: float) -> Numbers:
    """Everything that is estimated, by name; the names say the image size, None for all."""
    found: Numbers = {}
    for group, ends in edges.items():
        here = ours.at(group), theirs.at(group)
        found |= {f"{name} {group}": v for name, v in at_equal_cost(*here).items()}
        gaps, mean = binned_gaps(*here, ends)
        found |= {f"bin {group} {n}": v for n, v in enumerate(gaps.tolist())}
        found[f"binned {group}"] = mean
    *_, last = edges.values()
    shares = near_front(ours, theirs, near, last)
    return found | {"near": shares[0] - shares[1]}


def _gap(group: int | None, ours: Cloud, theirs: Cloud, found: dict[str, Estimate]) -> Gap:
    here = ours.at(group), theirs.at(group)
    return Gap(
        image_size=group,
        networks=(len(here[0]), len(here[1])),
        range=shared_range(*here),
        mean=found[f"mean {group}"],
        binned=found[f"binned {group}"],
        first=found[f"first {group}"],
        last=found[f"last {group}"],
        spreads=(found[f"ours {group}"].value, found[f"theirs {group}"].value),
        tighter=found[f"tighter {group}"],
    )


def _bins(
    group: int | None, edges: Values, ours: Cloud, theirs: Cloud, found: dict[str, Estimate]
) -> list[Bin]:
    """The bins in which both have networks enough."""
    if not len(edges):
        return []
    both = [in_bins(c.at(group), edges) for c in (ours, theirs)]
    counts = np.stack([networks for networks, _ in both], axis=1)
    means = np.stack([mean for _, mean in both], axis=1)
    return [
        Bin(
            group,
            float(edges[n]),
            float(edges[n + 1]),
            (int(counts[n, 0]), int(counts[n, 1])),
            (float(means[n, 0]), float(means[n, 1])),
            found[f"bin {group} {n}"],
        )
        for n in np.flatnonzero(counts.min(axis=1) >= IN_BIN)
    ]


# ------------------------------------------------------------------------------- the best


def _bounds(options: PopulationOptions, ours: Population, theirs: Population) -> list[float]:
    """Those that were asked for, or some over what both populations reach, in round numbers."""
    if options.bounds is not None:
        return sorted(set(options.bounds))
    low, high = shared_range(ours.cloud, theirs.cloud)
    digits = 1 - floor(log10(abs(high) or 1.0))
    return sorted({round(float(b), digits) for b in np.linspace(low, high, BOUNDS)})


def _best(bound: float, ours: Population, theirs: Population) -> Best:
    both = ours, theirs
    rows = [np.flatnonzero(p.cost <= bound) for p in both]
    best = [
        None if not len(r) else int(r[np.argmax(p.top1[r])])
        for p, r in zip(both, rows, strict=True)
    ]
    return Best(bound, (best[0], best[1]), (len(rows[0]), len(rows[1])))


def _draw(result: PopulationResult, sizes: Sequence[int], folder: Path) -> None:
    from compofa.population.drawing import population_plot

    population_plot(result, sizes, folder / PLOT)
