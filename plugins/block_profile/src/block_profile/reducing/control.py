"""A random smaller space of the same size as another: what any reduction would do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

import numpy as np

from block_profile.reducing.standings import Choice
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.places import Place, places, units
from ofa_plugins_core.reduction.choices import left_by
from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
from ofa_plugins_core.reduction.supernet import ReducedSupernet, reduced

TRIES: Final = 100


def random_control(
    supernet: Supernet, reduction: Reduction, generator: np.random.Generator, name: str
) -> ReducedSupernet:
    """A supernet of which as many options were dropped as by a reduction, but other ones.

    Where the reduction drops the same blocks at all places with the same options, so does the
    control; elsewhere each place loses as many as it does there. As many units lose as many
    depths, drawn from those with as many; further genes lose as many options.

    Raises:
        UsageError: the options hang together so that no draw can be applied.
    """
    geometry = supernet.geometry()
    for _ in range(TRIES):
        drops = _drops(geometry, reduction, generator)
        keeps = _keeps(geometry, reduction, generator)
        source = f"a random control for {reduction.name}: as many options are dropped"
        try:
            return reduced(supernet, Reduction(name, drop=drops, keep=keeps, source=source))
        except UsageError:
            continue
    raise UsageError(
        f"no random control for {reduction.name}: {TRIES} draws dropped what hangs together",
        advice="ofa run contest --control names a space of your own",
    )


def dropped_at(place: Place, drops: Iterable[Drop]) -> list[Choice]:
    """What a reduction drops at a place."""
    here = [d for d in drops if d.unit in (None, place.unit) and d.layer in (None, place.layer)]
    used = [o.choice for o in place.options if o.used]
    return [c for c in used if any(d.block.items() <= dict(c).items() for d in here)]


def _drops(
    geometry: Geometry, reduction: Reduction, generator: np.random.Generator
) -> tuple[Drop, ...]:
    found: list[Drop] = []
    for group in _alike(places(geometry)):
        gone = [dropped_at(place, reduction.drop) for place in group]
        if all(g == gone[0] for g in gone):
            drawn = _some(group[0], len(gone[0]), generator)
            found += [Drop(dict(c), p.unit, p.layer) for p in group for c in drawn]
            continue
        for place, lost in zip(group, gone, strict=True):
            drawn = _some(place, len(lost), generator)
            found += [Drop(dict(c), place.unit, place.layer) for c in drawn]
    return tuple(found)


def _alike(there: Sequence[Place]) -> list[list[Place]]:
    """Places with the same used options together."""
    return [list(group) for _, group in groupby(sorted(there, key=_blocks), _blocks)]


def _blocks(place: Place) -> list[Choice]:
    return sorted(o.choice for o in place.options if o.used)


def _some(place: Place, count: int, generator: np.random.Generator) -> list[Choice]:
    used = [o.choice for o in place.options if o.used]
    rows = generator.choice(len(used), size=count, replace=False)
    return [used[int(r)] for r in sorted(rows)]


def _keeps(
    geometry: Geometry, reduction: Reduction, generator: np.random.Generator
) -> tuple[Keep, ...]:
    """Options of genes that the depths and the kept options leave, permuted or drawn anew."""
    bare = Reduction(reduction.name, depth=reduction.depth, keep=reduction.keep)
    left = left_by(geometry, bare).options
    depths = [u.depth for u in units(geometry) if u.depth is not None]
    genes = geometry.space.genes
    keeps = []
    for count in sorted({len(genes[c].options) for c in depths}):
        columns = [c for c in depths if len(genes[c].options) == count]
        numbers = [len(left.get(c, genes[c].options)) for c in columns]
        drawn = generator.permutation(numbers)
        keeps += [
            Keep(genes[c].name, genes[c].options[: int(n)])
            for c, n in zip(columns, drawn, strict=True)
            if n < count
        ]
    for column in sorted(set(left) - set(depths)):
        options = genes[column].options
        rows = generator.choice(len(options), size=len(left[column]), replace=False)
        keeps.append(Keep(genes[column].name, tuple(options[int(r)] for r in sorted(rows))))
    return tuple(keeps)
