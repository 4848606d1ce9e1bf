"""What a mutation by unit may change, as columns of a space: depths and blocks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.places import Place, units
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace


@frozen(eq=False)
class Part:
    """A unit of a space, or genes that are in none.

    Attributes:
        depth: column of the gene that says how many blocks are used; None where it has none.
        blocks: columns that a block is drawn by, for each block; one or more of them.
        used: (options of the depth, blocks) whether a block is used; one row without a depth.
    """

    depth: int | None
    blocks: tuple[tuple[int, ...], ...]
    used: NDArray[np.bool_]


def parts_of(geometry: Geometry) -> tuple[Part, ...]:
    """The units of a geometry, then each group's genes that are in no unit, as a part of its own.

    Every gene but the image size is in exactly one part.
    """
    space = geometry.space
    found, seen = [], {RESOLUTION}
    for unit in units(geometry):
        depth = unit.depth if unit.depth not in seen else None
        seen |= {depth} if depth is not None else set()
        within = [p for p in unit.places if p.own]
        shared = sorted({c for p in unit.places for c in p.shared} - seen)
        seen |= {c for p in within for c in p.own} | set(shared)
        count = 1 if depth is None else len(space.genes[depth].options)
        columns = [_used(p, depth, count) for p in within] + [[True] * count for _ in shared]
        blocks = (*(p.own for p in within), *((c,) for c in shared))
        used = np.array(columns, dtype=bool).reshape(len(blocks), count).T
        if blocks or depth is not None:
            found.append(Part(depth, blocks, used))
    return (*found, *_left(space, seen))


def _used(place: Place, depth: int | None, count: int) -> list[bool]:
    """For each option of the depth, whether the place holds a block."""
    if depth is None or depth not in place.shared:
        return [True] * count
    held = {i for o in place.options if o.used for i in o.allowed[depth]}
    return [i in held for i in range(count)]


def _left(space: SearchSpace, seen: set[int]) -> list[Part]:
    """The genes of a group that no unit has: each is drawn as a block is."""
    left = [tuple(c for c in group if c not in seen) for group in space.groups]
    return [
        Part(None, tuple((c,) for c in columns), np.ones((1, len(columns)), dtype=bool))
        for columns in left
        if columns
    ]


def mutated(
    space: SearchSpace,
    parts: Sequence[Part],
    parents: Genes,
    chance: float,
    generator: np.random.Generator,
) -> Genes:
    """One child of each parent: in each unit, with some probability, one block is changed.

    A block is added (the unit is one option deeper, its new blocks drawn), removed (one option
    shallower) or swapped for another; each of what is possible is equally likely. An image size
    is drawn anew with the same probability. Mills et al., CIKM 2021.

    Args:
        parents: (n, genes), canonical. chance: of a unit.

    Returns:
        (n, genes), canonical.
    """
    children = np.array(parents, copy=True)
    fresh = space.sample(len(parents), generator)
    moved = generator.random(len(parents)) < chance
    children[moved, RESOLUTION] = fresh[moved, RESOLUTION]
    for part in parts:
        rows = np.flatnonzero(generator.random(len(parents)) < chance)
        _change(space, part, children, fresh, rows, generator)
    return space.canonical(children)


def _change(
    space: SearchSpace,
    part: Part,
    children: Genes,
    fresh: Genes,
    rows: NDArray[np.intp],
    generator: np.random.Generator,
) -> None:
    """Add, remove or swap a block of one unit, in place."""
    depth = np.zeros(len(rows), np.intp) if part.depth is None else children[rows, part.depth]
    most = 0 if part.depth is None else int(space.sizes[part.depth]) - 1
    swappable = [b for b, cs in enumerate(part.blocks) if space.sizes[list(cs)].prod() > 1]
    able = np.zeros(part.used.shape, dtype=bool)
    able[:, swappable] = part.used[:, swappable]
    possible = np.stack([depth < most, depth > 0, able[depth].any(axis=1)], axis=1)
    kind = _pick(possible, generator)
    block = _pick(able[depth], generator)
    for number, columns in enumerate(part.blocks):
        swapped = (kind == _SWAP) & (block == number)
        added = np.zeros(len(rows), dtype=bool)
        if part.depth is not None:
            deeper = np.minimum(depth.astype(np.intp) + 1, most)
            added = (kind == _ADD) & part.used[deeper, number] & ~part.used[depth, number]
        here = rows[added]
        children[here[:, None], list(columns)] = fresh[here[:, None], list(columns)]
        _swap(space, children, rows[swapped], columns, generator)
    if part.depth is not None:
        step = (kind == _ADD).astype(np.int64) - (kind == _REMOVE)
        children[rows, part.depth] = (depth + step).astype(np.uint8)


_ADD, _REMOVE, _SWAP = range(3)


def _pick(possible: NDArray[np.bool_], generator: np.random.Generator) -> NDArray[np.intp]:
    """(n, kinds) -> (n,) one possible kind of each, equally likely; -1 where none is."""
    if not possible.shape[1]:
        return np.full(len(possible), -1)
    drawn = np.where(possible, generator.random(possible.shape), -1.0)
    return np.where(possible.any(axis=1), drawn.argmax(axis=1), -1)


def _swap(
    space: SearchSpace,
    children: Genes,
    rows: NDArray[np.intp],
    columns: tuple[int, ...],
    generator: np.random.Generator,
) -> None:
    """Another combination of a block's genes, every one but the present equally likely."""
    shape = tuple(int(s) for s in space.sizes[list(columns)])
    total = int(np.prod(shape))
    if total < 2 or not len(rows):
        return
    present = np.ravel_multi_index(children[rows][:, list(columns)].T.astype(np.intp), shape)
    other = (present + generator.integers(1, total, size=len(rows))) % total
    children[rows[:, None], list(columns)] = np.stack(np.unravel_index(other, shape), axis=1)
