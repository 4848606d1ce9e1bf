"""What rows say together: of a block at any place, of a unit, of a depth, of two devices."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

import numpy as np
from attrs import frozen

from block_profile.profiling.profile import Profile, Row
from ofa_plugins_core.correlations import spearman


@frozen
class OptionEffect:
    """A block wherever it is forced.

    Attributes:
        label: of the block. places: that hold it, each once whatever the image sizes of its rows.
        mean: of the rows' means. against: the random networks' mean.
    """

    label: str
    places: int
    mean: float
    against: float


@frozen
class UnitEffect:
    """What a unit's choices do to a metric.

    Attributes:
        unit: number from 0; None for what comes before the units.
        spread: mean over its places of the largest less the smallest mean of a row.
        largest: the largest of these, at layer ``layer``.
        depths: (depth, mean) where rows force the depth.
    """

    unit: int | None
    spread: float
    largest: float
    layer: int | None
    depths: tuple[tuple[int, float], ...] = ()

    @property
    def gain(self) -> float | None:
        """What the largest depth has more than the smallest, or None."""
        return self.depths[-1][1] - self.depths[0][1] if len(self.depths) > 1 else None


def block_rows(profile: Profile) -> list[Row]:
    """Rows of one forced block each."""
    return [r for r in profile.rows if r.alone is not None and r.alone.kind == "block"]


def random_mean(profile: Profile, metric: str) -> float:
    """Mean of random networks, over image sizes where rows are of one each."""
    return fmean(r.best_known(metric).mean for r in profile.rows if not r.forced)


def by_option(profile: Profile, metric: str) -> list[OptionEffect]:
    """Each block over all places that can hold it, in the order of the rows."""
    rows, against = block_rows(profile), random_mean(profile, metric)
    labels = dict.fromkeys(r.alone.label for r in rows if r.alone)
    found = []
    for label in labels:
        own = [r for r in rows if r.alone and r.alone.label == label]
        places = {r.alone.place for r in own if r.alone}
        mean = fmean(r.best_known(metric).mean for r in own)
        found.append(OptionEffect(label, len(places), mean, against))
    return found


def by_unit(profile: Profile, metric: str) -> list[UnitEffect]:
    """Each unit, in order; those before the first in one."""
    rows = block_rows(profile)
    numbers = dict.fromkeys(r.alone.unit for r in rows if r.alone)
    depths = depth_means(profile, metric)
    for unit in depths:
        numbers.setdefault(unit)
    found = []
    for unit in numbers:
        spreads = {
            layer: max(means) - min(means) for layer, means in _layers(rows, unit, metric).items()
        }
        largest = max(spreads, key=lambda layer: spreads[layer], default=None)
        found.append(
            UnitEffect(
                unit,
                fmean(spreads.values()) if spreads else 0.0,
                spreads[largest] if largest is not None else 0.0,
                largest,
                tuple(sorted(depths.get(unit, {}).items())),
            )
        )
    return found


def _layers(rows: Iterable[Row], unit: int | None, metric: str) -> dict[int, list[float]]:
    """Layer -> its blocks' means, over image sizes where rows are of one each."""
    cells: dict[int, dict[str, list[float]]] = {}
    for row in rows:
        block = row.alone
        if block is not None and block.unit == unit and block.layer is not None:
            means = cells.setdefault(block.layer, {}).setdefault(block.label, [])
            means.append(row.best_known(metric).mean)
    return {layer: [fmean(v) for v in blocks.values()] for layer, blocks in cells.items()}


def depth_means(profile: Profile, metric: str) -> dict[int | None, dict[int, float]]:
    """Unit -> depth -> mean."""
    found: dict[int | None, dict[int, list[float]]] = {}
    for row in profile.rows:
        forced = row.alone
        if forced is not None and forced.kind == "depth":
            depth = int(forced.choice["depth"])
            means = found.setdefault(forced.unit, {}).setdefault(depth, [])
            means.append(row.best_known(metric).mean)
    return {u: {d: fmean(v) for d, v in depths.items()} for u, depths in found.items()}


def correlations(profile: Profile) -> dict[tuple[str, str], float | None]:
    """Spearman's rank correlation of the rows' means, for each pair of metrics in order."""
    rows = block_rows(profile)
    names = [m.name for m in profile.metrics]
    columns = {n: np.array([r.best_known(n).mean for r in rows]) for n in names}
    return {
        (one, two): spearman(columns[one], columns[two]) if len(rows) > 2 else None
        for number, one in enumerate(names)
        for two in names[number + 1 :]
    }


def moved(profile: Profile, metric: str, place: str) -> tuple[float, float] | None:
    """The least and the greatest shift of the random networks' mean by a block at a place."""
    against = {r.image_size: r.best_known(metric).mean for r in profile.rows if not r.forced}
    shifts = [
        r.best_known(metric).mean - against[r.image_size]
        for r in block_rows(profile)
        if r.alone is not None and r.alone.place == place
    ]
    return (min(shifts), max(shifts)) if shifts else None
