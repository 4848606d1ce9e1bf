"""Non-dominated points, and how to show fewer of them: pure functions on arrays.

Every column of a point is minimised; negate what is to be maximised.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Points = NDArray[Any]  # (n, objectives), minimised
Rows = NDArray[np.intp]

_BLOCK: Final = 256
_ELITE: Final = 48

_MOST_STEPS: Final = 200_000_000
"""Distances that are worth a good choice; beyond them a grid chooses."""


def non_dominated(points: Points) -> Rows:
    """Rows of the points that no other point beats or equals in every objective.

    Of equal points the first one stays. The rows come sorted by the first objective, then by the
    second, and so on.
    """
    if not len(points):
        return np.zeros(0, dtype=np.intp)
    order = np.lexsort(points.T[::-1])
    if points.shape[1] <= 2:
        return order[_staircase(points[order, -1])]
    ranks = _ranks(points[order])
    kept = _distinct(ranks)
    kept = kept[_survives_elite(ranks[kept])]
    kept = kept[_survives_blocks(ranks[kept])]
    return order[kept]


def comparable(points: Points) -> Points:
    """Points without the noise of their last digits: sums of equal terms in another order."""
    return np.round(points.astype(float), 9)


def _staircase(values: NDArray[Any]) -> NDArray[np.bool_]:
    """Whether each value is below all before it; the points are sorted lexicographically."""
    below = np.ones(len(values), dtype=bool)
    below[1:] = values[1:] < np.minimum.accumulate(values)[:-1]
    return below


def _ranks(points: Points) -> NDArray[Any]:
    """Dense ranks a column, in the smallest type that holds them: comparing those is quick."""
    dtype = np.uint16 if len(points) < 2**16 else np.uint32
    columns = [np.unique(column, return_inverse=True)[1] for column in points.T]
    return np.stack(columns, axis=1).astype(dtype)


def _distinct(ranks: NDArray[Any]) -> Rows:
    new = np.ones(len(ranks), dtype=bool)
    new[1:] = (ranks[1:] != ranks[:-1]).any(axis=1)
    return np.flatnonzero(new)


def _beaten(by: NDArray[Any], ranks: NDArray[Any]) -> NDArray[np.bool_]:
    """(n,) whether any row of ``by`` is at most the point in every column."""
    at_most = np.ones((len(by), len(ranks)), dtype=bool)
    for column in range(ranks.shape[1]):
        at_most &= np.less_equal.outer(by[:, column], ranks[:, column])
    return np.asarray(at_most.any(axis=0))


def _survives_elite(ranks: NDArray[Any]) -> Rows:
    """Drop what a few strong points beat: most of a large crowd, at little cost."""
    if len(ranks) <= 4 * _ELITE:
        return np.arange(len(ranks))
    scaled = ranks.astype(float) / np.maximum(ranks.max(axis=0), 1)
    elite = np.argpartition(scaled.sum(axis=1), _ELITE)[:_ELITE]
    beaten = _beaten(ranks[elite], ranks)
    beaten[elite] = False
    return np.flatnonzero(~beaten)


def _survives_blocks(ranks: NDArray[Any]) -> Rows:
    """Rows of distinct, lexicographically sorted points that no earlier one beats."""
    kept = np.zeros(0, dtype=np.intp)
    for start in range(0, len(ranks), _BLOCK):
        block = np.arange(start, min(start + _BLOCK, len(ranks)))
        if len(kept):
            block = block[~_beaten(ranks[kept], ranks[block])]
        own = ranks[block]
        beats: NDArray[np.bool_] = np.all(own[:, None, :] <= own[None, :, :], axis=2)
        np.fill_diagonal(beats, False)
        kept = np.concatenate([kept, block[~beats.any(axis=0)]])
    return kept


def not_clearly_beaten(points: Points, cells: int = 2**18) -> Rows:
    """Rows that a coarse grid does not show to be beaten: quick, for crowds of any size.

    A box with a point in it beats every box that lies strictly beyond it in all objectives.

    Args:
        cells: about how many boxes the grid has.
    """
    points = points[:, np.ptp(points, axis=0) > 0]
    if not points.size:
        return np.arange(len(points))
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    side = max(2, int(cells ** (1 / points.shape[1])))
    unit = (points - low) / span
    box = tuple(np.minimum((unit * side).astype(np.intp), side - 1).T)
    beaten = np.zeros((side + 1,) * points.shape[1], dtype=bool)
    beaten[tuple(b + 1 for b in box)] = True
    for axis in range(points.shape[1]):
        np.logical_or.accumulate(beaten, axis=axis, out=beaten)
    return np.flatnonzero(~beaten[box])


def spread(points: Points, most: int) -> tuple[Rows, NDArray[np.float64]]:
    """At most ``most`` of the points, so that the dropped ones are as near to a kept one as can be.

    The best of each objective stay; then always the point that is farthest from all that are kept,
    each objective measured by its range (Gonzalez, 1985: at most twice the least distance).

    Returns:
        The rows kept, increasing, and for each objective the largest distance of a dropped point
        from the kept point that is nearest to it.
    """
    if len(points) <= most:
        return np.arange(len(points)), np.zeros(points.shape[1])
    if len(points) * most > _MOST_STEPS:
        return thin(points, most)
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    unit = np.ascontiguousarray(((points - low) / np.where(span > 0, span, 1)).T)
    away, nearest = np.full(len(points), np.inf), np.zeros(len(points), dtype=np.intp)
    ends = list(dict.fromkeys(int(row) for row in points.argmin(axis=0)))[:most]
    for number in range(most):
        row = ends[number] if number < len(ends) else int(away.argmax())
        distance = np.abs(unit - unit[:, row : row + 1]).max(axis=0)
        closer = distance < away
        away[closer], nearest[closer] = distance[closer], row
        if not away.any():
            break
    return np.unique(nearest), np.abs(points - points[nearest]).max(axis=0).astype(float)


def thin(points: Points, most: int) -> tuple[Rows, NDArray[np.float64]]:
    """At most ``most`` of the points, spread over all of them, and how far the dropped ones are.

    Points are put into boxes of a grid, each box keeps one; the best of each objective stay.

    Returns:
        The rows kept, and for each objective the largest distance of a dropped point from the
        kept point of its box.
    """
    if len(points) <= most:
        return np.arange(len(points)), np.zeros(points.shape[1])
    ends = np.unique(points.argmin(axis=0))[: most - 1]  # a box has to have room, too
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    unit = (points - low) / np.where(span > 0, span, 1)
    few, many = 1, 2 * most
    while few < many:
        middle = (few + many + 1) // 2
        if len(np.unique(_boxes(unit, middle))) + len(ends) <= most:
            few = middle
        else:
            many = middle - 1
    return _one_a_box(points, _boxes(unit, few), ends)


def _boxes(unit: NDArray[np.float64], cells: int) -> NDArray[np.int64]:
    """(n,) number of each point's box in a grid of ``cells`` a side."""
    index = np.minimum((unit * cells).astype(np.int64), cells - 1)
    box = index[:, 0]
    for column in index.T[1:]:
        box = np.unique(box, return_inverse=True)[1] * np.int64(cells) + column
    return box


def _one_a_box(
    points: Points, box: NDArray[np.int64], ends: Rows
) -> tuple[Rows, NDArray[np.float64]]:
    _, first, inverse = np.unique(box, return_index=True, return_inverse=True)
    kept = np.union1d(first, ends)
    away = np.abs(points - points[first[inverse]]).astype(float)
    away[kept] = 0
    return kept, away.max(axis=0)
