"""What a reduction leaves of the genes: options of each, and pairs where they hang together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from attrs import frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.places import Option, Place, Unit, places, units
from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
from ofa_plugins_core.values import Number

Combination = tuple[int, ...]


@frozen(eq=False)
class Left:
    """What is left.

    Attributes:
        options: column -> option indices that are left, increasing; columns that are not here
            keep all.
        joint: columns of one place's own genes, increasing -> combinations of their option
            indices that are left, where they are no product of options.
    """

    options: Mapping[int, tuple[int, ...]]
    joint: Mapping[tuple[int, ...], tuple[Combination, ...]]


def left_by(geometry: Geometry, reduction: Reduction) -> Left:
    """Apply a reduction to a geometry's genes.

    Raises:
        UsageError: it names what the space does not have, leaves nothing, or drops what cannot
            be dropped alone.
    """
    all_places = places(geometry)
    options = _kept(geometry, reduction)
    joint: dict[tuple[int, ...], tuple[Combination, ...]] = {}
    matched = [False] * len(reduction.drop)
    for place in all_places:
        dropped = []
        for number, drop in enumerate(reduction.drop):
            if drop.unit not in (None, place.unit) or drop.layer not in (None, place.layer):
                continue
            hits = [o for o in place.options if _is_meant(o, drop.block)]
            matched[number] |= bool(hits)
            dropped += hits
        if dropped:
            _without(geometry, place, dropped, options, joint)
    for drop, hit in zip(reduction.drop, matched, strict=True):
        if not hit:
            raise UsageError(
                f"{geometry.space.name} has no block {drop.label}", advice=_known(all_places, drop)
            )
    return Left(options, joint)


def _is_meant(option: Option, block: Mapping[str, Number]) -> bool:
    chosen = dict(option.choice)
    return all(chosen.get(key) == value for key, value in block.items())


def _known(all_places: Sequence[Place], drop: Drop) -> str:
    """What there is at the places that are meant."""
    near = [
        p
        for p in all_places
        if drop.unit in (None, p.unit) and drop.layer in (None, p.layer) and p.unit is not None
    ]
    if not near:
        units_there = sorted({p.unit for p in all_places if p.unit is not None})
        return f"units: {', '.join(map(str, units_there)) or 'none'}, each with layers from 0"
    blocks = dict.fromkeys(" ".join(f"{k}{v}" for k, v in o.choice) for o in near[0].options)
    return f"there: {'; '.join(blocks)}"


def _kept(geometry: Geometry, reduction: Reduction) -> dict[int, tuple[int, ...]]:
    """Column -> options that depths and kept options leave."""
    found: dict[int, tuple[int, ...]] = {}
    for keep in (*_depths(geometry, reduction), *reduction.keep):
        column = _column(geometry, keep)
        known = geometry.space.genes[column].options
        if strange := [o for o in keep.options if o not in known]:
            raise UsageError(
                f"{keep.gene} of {geometry.space.name} has no option "
                f"{', '.join(map(str, strange))}; options: {', '.join(map(str, known))}"
            )
        left = tuple(i for i, o in enumerate(known) if o in keep.options)
        _narrow(geometry, found, column, left, keep.label)
    return found


def _depths(geometry: Geometry, reduction: Reduction) -> list[Keep]:
    """The greatest depths as options of genes."""
    if not reduction.depth:
        return []
    there = units(geometry)
    if len(reduction.depth) != len(there):
        raise UsageError(
            f"depth: {geometry.space.name} has {len(there)} units, found "
            f"{len(reduction.depth)} depths"
        )
    pairs = zip(there, reduction.depth, strict=True)
    return [_at_most(geometry, unit, most) for unit, most in pairs if most is not None]


def _at_most(geometry: Geometry, unit: Unit, most: Number) -> Keep:
    if unit.depth is None:
        raise UsageError(
            f"depth: unit {unit.number} of {geometry.space.name} has no choice of depth",
            advice="write null for it",
        )
    gene = geometry.space.genes[unit.depth]
    left = tuple(o for o in gene.options if o <= most)
    if not left:
        raise UsageError(
            f"depth: unit {unit.number} of {geometry.space.name} has no depth of at most {most}; "
            f"options: {', '.join(map(str, gene.options))}"
        )
    return Keep(gene.name, left)


def _column(geometry: Geometry, keep: Keep) -> int:
    names = [g.name for g in geometry.space.genes]
    if keep.gene not in names[1:]:
        raise UsageError(
            f"{geometry.space.name} has no gene {keep.gene!r}; genes: {', '.join(names[1:])}"
        )
    return names.index(keep.gene)


def _narrow(
    geometry: Geometry,
    options: dict[int, tuple[int, ...]],
    column: int,
    left: Sequence[int],
    why: str,
) -> None:
    """Leave only some of a gene's options, of those that are left already."""
    gene = geometry.space.genes[column]
    before = options.get(column, tuple(range(len(gene.options))))
    after = tuple(i for i in before if i in left)
    if not after:
        raise UsageError(f"nothing would be left of {gene.name} of {geometry.space.name}: {why}")
    options[column] = after


def _without(
    geometry: Geometry,
    place: Place,
    dropped: Sequence[Option],
    options: dict[int, tuple[int, ...]],
    joint: dict[tuple[int, ...], tuple[Combination, ...]],
) -> None:
    """Drop blocks of one place: of its own genes, and of shared ones where nothing else is left."""
    there = _combinations(place, place.options)
    gone = _combinations(place, dropped)
    left = {s: own - gone.get(s, frozenset()) for s, own in there.items()}
    empty = [s for s, own in left.items() if not own]
    remaining = [s for s in there if s not in empty]
    for axis, column in enumerate(place.shared):
        values = {s[axis] for s in empty} - {s[axis] for s in remaining}
        if not values:
            continue
        kept = [i for i in range(len(geometry.space.genes[column].options)) if i not in values]
        _narrow(geometry, options, column, kept, _why(place, dropped))
        empty = [s for s in empty if s[axis] not in values]
    alike = {left[s] for s in remaining}
    if empty or len(alike) > 1:
        raise UsageError(
            f"{place.label} of {geometry.space.name}: {_why(place, dropped)} cannot be dropped "
            "alone: its choice is tied to other places' (depth or width)",
            advice="drop it with every kernel, or the depth or width that it comes with",
        )
    if alike:
        _leave(geometry, place, alike.pop(), options, joint)


def _combinations(
    place: Place, options: Sequence[Option]
) -> dict[Combination, frozenset[Combination]]:
    """Combination of the shared genes' options -> those of the place's own that give a block."""
    found: dict[Combination, set[Combination]] = {}
    for option in options:
        own = list(product(*(option.allowed[c] for c in place.own)))
        for shared in product(*(option.allowed[c] for c in place.shared)):
            found.setdefault(shared, set()).update(own)
    return {shared: frozenset(own) for shared, own in found.items()}


def _why(place: Place, dropped: Sequence[Option]) -> str:
    return f"{', '.join(o.label for o in dropped)} at {place.label}"


def _leave(
    geometry: Geometry,
    place: Place,
    kept: frozenset[Combination],
    options: dict[int, tuple[int, ...]],
    joint: dict[tuple[int, ...], tuple[Combination, ...]],
) -> None:
    """Leave these combinations of a place's own genes, of those that other rules leave."""
    limits = [options.get(c) for c in place.own]
    within = {
        own
        for own in kept
        if all(limit is None or i in limit for i, limit in zip(own, limits, strict=True))
    }
    if not within:
        raise UsageError(f"nothing would be left at {place.label} of {geometry.space.name}")
    columns = [tuple(sorted(set(column))) for column in zip(*within, strict=True)]
    for column, left in zip(place.own, columns, strict=True):
        _narrow(geometry, options, column, left, place.label)
    if set(product(*columns)) != within:
        joint[place.own] = tuple(sorted(within))
