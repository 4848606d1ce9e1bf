"""Sums over every network of a space, each with its probability, by eliminating gene after gene.

Genes are independent, with odds of their own; a separable quantity is a graph of small tables
over them. What is known of each table (its moments, its share below a bound, its range) is joined
where tables share a gene and reduced over that gene with its odds: bucket elimination, as in
``ofa_plugins_core.chain``, whose order is used. Its sweep is not: it finds ends and counts of one
space, and the way back to a network; this one carries an algebra's trailing axes and keeps every
bucket, so that what another row of a profile leaves as it is, is not worked out again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce as fold
from typing import Any, Protocol, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.chain import elimination_order
from ofa_plugins_core.separable import Factor
from ofa_plugins_core.values import SearchSpace

Array: TypeAlias = NDArray[Any]
Odds: TypeAlias = Sequence[NDArray[np.float64]]
"""For each gene the probability of each of its options."""


class Algebra(Protocol):
    """What is carried through, in trailing axes."""

    def lift(self, table: Array) -> Array:
        """(options…) terms -> (options…, tail…)."""

    def join(self, one: Array, two: Array) -> Array:
        """What two independent parts are together, given the genes that they share."""

    def reduce(self, joint: Array, axis: int, odds: NDArray[np.float64]) -> Array:
        """Without one gene, whose options have these odds."""


@frozen(eq=False)
class _Bucket:
    """One elimination: a gene, what is joined for it, and all genes that the result has seen."""

    gene: int
    scope: tuple[int, ...]
    parts: tuple[tuple[bool, int, tuple[int, ...]], ...]  # (a factor's, number, genes)
    rest: tuple[int, ...]
    seen: frozenset[int]


@frozen(eq=False, slots=False)
class Elimination:
    """A separable quantity, ready to be summed for many rows.

    Attributes:
        algebra: what is carried.
        lifted: its tables.
    """

    algebra: Algebra
    lifted: tuple[Array, ...]
    _buckets: tuple[_Bucket, ...]
    _loose: tuple[tuple[bool, int], ...]
    _base: dict[int, Array] = field(factory=dict, init=False)
    _odds: list[Any] = field(factory=list, init=False)

    @classmethod
    def of(cls, space: SearchSpace, factors: Sequence[Factor], algebra: Algebra) -> Elimination:
        """Plan the order once; the tables of a factor may be replaced (see ``replaced``)."""
        lifted = tuple(algebra.lift(f.table) for f in factors)
        open_parts = [(True, i, f.genes) for i, f in enumerate(factors) if f.genes]
        loose = [(True, i) for i, f in enumerate(factors) if not f.genes]
        buckets: list[_Bucket] = []
        for gene in elimination_order(space, factors):
            parts = tuple(p for p in open_parts if gene in p[2])
            scope = tuple(sorted({g for _, _, genes in parts for g in genes}))
            rest = tuple(g for g in scope if g != gene)
            below = (buckets[n].seen for own, n, _ in parts if not own)
            seen = frozenset({gene}).union(*below)
            open_parts = [p for p in open_parts if gene not in p[2]]
            if rest:
                open_parts.append((False, len(buckets), rest))
            else:
                loose.append((False, len(buckets)))
            buckets.append(_Bucket(gene, scope, parts, rest, seen))
        return cls(algebra, lifted, tuple(buckets), tuple(loose))

    def __call__(self, odds: Odds, changed: Sequence[int] | None = None) -> Array:
        """(tail…) of the whole quantity.

        Args:
            odds: of every gene of the space.
            changed: genes whose odds differ from those of the last call without ``changed``;
                None: all of them may.
        """
        if changed is None:
            self._base.clear()
            return self._total(odds, {}, frozenset(), frozenset())
        return self._total(odds, {}, frozenset(changed), frozenset())

    def replaced(self, factor: int, lifted: Array) -> Array:
        """(tail…) with another table for one factor; odds as in the last whole call."""
        odds: Odds = self._odds
        return self._total(odds, {factor: lifted}, frozenset(), frozenset({factor}))

    def _total(
        self,
        odds: Odds,
        tables: Mapping[int, Array],
        changed: frozenset[int],
        replaced: frozenset[int],
    ) -> Array:
        first = not self._base
        if first:
            self._odds[:] = odds
        found: dict[int, Array] = {}
        for number, bucket in enumerate(self._buckets):
            stale = (
                any(n in replaced if own else n in found for own, n, _ in bucket.parts)
                or bucket.gene in changed
            )
            if first or stale:
                found[number] = self._reduced(bucket, odds, tables, found)
        if first:
            self._base.update(found)
        ends = [
            tables.get(n, self.lifted[n]) if own else found[n] if n in found else self._base[n]
            for own, n in self._loose
        ]
        return np.asarray(fold(self.algebra.join, ends))

    def _reduced(
        self, bucket: _Bucket, odds: Odds, tables: Mapping[int, Array], found: Mapping[int, Array]
    ) -> Array:
        parts = []
        for own, number, genes in bucket.parts:
            table = tables.get(number, self.lifted[number]) if own else None
            if table is None:
                table = found[number] if number in found else self._base[number]
            parts.append(_spread(table, genes, bucket.scope))
        joint = fold(self.algebra.join, parts)
        return self.algebra.reduce(joint, bucket.scope.index(bucket.gene), odds[bucket.gene])


def _spread(table: Array, genes: Sequence[int], scope: Sequence[int]) -> Array:
    """One axis for each gene of the scope, of length 1 where it is free; the tail as it is."""
    axes = iter(table.shape[: len(genes)])
    shape = [next(axes) if g in genes else 1 for g in scope]
    return table.reshape(*shape, *table.shape[len(genes) :])


@frozen(eq=False)
class Moments:
    """Mean and mean square of a sum: series in a small parameter, cut after its square.

    The tail holds 1, the mean, and half the mean square; products of series add independent terms.
    """

    def lift(self, table: Array) -> Array:
        """(options…) -> (options…, 3)."""
        found = np.asarray(table, dtype=float)
        return np.stack([np.ones_like(found), found, found * found / 2], axis=-1)

    def join(self, one: Array, two: Array) -> Array:
        """The product of two series."""
        return np.stack(
            [
                one[..., 0] * two[..., 0],
                one[..., 0] * two[..., 1] + one[..., 1] * two[..., 0],
                one[..., 0] * two[..., 2] + one[..., 1] * two[..., 1] + one[..., 2] * two[..., 0],
            ],
            axis=-1,
        )

    def reduce(self, joint: Array, axis: int, odds: NDArray[np.float64]) -> Array:
        """The mean over a gene."""
        return weighted_sum(joint, axis, odds)


@frozen(eq=False)
class Product:
    """Means of products: of waves exp(i ω value), or of shares at most so much."""

    raised: Callable[[Array], Array]

    def lift(self, table: Array) -> Array:
        """(options…) -> (options…, tail)."""
        return self.raised(np.asarray(table))

    def join(self, one: Array, two: Array) -> Array:
        """The product, term by term."""
        return np.asarray(one * two)

    def reduce(self, joint: Array, axis: int, odds: NDArray[np.float64]) -> Array:
        """The mean over a gene."""
        return weighted_sum(joint, axis, odds)


@frozen(eq=False)
class Range:
    """Least and greatest value over what can occur at all; the tail holds both."""

    joined: Callable[[Array, Array], Array]

    def lift(self, table: Array) -> Array:
        """(options…) -> (options…, 2)."""
        return np.stack([np.asarray(table, dtype=float)] * 2, axis=-1)

    def join(self, one: Array, two: Array) -> Array:
        """Sum or maximum of both ends."""
        return np.asarray(self.joined(one, two))

    def reduce(self, joint: Array, axis: int, odds: NDArray[np.float64]) -> Array:
        """Over the options that can occur."""
        kept = np.compress(odds > 0, joint, axis=axis) if joint.shape[axis] > 1 else joint
        least, most = kept[..., 0].min(axis=axis), kept[..., 1].max(axis=axis)
        return np.stack([least, most], axis=-1)


def weighted_sum(joint: Array, axis: int, odds: NDArray[np.float64]) -> Array:
    """Without one gene: the sum over its options, each times its probability.

    Where nothing depends on the gene its axis has length 1, and its odds sum to 1.
    """
    if joint.shape[axis] == 1:
        return np.asarray(joint.sum(axis=axis))
    moved = np.moveaxis(joint, axis, 0)
    total = moved[0] * odds[0]
    for term, share in zip(moved[1:], odds[1:], strict=True):
        if share:
            total = total + term * share
    return np.asarray(total)
