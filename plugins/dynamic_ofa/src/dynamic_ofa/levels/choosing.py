"""Which of many measured networks become levels: the front, and a few that spread over it.

Pure functions of points; a point is (accuracy, cost), accuracy the more the better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Point: TypeAlias = tuple[float, float]

TIE: Final = 1e-12
"""Of gaps that are sums of the same numbers in another order."""


def published_front(points: Sequence[Point]) -> list[int]:
    """Numbers of the points that no other beats *strictly* on both axes, by cost.

    The published filter (Dynamic-OFA, 2021): of two points of one accuracy, or of one cost, both
    stay, so more may be left than a front has.
    """
    kept = [
        number
        for number, (accuracy, cost) in enumerate(points)
        if not any(a > accuracy and c < cost for a, c in points)
    ]
    return sorted(kept, key=lambda number: (points[number][1], points[number][0]))


def strict_front(points: Sequence[Point]) -> list[int]:
    """Numbers of the points that no other equals or beats on both axes, by cost.

    Accuracy grows with cost; no two have the same of either. Of equal points the first stays.
    """
    order = sorted(range(len(points)), key=lambda n: (points[n][1], -points[n][0]))
    found: list[int] = []
    for number in order:
        if not found or points[number][0] > points[found[-1]][0]:
            found.append(number)
    return found


def spread(points: Sequence[Point], count: int) -> list[int]:
    """Numbers of so many points of a front, both ends among them, that lie evenly on it.

    The largest step from one to the next is as small as it can be, and under that the sum of the
    squared steps; a step is the distance of two points where both axes go from 0 to 1. Exact, by
    dynamic programming.

    Args:
        points: in the order of their cost.
        count: 2 or more; all points where there are not more of them.
    """
    if count < 2:
        raise ValueError(f"both ends are two points: {count} cannot be chosen")
    if len(points) <= count:
        return list(range(len(points)))
    steps = _steps(points)
    largest = _least(steps, count, np.maximum)[0]
    allowed = np.where(steps <= largest + TIE, steps**2, np.inf)
    return _least(allowed, count, np.add)[1]


def largest_step(points: Sequence[Point]) -> float:
    """From a point to the next, both axes 0 to 1."""
    return float(np.diagonal(_steps(points), 1).max(initial=0.0))


def _steps(points: Sequence[Point]) -> NDArray[np.float64]:
    """(n, n) distances from earlier points to later ones; others are infinite."""
    table = np.asarray(points, dtype=float)
    span = np.ptp(table, axis=0)
    unit = (table - table.min(axis=0)) / np.where(span > 0, span, 1)
    away = np.sqrt(((unit[:, None] - unit[None]) ** 2).sum(axis=2))
    return np.where(np.triu(np.ones_like(away), 1) > 0, away, np.inf)


def _least(steps: NDArray[np.float64], count: int, join: np.ufunc) -> tuple[float, list[int]]:
    """The path of so many points from the first to the last whose joined steps are least."""
    best = np.full(len(steps), np.inf)
    best[0] = 0.0
    before = []
    for _ in range(count - 1):
        reached = join(best[:, None], steps)
        before.append(reached.argmin(axis=0))
        best = reached.min(axis=0)
    path = [len(steps) - 1]
    for choice in reversed(before):
        path.append(int(choice[path[-1]]))
    return float(best[-1]), path[::-1]
