"""The Lagrangian dual of a knapsack over paths, by column generation.

Maximise value over paths whose weights stay within their bounds. A multiplier a bound prices the
weights into the value; any multipliers of 0 or more give an upper bound on every feasible network
(value - multipliers · weights, maximised over paths, plus multipliers · bounds), and the best
multipliers make it tight up to the gap of the linear relaxation. The multipliers are the shadow
prices of a small linear programme over the paths found so far (Dantzig and Wolfe, 1960), which the
revised simplex method solves with a basis of one row a bound and one more.

The multipliers live in a box that grows: an infeasible problem has an unbounded dual, and only
there does the bound fall below every network's value.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from ofa_search.exact.paths import Paths, Scores

Multipliers = NDArray[np.float64]

_ROUNDS: Final = 400
_PRECISION: Final = 1e-10


def product(left: NDArray[Any], right: NDArray[Any]) -> NDArray[Any]:
    """A matrix product over the last axis of one and the first of the other, term after term.

    BLAS adds in an order of the processor's: where all paths tie, as the price of a cost under a
    bound on itself, its rounding would decide which of them is looked at first.
    """
    total: NDArray[Any] = left[..., 0] * right[0]
    for term in range(1, len(right)):
        total = total + left[..., term] * right[term]
    return total


@frozen(eq=False)
class Relaxed:
    """The outcome of the dual.

    Attributes:
        bound: no feasible path has a larger value.
        multipliers: (bounds,) 0 or more, that prove it.
        path: the best feasible path met on the way, or None. value: its value, or -inf.
    """

    bound: float
    multipliers: Multipliers
    path: list[int] | None
    value: float


@define(eq=False)
class _Dual:
    paths: Paths
    values: Scores
    weights: NDArray[np.float64]  # (all configurations, bounds), scaled
    limits: NDArray[np.float64]  # (bounds,), scaled
    box: float
    bound: float = np.inf
    multipliers: Multipliers = field(init=False)
    path: list[int] | None = None
    value: float = -np.inf
    columns: NDArray[np.float64] = field(init=False)  # the basis, one column each
    gains: NDArray[np.float64] = field(init=False)
    missing: NDArray[np.bool_] = field(init=False)  # which basic columns are excess over a bound

    def price(self, multipliers: Multipliers) -> tuple[float, list[int]]:
        """The best path at these multipliers; improves the bound and the incumbent."""
        top, path = self.paths.best(self.values - product(self.weights, multipliers))
        if not path:
            self.bound = -np.inf
            return -np.inf, path
        bound = top + float(product(multipliers, self.limits))
        if bound < self.bound:
            self.bound, self.multipliers = bound, multipliers
        value = float(self.values[path].sum())
        if value > self.value and (self.weights[path].sum(axis=0) <= self.limits).all():
            self.path, self.value = path, value
        return top, path

    def start(self) -> bool:
        """A first basis: the most valuable path, with room or excess for each bound."""
        count = len(self.limits)
        self.multipliers = np.zeros(count)
        _, path = self.price(np.zeros(count))
        if not path:
            return False
        used = self.weights[path].sum(axis=0)
        over = used > self.limits
        self.columns = np.diag(np.append(np.where(over, -1.0, 1.0), 1.0))
        self.columns[:count, count] = used
        self.gains = np.append(np.where(over, -self.box, 0.0), float(self.values[path].sum()))
        self.missing = np.append(over, False)
        return True

    def rounds(self, enough: float) -> None:
        """Simplex steps until the multipliers are best for the box, or the bound is enough."""
        right = np.append(self.limits, 1.0)
        for _ in range(_ROUNDS):
            inverse = np.linalg.inv(self.columns)
            shadow = product(self.gains, inverse)
            basic = product(inverse, right)
            entering = self._entering(shadow)
            if self.bound <= enough or entering is None:
                return
            column, gain, excess = entering
            gap = self.bound - float(product(self.gains, basic))
            if gap <= _PRECISION * max(1.0, abs(self.bound)):
                return
            step = product(inverse, column)
            ratios = np.full(len(step), np.inf)
            np.divide(np.maximum(basic, 0), step, out=ratios, where=step > 1e-12)
            leaving = int(ratios.argmin())
            if not np.isfinite(ratios[leaving]):
                return
            self.columns[:, leaving] = column
            self.gains[leaving], self.missing[leaving] = gain, excess

    def _entering(self, shadow: Multipliers) -> tuple[NDArray[np.float64], float, bool] | None:
        """A column that improves the programme: room, excess, or a path."""
        prices = shadow[:-1]
        unit = np.zeros(len(shadow))
        low, high = int(prices.argmin()), int(prices.argmax())
        if prices[low] < -1e-9:
            unit[low] = 1.0
            return unit, 0.0, False
        if prices[high] > self.box * (1 + 1e-9):
            unit[high] = -1.0
            return unit, -self.box, True
        top, path = self.price(np.clip(prices, 0.0, self.box))
        if not path or top - shadow[-1] <= _PRECISION * max(1.0, abs(top)):
            return None
        return np.append(self.weights[path].sum(axis=0), 1.0), float(self.values[path].sum()), False

    def short(self) -> bool:
        """Whether the programme still exceeds a bound: the box has to grow."""
        basic = np.linalg.solve(self.columns, np.append(self.limits, 1.0))
        return bool((basic[self.missing] > 1e-9).any())

    def grow(self, factor: float) -> None:
        self.box *= factor
        self.gains[self.missing] *= factor


def relax(
    paths: Paths,
    values: Scores,
    weights: NDArray[np.float64],
    limits: NDArray[np.float64],
    enough: float,
) -> Relaxed:
    """Solve the Lagrangian dual.

    Args:
        values: (all configurations,) to be maximised along a path.
        weights: (all configurations, bounds); limits: (bounds,) on their sums.
        enough: stop as soon as the bound is at most this.

    The bound is valid wherever the iteration stops: rounding can make it loose, never wrong.
    """
    scale = np.maximum(np.abs(limits), np.abs(weights).max(axis=0, initial=0.0))
    scale[scale == 0] = 1.0
    least = -paths.best(-values)[0]
    box = 4.0 * max(1e-9, float(np.ptp(values)) if len(values) else 1.0)
    dual = _Dual(paths, values, weights / scale, limits / scale, box)
    if not dual.start():
        return Relaxed(-np.inf, np.zeros(len(limits)), None, -np.inf)
    floor = max(enough, least - 1e-6 * max(1.0, abs(least)))
    for _ in range(60):
        dual.rounds(floor)
        if dual.bound <= floor or not dual.short():
            break
        dual.grow(8.0)
    found = _rounded(np.where(dual.multipliers > 1e-12 * box, dual.multipliers, 0.0) / scale)
    return Relaxed(dual.bound, found, dual.path, dual.value)


def _rounded(multipliers: Multipliers) -> Multipliers:
    """To 36 binary digits: any multipliers give a bound, and a price of 1 should be 1 exactly.

    A processor's own rounding in the programme's basis is gone with it: which of many paths that
    tie is looked at first must not depend on it.
    """
    digits, exponents = np.frexp(multipliers)
    rounded: Multipliers = np.ldexp(np.round(digits * 2.0**36) / 2.0**36, exponents)
    return rounded
