"""MOOFA's balanced draws: the same number of networks in each of several ranges of a cost.

Uniform draws over-represent large networks, and a predictor that is fitted on them is poor where
memory is tight. Source: MOOFA (2024), the set on which its accuracy predictors were fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.builtin import costs
from ofa_plugins_core.chain import Counting, Tilted, largest, smallest
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import SeparableCost, Supernet
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace

MAX_TRIES: Final = 500
"""Rounds of draws before a range of a summed cost is given up."""

FIRST_LOOK: Final = 500
"""Draws of a round by which it is seen whether a range of a summed cost holds a network."""


@frozen
class BalancedOptions:
    """Options of ``balanced``; MOOFA drew between 250,000 and 800,000 items."""

    cost: Literal[
        "peak_memory",
        "peak_memory_mcunet",
        "peak_memory_liveness",
        "params",
        "flops",
        "weight_bytes",
    ] = field(default="peak_memory", metadata={"help": "cost whose ranges are filled"})
    ranges: int = field(default=15, metadata={"help": "how many ranges of equal length"})
    low: float | None = field(default=None, metadata={"help": "start; default: the least there is"})
    high: float | None = field(default=None, metadata={"help": "end; default: the most there is"})


@frozen(eq=False, slots=False)
class Balanced:
    """The same number of networks in each range of a cost; networks of a range equally likely.

    Where the cost is a maximum, networks of a range are drawn directly, by exact counts. Where it
    is a sum, draws are tilted towards the range, and kept so that they are uniform again. A range
    in which there is no network is left out.
    """

    supernet: Supernet
    cost: SeparableCost
    ranges: int = 15
    low: float | None = None
    high: float | None = None

    @cached_property
    def edges(self) -> NDArray[np.float64]:
        """(ranges + 1,) ends of the ranges; the first range includes its start.

        Raises:
            UsageError: no ranges are asked for, or they are empty.
        """
        space = self.supernet.space
        low = min(smallest(space, t)[0] for t in self._tables) if self.low is None else self.low
        high = max(largest(space, t)[0] for t in self._tables) if self.high is None else self.high
        if not 1 <= self.ranges <= 1000 or not low < high:
            raise UsageError(
                f"balanced: {self.ranges} ranges of {self.cost.name} from {low:g} to {high:g} "
                "cannot be filled"
            )
        return np.linspace(low, high, self.ranges + 1)

    @cached_property
    def _tables(self) -> list[Separable]:
        return [self.cost.separable(size) for size in self.supernet.resolutions]

    @cached_property
    def _ranges(self) -> Sequence[_Counted | _Sought]:
        starts = [np.nextafter(self.edges[0], -np.inf), *self.edges[1:-1]]
        ends = list(zip(map(float, starts), map(float, self.edges[1:]), strict=True))
        kind = _counted if self._tables[0].reduce == "max" else _sought
        return kind(self.supernet.space, self._tables, ends)

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n architectures: (n, genes), canonical, sorted by range.

        Where n does not divide evenly the first ranges hold one more.

        Raises:
            UsageError: no range holds a network, or one was reached too rarely.
        """
        filled = [r for r in self._ranges if r.holds(generator)]
        if not filled:
            raise UsageError(
                f"balanced: no network of {self.supernet.name} was found with {self.cost.name} "
                f"between {self.edges[0]:g} and {self.edges[-1]:g}"
            )
        counts = shares(n, len(filled))
        parts = [r.draw(count, generator) for r, count in zip(filled, counts, strict=True)]
        return np.concatenate(parts)


# ------------------------------------------------------------------------------- a maximum


@frozen(eq=False)
class _Counted:
    """A range of a maximum: per image size, the networks up to its start and to its end."""

    within: tuple[tuple[Counting, Counting], ...]

    @property
    def counts(self) -> list[int]:
        """Networks in the range, per image size."""
        return [most.total - least.total for least, most in self.within]

    def holds(self, generator: np.random.Generator) -> bool:
        """Whether there is a network in it; needs no chance."""
        return sum(self.counts) > 0

    def draw(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n of its networks: (n, genes)."""
        weights = np.array(self.counts, dtype=float)
        per_size = generator.multinomial(n, weights / weights.sum())
        parts = []
        for number, (least, most) in enumerate(self.within):
            genes = most.draw_beyond(least, int(per_size[number]), generator)
            genes[:, RESOLUTION] = number
            parts.append(genes)
        return np.concatenate(parts)


def _counted(
    space: SearchSpace, tables: Sequence[Separable], ends: Sequence[tuple[float, float]]
) -> list[_Counted]:
    counted = {
        edge: [Counting.of(space, [(table, edge)]) for table in tables]
        for edge in sorted({edge for pair in ends for edge in pair})
    }
    return [_Counted(tuple(zip(counted[a], counted[b], strict=True))) for a, b in ends]


# ------------------------------------------------------------------------------- a sum


@frozen(eq=False)
class _Lean:
    """Draws at one image size that lean towards a range.

    Attributes:
        table: the cost. draws: weighed by exp(tilt · cost).
        pivot: the end of the range at which a draw is always kept.
        reaches: some network's cost is not below the range, and some is not above.
    """

    table: Separable
    draws: Tilted
    tilt: float
    pivot: float
    reaches: bool

    @property
    def log_bound(self) -> float:
        """Logarithm of a bound on the networks in the range (Chernoff's)."""
        return self.draws.log_total - self.tilt * self.pivot if self.reaches else -np.inf


@frozen(eq=False)
class _Sought:
    """A range of a sum: what is more than ``low`` and at most ``high``."""

    low: float
    high: float
    leans: tuple[_Lean, ...]

    def holds(self, generator: np.random.Generator) -> bool:
        """Whether a first look finds a network in it."""
        reached = any(lean.reaches for lean in self.leans)
        return reached and any(len(self.attempt(FIRST_LOOK, generator)) for _ in range(10))

    def attempt(self, n: int, generator: np.random.Generator) -> Genes:
        """What is kept of n draws: networks of the range, each equally likely.

        Of an image size so many are drawn as its bound says: a network is then drawn and kept as
        often at one size as at another.
        """
        logs = np.array([lean.log_bound for lean in self.leans])
        weights = np.exp(logs - logs.max())
        per_size = generator.multinomial(n, weights / weights.sum())
        parts = []
        for number, lean in enumerate(self.leans):
            genes = lean.draws.draw(int(per_size[number]), generator)
            values = lean.table.evaluate(genes)
            inside = (values > self.low) & (values <= self.high)
            kept = np.exp(np.where(inside, -lean.tilt * (values - lean.pivot), -np.inf))
            genes[:, RESOLUTION] = number
            parts.append(genes[generator.random(len(genes)) < kept])
        return generator.permutation(np.concatenate(parts))

    def draw(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n of its networks: (n, genes).

        Raises:
            UsageError: tilted draws reach the range too rarely.
        """
        parts, missing = [self.attempt(0, generator)], n
        for _ in range(MAX_TRIES):
            if missing <= 0:
                break
            parts.append(self.attempt(max(4 * missing, 64), generator)[:missing])
            missing -= len(parts[-1])
        if missing > 0:
            raise UsageError(
                f"balanced: costs between {self.low:g} and {self.high:g} are reached too rarely",
                advice="fewer ranges, or other ends: --set balanced.low=… --set balanced.high=…",
            )
        return np.concatenate(parts)


def _sought(
    space: SearchSpace, tables: Sequence[Separable], ends: Sequence[tuple[float, float]]
) -> list[_Sought]:
    tilts = np.sinh(np.linspace(-7, 7, 29)) / (ends[-1][1] - ends[0][0])
    means = [_means(space, table, tilts) for table in tables]
    reach = [(smallest(space, table)[0], largest(space, table)[0]) for table in tables]
    found = []
    for low, high in ends:
        leans = []
        for table, mean, (least, most) in zip(tables, means, reach, strict=True):
            usual = float(np.interp(0, tilts, mean))
            pivot = min(max(usual, low), high)
            tilt = 0.0 if low < usual <= high else float(np.interp(pivot, mean, tilts))
            reaches = bool(least <= high and most > low)
            leans.append(_Lean(table, Tilted.of(space, table, tilt), tilt, pivot, reaches))
        found.append(_Sought(low, high, tuple(leans)))
    return found


def _means(space: SearchSpace, table: Separable, tilts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean cost of tilted draws, for each tilt: the slope of the logarithm of all weights."""
    logs = np.array([Tilted.of(space, table, tilt).log_total for tilt in tilts])
    slopes: NDArray[np.float64] = np.gradient(logs, tilts)
    return np.maximum.accumulate(slopes)


def shares(n: int, parts: int) -> list[int]:
    """n in so many nearly equal whole parts, larger ones first."""
    return [n // parts + (i < n % parts) for i in range(parts)]


def balanced(supernet: Supernet, options: BalancedOptions) -> Balanced:
    """The sampler ``balanced``."""
    entry = next(e for e in costs.entries() if e.name == options.cost)
    cost = entry.build(supernet, entry.options())
    assert isinstance(cost, SeparableCost)  # all computed costs are
    return Balanced(supernet, cost, options.ranges, options.low, options.high)
