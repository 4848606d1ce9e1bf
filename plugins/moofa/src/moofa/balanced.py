"""MOOFA's balanced draws: the same number of networks in each of several ranges of a cost.

Uniform draws over-represent large networks, and a predictor that is fitted on them is poor where
memory is tight. Source: MOOFA (2024), the set on which its accuracy predictors were fitted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.builtin import costs
from ofa_plugins_core.chain import Counting, largest, smallest
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.interfaces import CostModel, SeparableCost, Supernet
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.summed import Summed
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace

MAX_ROUNDS: Final = 30
"""Rounds of proposals before a range of a summed cost is given up."""

FIRST_LOOK: Final = 100
"""Proposals by which it is seen whether a range of a summed cost holds a network."""

LOOKS: Final = 10


@frozen
class BalancedOptions:
    """Options of ``balanced``; MOOFA drew between 250,000 and 800,000 items."""

    cost: str = field(
        default="peak_memory",
        metadata={"help": "cost whose ranges are filled: any sum or maximum of tables"},
    )
    ranges: int = field(default=15, metadata={"help": "how many ranges of equal length"})
    low: float | None = field(default=None, metadata={"help": "start; default: the least there is"})
    high: float | None = field(default=None, metadata={"help": "end; default: the most there is"})


@frozen(eq=False, slots=False)
class Balanced:
    """The same number of networks in each range of a cost; networks of a range equally likely.

    Where the cost is a maximum, networks of a range are drawn directly, by exact counts. A sum is
    counted by its values. Where it has few, it is exact too; else draws come from the range
    widened by half a step for each term (of 16,384 steps), and those beside it are drawn again:
    two or three of a hundred with fifteen ranges, more where they are very narrow. A range in which
    there is no network is left out.
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
        if not 1 <= self.ranges <= 1000:
            raise UsageError(f"balanced: expected 1 to 1000 ranges, found {self.ranges}")
        if low == high:
            raise UsageError(
                f"balanced: the ranges of {self.cost.name} begin and end at {low:g}",
                advice="where all networks cost the same, balance over another cost, for example "
                "flops",
            )
        if not low < high:
            raise UsageError(
                f"balanced: ranges of {self.cost.name} from {low:g} to {high:g} end before they "
                "begin",
                advice="give --low below --high",
            )
        return np.linspace(low, high, self.ranges + 1)

    @cached_property
    def _tables(self) -> list[Separable]:
        return [self.cost.separable(size) for size in self.supernet.resolutions]

    @cached_property
    def _kind(self) -> _Counting | _Summing:
        starts = [np.nextafter(self.edges[0], -np.inf), *self.edges[1:-1]]
        ends = list(zip(map(float, starts), map(float, self.edges[1:]), strict=True))
        kind = _counting if self._tables[0].reduce == "max" else _summing
        return kind(self.supernet.space, self._tables, ends)

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n architectures: (n, genes), canonical, sorted by range.

        Where n does not divide evenly the first ranges hold one more.

        Raises:
            UsageError: no range holds a network, or one was reached too rarely.
        """
        parts = self._kind.drawn(n, generator)
        if not parts:
            raise UsageError(
                f"balanced: no network of {self.supernet.name} was found with {self.cost.name} "
                f"between {self.edges[0]:g} and {self.edges[-1]:g}"
            )
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


@frozen(eq=False)
class _Counting:
    """The ranges of a maximum."""

    ranges: Sequence[_Counted]

    def drawn(self, n: int, generator: np.random.Generator) -> list[Genes]:
        """n networks in all, range by range; a range without any is left out."""
        filled = [r for r in self.ranges if sum(r.counts)]
        counts = shares(n, len(filled)) if filled else []
        return [r.draw(count, generator) for r, count in zip(filled, counts, strict=True)]


def _counting(
    space: SearchSpace, tables: Sequence[Separable], ends: Sequence[tuple[float, float]]
) -> _Counting:
    counted = {
        edge: [Counting.of(space, [(table, edge)]) for table in tables]
        for edge in sorted({edge for pair in ends for edge in pair})
    }
    return _Counting([_Counted(tuple(zip(counted[a], counted[b], strict=True))) for a, b in ends])


# ------------------------------------------------------------------------------- a sum


@frozen(eq=False)
class _Range:
    """Networks of a sum that is more than ``low`` and at most ``high``.

    Attributes:
        low, high: its ends.
        log_counts: to base 2: what is proposed at each image size, a little more than it holds.
    """

    low: float
    high: float
    log_counts: tuple[float, ...]

    @property
    def promising(self) -> bool:
        """Whether anything is proposed."""
        return max(self.log_counts) > -np.inf

    def split(self, n: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """(sizes,) how many of n proposals are of each image size."""
        logs = np.array(self.log_counts)
        weights = np.exp2(logs - logs.max())
        return np.asarray(generator.multinomial(n, weights / weights.sum()))

    def kept(self, table: Separable, genes: Genes) -> Genes:
        """Those of one image size that lie inside."""
        values = table.evaluate(genes)
        return genes[(values > self.low) & (values <= self.high)]


@frozen(eq=False)
class _Summing:
    """The ranges of a sum.

    The counts of an image size take some ten megabytes: they are made anew for each round of
    draws, one image size after the other, and not kept.
    """

    space: SearchSpace
    tables: Sequence[Separable]
    ranges: Sequence[_Range]

    def drawn(self, n: int, generator: np.random.Generator) -> list[Genes]:
        """n networks in all, range by range; a range without any is left out."""
        pools = self._looked(generator)
        filled = [number for number, pool in enumerate(pools) if len(pool)]
        wanted = dict(zip(filled, shares(n, len(filled)), strict=True)) if filled else {}
        for _ in range(MAX_ROUNDS):
            missing = {k: w - len(pools[k]) for k, w in wanted.items() if len(pools[k]) < w}
            if not missing:
                return [pools[number][:count] for number, count in wanted.items()]
            # A range that was narrow for its steps keeps little: ever more is proposed.
            self._add(pools, {k: 16 + m + m // 8 for k, m in missing.items()}, generator)
        narrow = self.ranges[next(iter(missing))]
        raise UsageError(
            f"balanced: costs between {narrow.low:g} and {narrow.high:g} are reached too rarely",
            advice="fewer ranges, or other ends: --low and --high",
        )

    def _looked(self, generator: np.random.Generator) -> list[Genes]:
        """First draws of each range; none where none was found."""
        pools = [np.zeros((0, len(self.space.genes)), np.uint8) for _ in self.ranges]
        for _ in range(LOOKS):
            unseen = {
                number: FIRST_LOOK
                for number, found in enumerate(self.ranges)
                if found.promising and not len(pools[number])
            }
            if not unseen:
                break
            self._add(pools, unseen, generator)
        return pools

    def _add(
        self, pools: list[Genes], counts: Mapping[int, int], generator: np.random.Generator
    ) -> None:
        """Propose so many for each range, and add what lies inside, in an order by chance."""
        splits = {number: self.ranges[number].split(n, generator) for number, n in counts.items()}
        found: dict[int, list[Genes]] = {number: [] for number in counts}
        top = self.ranges[-1].high
        for index, table in enumerate(self.tables):
            if not any(split[index] for split in splits.values()):
                continue
            summed = Summed.of(self.space, table, top)
            for number, split in splits.items():
                if not split[index]:
                    continue
                here = self.ranges[number]
                genes = summed.propose(here.low, here.high, int(split[index]), generator)
                genes[:, RESOLUTION] = index
                found[number].append(here.kept(table, genes))
        for number, parts in found.items():
            pools[number] = np.concatenate(
                [pools[number], generator.permutation(np.concatenate(parts))]
            )


def _summing(
    space: SearchSpace, tables: Sequence[Separable], ends: Sequence[tuple[float, float]]
) -> _Summing:
    logs = []
    for table in tables:
        summed = Summed.of(space, table, ends[-1][1])
        logs.append([summed.log_count(low, high) for low, high in ends])
    ranges = [
        _Range(low, high, tuple(size[number] for size in logs))
        for number, (low, high) in enumerate(ends)
    ]
    return _Summing(space, tables, ranges)


def shares(n: int, parts: int) -> list[int]:
    """n in so many nearly equal whole parts, larger ones first."""
    return [n // parts + (i < n % parts) for i in range(parts)]


def balanced(
    supernet: Supernet, options: BalancedOptions, cost: CostModel | None = None
) -> Balanced:
    """The sampler ``balanced``.

    Args:
        cost: the model of ``options.cost``; one of the core's own is made here, if None.

    Raises:
        UsageError: the cost is no sum or maximum of tables.
    """
    found = _own(supernet, options.cost) if cost is None else cost
    if not isinstance(found, SeparableCost):
        raise UsageError(
            f"balanced: {options.cost} is no sum or maximum of tables, so that there is no way "
            "to draw inside its ranges",
            advice="balance over a cost that is, for example peak_memory or flops; or draw "
            "architectures yourself and give them with --archs FILE",
        )
    return Balanced(supernet, found, options.ranges, options.low, options.high)


def _own(supernet: Supernet, name: str) -> CostModel:
    found = {e.name: e for e in costs.entries()}
    if name not in found:
        raise UnknownNameError("cost", name, found)
    return found[name].build(supernet, found[name].options())
