"""Statistics over every network of a space, in closed form: nothing is drawn.

For separable quantities alone (see ``ofa_plugins_core.separable``). Means and standard deviations
of sums are exact but for floating point; a maximum's whole distribution is; least and greatest
values are. A sum's quantiles, and the mean of an accuracy that is a link of a sum, come from its
distribution on a grid of steps: a term between two of them is shared between both, and what that
can do to the mean is given with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from block_profile.profiling.elimination import Elimination, Moments, Odds, Product, Range
from block_profile.profiling.profile import Statistic
from ofa_plugins_core.interfaces import Link
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.values import SearchSpace

Floats = NDArray[np.float64]

STEPS: Final = 2**12
"""Values of a sum that are told apart."""
QUANTILES: Final = (0.01, 0.05, 0.95, 0.99)


@frozen(eq=False)
class Distribution:
    """What values a metric has, with which probability.

    Attributes:
        values: (n,) increasing. odds: (n,) their probabilities.
        mean, variance: exact where ``error`` is 0. low, high: the ends.
        error: how far off the mean may be at most.
    """

    values: Floats
    odds: Floats
    mean: float
    variance: float
    low: float
    high: float
    error: float = 0.0


def mixed(parts: Sequence[Distribution]) -> Statistic:
    """The statistics of networks of several image sizes, each size equally likely."""
    mean = float(np.mean([p.mean for p in parts]))
    variance = float(np.mean([p.variance + (p.mean - mean) ** 2 for p in parts]))
    low, high = min(p.low for p in parts), max(p.high for p in parts)
    values = np.concatenate([p.values for p in parts])
    odds = np.concatenate([p.odds for p in parts]) / len(parts)
    order = np.argsort(values, kind="stable")
    below = np.cumsum(odds[order])
    places = np.searchsorted(below, np.array(QUANTILES) - 1e-12)
    found = np.clip(values[order][np.minimum(places, len(values) - 1)], low, high).tolist()
    error = float(np.mean([p.error for p in parts]))
    deviation = float(np.sqrt(max(variance, 0.0)))
    return Statistic(mean, deviation, found[0], found[1], found[2], found[3], low, high, error)


@frozen(eq=False, slots=False)
class ExactSum:
    """A sum, and what a link makes of it, at one image size."""

    space: SearchSpace
    quantity: Separable
    link: Link | None = None

    def __call__(self, odds: Odds, changed: Sequence[int] | None = None) -> Distribution:
        """Its distribution, as ``Elimination`` takes the arguments."""
        low, high = self._range(odds, changed)
        low, high = float(low), float(high)
        values, shares = self._values, self._shares(odds, changed)
        if self.link is None:
            _, mean, half = self._moments(odds, changed)
            variance = float(max(2 * half - mean * mean, 0.0))
            return Distribution(values, shares, float(mean + self._offset), variance, low, high)
        linked = np.asarray(self.link.forward(values), dtype=float)
        ends = self.link.forward(np.array([low, high]))
        mean = float(shares @ linked)
        variance = float(shares @ (linked - mean) ** 2)
        return Distribution(
            linked, shares, mean, variance, float(ends[0]), float(ends[1]), self._linked_error
        )

    @cached_property
    def _constant(self) -> float:
        return float(sum(float(f.table[()]) for f in self.quantity.factors if not f.genes))

    @cached_property
    def _terms(self) -> list[Factor]:
        return [f for f in self.quantity.factors if f.genes]

    @cached_property
    def _means(self) -> list[float]:
        return [float(np.mean(f.table)) for f in self._terms]

    @property
    def _offset(self) -> float:
        """What the centred terms lack: a mean square of small numbers keeps its digits."""
        return self._constant + sum(self._means)

    @cached_property
    def _moments(self) -> Elimination:
        centred = [
            Factor(f.name, f.genes, f.table - m)
            for f, m in zip(self._terms, self._means, strict=True)
        ]
        return Elimination.of(self.space, centred, Moments())

    @cached_property
    def _range(self) -> Elimination:
        return Elimination.of(self.space, self.quantity.factors, Range(np.add))

    @cached_property
    def _least(self) -> float:
        return self._constant + sum(float(f.table.min()) for f in self._terms)

    @cached_property
    def _step(self) -> float:
        span = sum(float(f.table.max()) - float(f.table.min()) for f in self._terms)
        return span / (STEPS - 1 - len(self._terms)) or 1.0

    @cached_property
    def _values(self) -> Floats:
        return np.asarray(self._least + self._step * np.arange(STEPS), dtype=np.float64)

    @cached_property
    def _placed(self) -> list[tuple[Floats, Floats]]:
        """Of each term the step at or below each value, and how far on to the next it lies."""
        exact = [(f.table - f.table.min()) / self._step for f in self._terms]
        return [(np.floor(e), e - np.floor(e)) for e in exact]

    @cached_property
    def _waves(self) -> Elimination:
        """The characteristic function; a value between two steps is shared between them.

        So the sum's mean stays what it is, and what a link makes of it is off by its curvature
        over a step alone.
        """
        turns = -2j * np.pi * np.arange(STEPS // 2 + 1) / STEPS
        on = np.exp(turns)
        waves = [
            np.exp(step[..., None] * turns) * (1 - part[..., None] + part[..., None] * on)
            for step, part in self._placed
        ]
        factors = [Factor(f.name, f.genes, w) for f, w in zip(self._terms, waves, strict=True)]
        return Elimination.of(self.space, factors, Product(lambda wave: wave))

    def _shares(self, odds: Odds, changed: Sequence[int] | None) -> Floats:
        if not self._terms:
            return np.asarray(np.eye(1, STEPS)[0], dtype=np.float64)
        found = np.fft.irfft(self._waves(odds, changed), STEPS)
        return np.asarray(np.maximum(found, 0.0), dtype=np.float64)

    @cached_property
    def _linked_error(self) -> float:
        """By how much the mean of what the link makes of the sum may be off.

        A value shared between steps n and n + 1 in parts 1 - p and p varies by p (1 - p) steps²;
        half of all of that, times the link's curvature.
        """
        assert self.link is not None
        varies = sum(float((part * (1 - part)).max()) for _, part in self._placed)
        linked = np.asarray(self.link.forward(self._values), dtype=float)
        return 0.5 * varies * float(np.abs(np.diff(linked, 2)).max())


@frozen(eq=False, slots=False)
class ExactMaximum:
    """A maximum at one image size: its whole distribution."""

    space: SearchSpace
    quantity: Separable

    def __call__(self, odds: Odds, changed: Sequence[int] | None = None) -> Distribution:
        """Its distribution, as ``Elimination`` takes the arguments."""
        below = np.clip(self._below(odds, changed), 0.0, 1.0)
        shares = np.diff(below, prepend=0.0)
        there = np.flatnonzero(shares > 1e-15)
        values, shares = self.bounds[there], shares[there]
        mean = float(shares @ values)
        variance = float(shares @ (values - mean) ** 2)
        low, high = float(values[0]), float(values[-1])
        return Distribution(values, shares, mean, variance, low, high)

    @cached_property
    def bounds(self) -> Floats:
        """Every value that a term has, increasing."""
        found = np.unique(np.concatenate([np.ravel(f.table) for f in self.quantity.factors]))
        return np.asarray(found, dtype=float)

    @cached_property
    def _below(self) -> Elimination:
        """The probability that the maximum is at most each of the bounds."""
        return Elimination.of(
            self.space,
            self.quantity.factors,
            Product(lambda t: (np.asarray(t)[..., None] <= self.bounds).astype(float)),
        )

    @cached_property
    def _under(self) -> Elimination:
        """As ``_below``, but less than each bound."""
        return Elimination.of(
            self.space,
            self.quantity.factors,
            Product(lambda t: (np.asarray(t)[..., None] < self.bounds).astype(float)),
        )

    def holders(self, odds: Odds) -> list[tuple[str, float, float]]:
        """(place, probability that it holds the maximum, that it alone does) of each factor."""
        self._below(odds)
        self._under(odds)
        found = []
        for number, factor in enumerate(self.quantity.factors):
            here = (np.asarray(factor.table)[..., None] == self.bounds).astype(float)
            held, alone = (
                float(np.sum(others.replaced(number, here)))
                for others in (self._below, self._under)
            )
            found.append((factor.name, held, alone))
        return found


def exact_of(
    space: SearchSpace, quantity: Separable, link: Link | None = None
) -> ExactSum | ExactMaximum:
    """How a separable quantity is summed at one image size."""
    if quantity.reduce == "sum":
        return ExactSum(space, quantity, link)
    assert link is None, "a score is a sum"
    return ExactMaximum(space, quantity)
