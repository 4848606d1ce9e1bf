"""A block forced at a place: a map on every gene, so that random networks stay independent genes.

A drawn option that leads to the block stays; another is raised to the next one that does, and where
none is above, to the largest. Rule ``paper`` is the published code's: of a unit's depth it raises
only to the forced layer's number, one block too few, so that a layer 2 of depths 2, 3 and 4 is
inactive in a third of the networks and a layer 3 in two thirds. Rule ``strict`` makes it active in
all (Mills et al., CIKM 2021, section 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from block_profile.profiling.profile import Forced, Rule
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.places import Option, Place, Unit
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace

Floats = NDArray[np.float64]


@frozen(eq=False)
class Demand:
    """One thing that is forced.

    Attributes:
        forced: as the profile says it. label: as the row does.
        allowed: column of a gene -> indices of the options that give it, increasing.
        depth: column of the unit's depth where the rule ``paper`` raises it too little, or None.
    """

    forced: Forced
    label: str
    allowed: Mapping[int, tuple[int, ...]]
    depth: int | None = None


def block_demand(place: Place, option: Option, unit: Unit | None) -> Demand:
    """A block at a place of a unit; of None for what comes before the units."""
    forced = Forced(
        kind="block",
        unit=place.unit,
        layer=place.layer,
        place=place.name,
        choice=dict(option.choice),
        used=option.used,
        label=option.label,
    )
    depth = unit.depth if unit is not None and _free(unit) else None
    return Demand(forced, f"{place.label} as {option.label}", option.allowed, depth)


def _free(unit: Unit) -> bool:
    """Whether each place's blocks are all had by the same depths, namely those from some one on."""
    if unit.depth is None:
        return False
    sets = [{option.allowed.get(unit.depth, ()) for option in p.options} for p in unit.places]
    allowed = [next(iter(found)) for found in sets if len(found) == 1]
    last = max((max(options, default=-1) for options in allowed), default=-1)
    steady = all(a and a == tuple(range(a[0], last + 1)) for a in allowed)
    return steady and len(allowed) == len(sets)


def depth_demands(unit: Unit, space: SearchSpace) -> list[Demand]:
    """A unit at each of its depths; () where it has but one."""
    if unit.depth is None:
        return []
    gene = space.genes[unit.depth]
    counts = _used_counts(unit, len(gene.options))
    return [
        Demand(
            Forced("depth", unit.number, None, gene.name, {"depth": count}, True, f"depth {count}"),
            f"Unit {unit.number} depth {count}",
            {unit.depth: (index,)},
        )
        for index, count in enumerate(counts)
    ]


def _used_counts(unit: Unit, options: int) -> list[int]:
    """How many places of a unit are used at each option of its depth.

    A place without a say of the depth is always used.
    """
    assert unit.depth is not None
    used = [
        {i for o in p.options if o.used for i in o.allowed.get(unit.depth, range(options))}
        for p in unit.places
    ]
    return [sum(index in found for found in used) for index in range(options)]


@frozen(eq=False)
class Forcing:
    """What is forced in a row, and what that makes of each gene.

    Attributes:
        demands: all at once.
        label: of the row.
        maps: column -> the option that each drawn option becomes; other genes stay.
        allowed: column -> options with which all demands are met.
    """

    demands: tuple[Demand, ...]
    label: str
    maps: Mapping[int, NDArray[np.uint8]]
    allowed: Mapping[int, tuple[int, ...]]

    def apply(self, genes: Genes) -> Genes:
        """(n, genes) as drawn -> (n, genes) as forced, not canonical yet."""
        out = np.array(genes, copy=True)
        for column, options in self.maps.items():
            out[:, column] = options[genes[:, column]]
        return out

    def met(self, genes: Genes) -> NDArray[np.bool_]:
        """(n,) whether everything forced is there, of genes as ``apply`` gives them."""
        met = np.ones(len(genes), dtype=bool)
        for column, options in self.allowed.items():
            met &= np.isin(genes[:, column], options)
        return met

    def odds(self, space: SearchSpace) -> list[Floats]:
        """For each gene the probability of each of its options; the resolution's are even."""
        found = [np.full(len(gene.options), 1 / len(gene.options)) for gene in space.genes]
        for column, options in self.maps.items():
            found[column] = np.bincount(options, found[column], len(found[column]))
        return found

    def chance(self, space: SearchSpace) -> float:
        """Probability that everything forced is there."""
        odds = self.odds(space)
        return float(prod(odds[c][list(options)].sum() for c, options in self.allowed.items()))


NOTHING = Forcing((), "", {}, {})
"""Nothing is forced."""


def forcing_of(demands: Sequence[Demand], space: SearchSpace, rule: Rule) -> Forcing:
    """Demands that are forced together.

    Raises:
        UsageError: two of them exclude each other; names both, and the gene.
    """
    allowed: dict[int, tuple[int, ...]] = {}
    for demand in demands:
        for column, options in demand.allowed.items():
            before = allowed.get(column, options)
            allowed[column] = tuple(o for o in options if o in before)
            if not allowed[column]:
                _refuse(demand, demands, column, space)
    lenient = {d.depth for d in demands if d.depth is not None} if rule == "paper" else set()
    maps = {
        column: _raised(options, len(space.genes[column].options), int(column in lenient))
        for column, options in allowed.items()
        if column != RESOLUTION and len(options) < len(space.genes[column].options)
    }
    label = " and ".join(demand.label for demand in demands)
    return Forcing(tuple(demands), label, maps, allowed)


def _raised(allowed: Sequence[int], options: int, short: int) -> NDArray[np.uint8]:
    """What each option becomes; ``short``: raised to so many options below the first allowed."""
    targets = [allowed[0] - short, *allowed]  # below 0 it is no option, and none is raised to it
    found = [
        option if option in targets else next((t for t in targets if t > option), targets[-1])
        for option in range(options)
    ]
    return np.array(found, dtype=np.uint8)


def _refuse(demand: Demand, demands: Iterable[Demand], column: int, space: SearchSpace) -> None:
    others = [
        d.label
        for d in demands
        if d is not demand
        and not set(d.allowed.get(column, demand.allowed[column])) & set(demand.allowed[column])
    ]
    against = others[0] if others else "the others"
    raise UsageError(
        f"{demand.label} and {against} exclude each other: both decide {space.genes[column].name}",
        advice="force them in rows of their own: --blocks once for each",
    )
