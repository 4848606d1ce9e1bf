"""MOOFA's balanced draws: the same number of networks in each of several ranges of a cost.

Uniform draws over-represent large networks, and a predictor that is fitted on them is poor where
memory is tight. Source: MOOFA (2024), the set on which its accuracy predictors were fitted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.builtin import costs
from ofa_plugins_core.chain import Counting, largest, smallest
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import SeparableCost, Supernet
from ofa_plugins_core.values import RESOLUTION, Genes

MAX_TRIES: Final = 300
"""Draws per network wanted before a range of a summed cost is given up."""


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


@frozen(eq=False)
class _Range:
    """One range of the cost.

    Attributes:
        low, high: it holds what is more than ``low`` and at most ``high``.
        within: per image size, the networks up to ``low`` and those up to ``high``, counted.
    """

    low: float
    high: float
    within: tuple[tuple[Counting, Counting], ...]

    @property
    def counts(self) -> list[int]:
        """Networks in the range, per image size."""
        return [most.total - least.total for least, most in self.within]


@frozen(eq=False, slots=False)
class Balanced:
    """The same number of networks in each range of a cost.

    Where the cost is a maximum, networks of a range are drawn directly, each network of any image
    size equally likely, by exact counts. Where it is a sum, uniform draws are sorted into ranges,
    with an end to the tries. A range that holds no network is left out.
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
        space, sizes = self.supernet.space, self.supernet.resolutions
        tables = [self.cost.separable(size) for size in sizes]
        low = min(smallest(space, t)[0] for t in tables) if self.low is None else self.low
        high = max(largest(space, t)[0] for t in tables) if self.high is None else self.high
        if not 1 <= self.ranges <= 1000 or not low < high:
            raise UsageError(
                f"balanced: {self.ranges} ranges of {self.cost.name} from {low:g} to {high:g} "
                "cannot be filled"
            )
        return np.linspace(low, high, self.ranges + 1)

    @cached_property
    def _is_maximum(self) -> bool:
        return self.cost.separable(self.supernet.resolutions[0]).reduce == "max"

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n architectures: (n, genes), canonical, sorted by range.

        Where n does not divide evenly the first ranges hold one more.

        Raises:
            UsageError: no range holds a network, or one was not filled within bounded tries.
        """
        draw = self._direct if self._is_maximum else self._sorted_in
        none = np.zeros((0, len(self.supernet.space.genes)), np.uint8)
        return np.concatenate([none, *draw(n, generator)])

    # ---------------------------------------------------------------- a maximum: drawn directly

    @cached_property
    def _filled(self) -> list[_Range]:
        """The ranges that hold a network."""
        space = self.supernet.space
        starts = [np.nextafter(self.edges[0], -np.inf), *self.edges[1:-1]]
        tables = [self.cost.separable(size) for size in self.supernet.resolutions]
        counted = {
            edge: [Counting.of(space, [(t, edge)]) for t in tables]
            for edge in (*starts, self.edges[-1])
        }
        found = [
            _Range(a, b, tuple(zip(counted[a], counted[b], strict=True)))
            for a, b in zip(starts, self.edges[1:], strict=True)
        ]
        return [r for r in found if sum(r.counts)]

    def _direct(self, n: int, generator: np.random.Generator) -> Iterator[Genes]:
        if not self._filled:
            raise UsageError(
                f"balanced: no network of {self.supernet.name} has {self.cost.name} between "
                f"{self.edges[0]:g} and {self.edges[-1]:g}"
            )
        for part, count in zip(self._filled, shares(n, len(self._filled)), strict=True):
            weights = np.array(part.counts, dtype=float)
            sizes = np.sort(generator.choice(len(weights), size=count, p=weights / weights.sum()))
            for size, (least, most) in enumerate(part.within):
                genes = most.draw_beyond(least, int((sizes == size).sum()), generator)
                genes[:, RESOLUTION] = size
                yield genes

    # ---------------------------------------------------------------- a sum: sorted into ranges

    def _sorted_in(self, n: int, generator: np.random.Generator) -> Sequence[Genes]:
        space, wanted = self.supernet.space, shares(n, self.ranges)
        kept: list[list[Genes]] = [[] for _ in wanted]
        missing = np.array(wanted)
        counting = Counting.of(space)
        for _ in range(MAX_TRIES):
            if not missing.any():
                return [rows for part in kept for rows in part]
            genes = counting.draw(max(n, 64), generator)
            genes[:, RESOLUTION] = generator.integers(0, len(space.resolutions), size=len(genes))
            place = self._place(self.cost.evaluate(genes))
            for number in np.flatnonzero(missing):
                rows = genes[place == number][: missing[number]]
                kept[number].append(rows)
                missing[number] -= len(rows)
        first = int(np.argmax(missing > 0))
        raise UsageError(
            f"balanced: {self.cost.name} between {self.edges[first]:g} and "
            f"{self.edges[first + 1]:g} was reached too rarely by uniform draws",
            advice="fewer ranges, or other ends: --set balanced.low=… --set balanced.high=…",
        )

    def _place(self, values: NDArray[Any]) -> NDArray[np.intp]:
        """(n,) number of the range of each value; -1 outside."""
        inside = (values >= self.edges[0]) & (values <= self.edges[-1])
        place = np.maximum(np.searchsorted(self.edges, values, side="left") - 1, 0)
        return np.where(inside, place, -1)


def shares(n: int, parts: int) -> list[int]:
    """n in so many nearly equal whole parts, larger ones first."""
    return [n // parts + (i < n % parts) for i in range(parts)]


def balanced(supernet: Supernet, options: BalancedOptions) -> Balanced:
    """The sampler ``balanced``."""
    entry = next(e for e in costs.entries() if e.name == options.cost)
    cost = entry.build(supernet, entry.options())
    assert isinstance(cost, SeparableCost)  # all computed costs are
    return Balanced(supernet, cost, options.ranges, options.low, options.high)
