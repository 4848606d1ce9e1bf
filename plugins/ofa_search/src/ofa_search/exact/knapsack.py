"""The most valuable path within bounds on its weights, proven: a multiple-choice knapsack.

The Lagrangian dual gives multipliers under which most configurations cannot be part of anything
better than a network that is known already; what is left is joined piece by piece, dropping every
part that its own bound, a bound on a weight, or another part of the same state rules out. Parts
are treated in portions, the most promising first, so that memory is bounded and a better network
is met early; every portion is finished, so the result is optimal whatever the numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.pareto import non_dominated
from ofa_search.exact.dual import Multipliers, Relaxed, product, relax
from ofa_search.exact.paths import Index, Paths, Scores

Accept = Callable[[list[int]], bool]

TOLERANCE: Final = 1e-12
"""Values that differ by less, relative to the largest, count as equal."""

_PORTION: Final = 2**17
_FIRST_PORTION: Final = 2**12
_COMPARED: Final = 4096


@frozen(eq=False)
class Knapsack:
    """Maximise ``values`` along a path whose ``weights`` stay within ``limits``.

    Attributes:
        paths: what is left of each piece.
        values: (all configurations,). weights: (all configurations, bounds).
        limits: (bounds,).
        origin: (all configurations,) number of each one before anything was dropped.
    """

    paths: Paths
    values: Scores
    weights: NDArray[np.float64]
    limits: NDArray[np.float64]
    origin: Index

    @classmethod
    def of(
        cls, paths: Paths, values: Scores, weights: NDArray[np.float64], limits: NDArray[np.float64]
    ) -> Knapsack:
        """A knapsack over all configurations of a chain."""
        return cls(paths, values, weights, limits, np.arange(len(values)))

    def keep(self, chosen: NDArray[np.bool_]) -> Knapsack:
        """Only the chosen configurations."""
        if chosen.all():
            return self
        return Knapsack(
            self.paths.keep(chosen),
            self.values[chosen],
            self.weights[chosen],
            self.limits,
            self.origin[chosen],
        )

    def within(self) -> Knapsack:
        """Without the configurations that exceed a bound even with the lightest company."""
        found = self
        for column in range(len(self.limits)):
            if found.paths.empty:
                return found
            least = -found.paths.through(-found.weights[:, column])
            found = found.keep(least <= self.limits[column])
        return found

    def above(self, multipliers: Multipliers, least: float) -> Knapsack:
        """Only what can be part of a path whose value is above ``least``."""
        if self.paths.empty:
            return self
        bound = self.paths.through(self.values - product(self.weights, multipliers))
        return self.keep(bound + product(multipliers, self.limits) > least)


@define(eq=False)
class Incumbent:
    """The best path so far.

    Attributes:
        least: only values above this are of interest.
        path: configurations by their original number, or None.
        accept: the last word on a candidate: whether it really meets the bounds.
        step: improvements of less are of no interest.
    """

    least: float
    accept: Accept
    step: float = 0.0
    path: list[int] | None = None

    def offer(self, value: float, path: list[int]) -> bool:
        """Take the path if it is better and really meets the bounds."""
        if value <= self.floor() or not self.accept(path):
            return False
        self.least, self.path = value, path
        return True

    def floor(self) -> float:
        """What a value has to exceed to be of interest, rounding allowed for."""
        if not np.isfinite(self.least):
            return self.least
        return self.least + max(self.step, TOLERANCE * max(1.0, abs(self.least)))


def solve(
    knapsack: Knapsack,
    best: Incumbent,
    listener: Listener = silent,
    relaxed: Relaxed | None = None,
) -> Incumbent:
    """Find the most valuable path; its ``path`` stays None where none is better than it was.

    Args:
        best: is improved, so that it holds what was found when an interruption comes.
        relaxed: the dual's outcome where it is known already.
    """
    left = knapsack.within()
    if left.paths.empty:
        return best
    for _ in range(2):
        source = left if relaxed is None else knapsack
        found = relaxed or relax(left.paths, left.values, left.weights, left.limits, best.floor())
        relaxed = None
        if found.path is not None:
            best.offer(found.value, source.origin[found.path].tolist())
        left = left.above(found.multipliers, best.floor()).within()
        if left.paths.empty:
            return best
        before = best.least
        _Join(left, found.multipliers, best, listener).run(_FIRST_PORTION, first_only=True)
        if best.least > before:
            left = left.above(found.multipliers, best.floor()).within()
        if left.paths.empty or len(left.values) < 400:
            break
    if not left.paths.empty:
        _Join(left, found.multipliers, best, listener).run(_PORTION)
    return best


@frozen(eq=False)
class _Parts:
    """Paths from the start to some border.

    Attributes:
        state: (n,) at the border. value: (n,). weight: (n, bounds).
        picks: (n, pieces so far) configurations.
    """

    state: Index
    value: Scores
    weight: NDArray[np.float64]
    picks: Index

    def take(self, rows: Index) -> _Parts:
        return _Parts(self.state[rows], self.value[rows], self.weight[rows], self.picks[rows])


@define(eq=False)
class _Join:
    """Joins configurations piece by piece, best portion first."""

    sack: Knapsack
    multipliers: Multipliers
    best: Incumbent
    listener: Listener
    priced: Scores = field(init=False)
    ahead: list[Scores] = field(init=False)
    lightest: list[list[Scores]] = field(init=False)
    heaviest: list[list[Scores]] = field(init=False)
    constant: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        sack, paths = self.sack, self.sack.paths
        self.priced = sack.values - product(sack.weights, self.multipliers)
        self.constant = float(product(self.multipliers, sack.limits))
        self.ahead = paths.remaining(self.priced)
        columns = range(len(sack.limits))
        self.lightest = [[-r for r in paths.remaining(-sack.weights[:, j])] for j in columns]
        self.heaviest = [paths.remaining(sack.weights[:, j]) for j in columns]

    def run(self, portion: int, first_only: bool = False) -> None:
        """Join everything; or only go down once, for a first network."""
        width = len(self.sack.limits)
        root = _Parts(
            np.zeros(1, np.intp), np.zeros(1), np.zeros((1, width)), np.zeros((1, 0), np.intp)
        )
        stack, done = [(0, root)], 0
        while stack:
            number, parts = stack.pop()
            parts = self._promising(number, parts)
            if not len(parts.state):
                continue
            if number == len(self.sack.paths.links):
                self._finish(parts)
                if first_only:
                    return
                continue
            now = max(1, portion // max(1, len(self.sack.paths.links[number].before)))
            if len(parts.state) > now:
                stack.append((number, parts.take(np.arange(now, len(parts.state)))))
                parts = parts.take(np.arange(now))
            stack.append((number + 1, self._extend(number, parts)))
            done += 1
            if done % 64 == 0:
                self.listener(Progress("branches", done, done + len(stack)))

    def _promising(self, number: int, parts: _Parts) -> _Parts:
        """Parts that can still become better than the best, the most promising first."""
        bound = (
            parts.value - product(parts.weight, self.multipliers) + self.ahead[number][parts.state]
        )
        rows = np.flatnonzero(bound + self.constant > self.best.floor())
        return parts.take(rows[np.argsort(-bound[rows], kind="stable")])

    def _extend(self, number: int, parts: _Parts) -> _Parts:
        """Every part with every configuration that its state allows and that can still win."""
        link, start = self.sack.paths.links[number], self.sack.paths.offsets[number]
        reach = self.priced[start : start + len(link.before)] + self.ahead[number + 1][link.after]
        owed = parts.value - product(parts.weight, self.multipliers)
        floor = self.best.floor() - self.constant
        found: list[tuple[Index, Index]] = []
        for state in np.flatnonzero(np.bincount(parts.state)):
            low, high = np.searchsorted(link.before, [state, state + 1])
            rows = np.flatnonzero(parts.state == state)
            left, right = np.nonzero(owed[rows][:, None] + reach[low:high] > floor)
            found.append((rows[left], start + low + right))
        return self._within(number + 1, parts, *map(np.concatenate, zip(*found, strict=True)))

    def _within(self, number: int, parts: _Parts, left: Index, right: Index) -> _Parts:
        sack = self.sack
        state = sack.paths.links[number - 1].after[right - sack.paths.offsets[number - 1]]
        weight = parts.weight[left] + sack.weights[right]
        ok = np.ones(len(left), dtype=bool)
        for column, limit in enumerate(sack.limits):
            ok &= weight[:, column] + self.lightest[column][number][state] <= limit
        rows = np.flatnonzero(ok)
        left, right = left[rows], right[rows]
        made = _Parts(
            state[rows],
            parts.value[left] + sack.values[right],
            weight[rows],
            np.column_stack([parts.picks[left], right]),
        )
        return made if number == len(sack.paths.links) else self._undominated(number, made)

    def _undominated(self, number: int, parts: _Parts) -> _Parts:
        """Drop parts that another of the same state beats, however both go on."""
        if len(parts.state) > 8 * _COMPARED:
            return parts
        kept = []
        for state in np.flatnonzero(np.bincount(parts.state)):
            rows = np.flatnonzero(parts.state == state)
            points = [-parts.value[rows]]
            for column, limit in enumerate(self.sack.limits):
                free = limit - self.heaviest[column][number][state]
                points.append(np.maximum(parts.weight[rows, column], free))
            kept.append(rows[non_dominated(np.stack(points, axis=1))])
        return parts.take(np.concatenate(kept)) if kept else parts

    def _finish(self, parts: _Parts) -> None:
        """Offer complete paths, the most valuable first, until one is taken."""
        for row in np.argsort(-parts.value, kind="stable"):
            if parts.value[row] <= self.best.floor():
                return
            origin = self.sack.origin[parts.picks[row]]
            if self.best.offer(float(parts.value[row]), origin.tolist()):
                return
