"""Exact answers on separable things by eliminating genes one after the other.

A separable quantity is a graph of small tables; its minimum, its maximum under a filter, and the
number of networks under a bound all come from the same sweep: join the tables that share a gene,
reduce over that gene, go on with the joint table (bucket elimination). Along a chain of groups the
tables stay small, so 10**19 networks take some forty steps on a few hundred numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from functools import reduce as fold
from operator import mul
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.separable import Factor, Separable, Table, aligned
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace

Join = Callable[[Any, Any], Any]


@frozen(eq=False)
class _Step:
    """One elimination: the gene, the genes that the joint table still has, and the joint table."""

    gene: int
    rest: tuple[int, ...]
    joint: Table


def elimination_order(space: SearchSpace, factors: Sequence[Factor]) -> tuple[int, ...]:
    """Genes in an order that keeps the joint tables small (smallest next table first)."""
    scopes = [set(f.genes) for f in factors if f.genes]
    left = set().union(*scopes) if scopes else set()
    order: list[int] = []
    while left:
        gene = min(sorted(left), key=lambda g: _joint_size(space, scopes, g))
        joint = set().union(*(s for s in scopes if gene in s)) - {gene}
        scopes = [s for s in scopes if gene not in s] + ([joint] if joint else [])
        order.append(gene)
        left.remove(gene)
    return tuple(order)


def _joint_size(space: SearchSpace, scopes: list[set[int]], gene: int) -> int:
    joint = set().union(*(s for s in scopes if gene in s))
    return int(np.prod(space.sizes[sorted(joint)])) if joint else 1


def _eliminate(
    factors: Sequence[Factor], order: Sequence[int], join: Join, reduce: Callable[..., Any]
) -> tuple[Any, list[_Step]]:
    """Reduce over every gene; the steps allow to trace back which options gave the result."""
    constants = [f.table[()] for f in factors if not f.genes]
    tables = [(f.genes, f) for f in factors if f.genes]
    steps: list[_Step] = []
    for gene in order:
        touched = [f for genes, f in tables if gene in genes]
        scope = tuple(sorted({g for f in touched for g in f.genes}))
        joint = fold(join, (aligned(f, scope) for f in touched))
        rest = tuple(g for g in scope if g != gene)
        steps.append(_Step(gene, rest, joint))
        reduced = Factor("", rest, reduce(joint, axis=scope.index(gene)))
        tables = [(g, f) for g, f in tables if gene not in g]
        if rest:
            tables.append((rest, reduced))
        else:
            constants.append(reduced.table)  # whole numbers of any length stay so
    return (fold(join, constants) if constants else 0), steps


def _trace(
    space: SearchSpace, steps: Sequence[_Step], pick: Callable[[Any], Any]
) -> NDArray[np.uint8]:
    """Options of every gene that reach the result, (genes,); the resolution stays 0."""
    row = np.zeros(len(space.genes), dtype=np.uint8)
    for step in reversed(steps):
        scope = sorted((*step.rest, step.gene))
        index = tuple(slice(None) if g == step.gene else int(row[g]) for g in scope)
        row[step.gene] = pick(step.joint[index])
    return row


def smallest(space: SearchSpace, quantity: Separable) -> tuple[Any, NDArray[np.uint8]]:
    """The least value that any network of the space reaches, and one such network's genes.

    Returns the value and a (genes,) row whose resolution entry is 0: set it for the image size
    that ``quantity`` is about.
    """
    join: Join = np.add if quantity.reduce == "sum" else np.maximum
    order = elimination_order(space, quantity.factors)
    value, steps = _eliminate(quantity.factors, order, join, np.min)
    return value, _trace(space, steps, np.argmin)


def largest(space: SearchSpace, quantity: Separable) -> tuple[Any, NDArray[np.uint8]]:
    """The greatest value that any network of the space reaches, and one such network's genes."""
    join: Join = np.add if quantity.reduce == "sum" else np.maximum
    order = elimination_order(space, quantity.factors)
    value, steps = _eliminate(quantity.factors, order, join, np.max)
    return value, _trace(space, steps, np.argmax)


def count_within(space: SearchSpace, filters: Sequence[tuple[Separable, float]]) -> int:
    """Exact number of distinct networks whose maxima all stay within their bounds.

    Args:
        filters: pairs of a separable *maximum* (at one image size) and its upper bound.
    """
    return Counting.of(space, filters).total


@frozen(eq=False, slots=False)
class Counting:
    """How many networks stay within bounds, with the tables that lead there.

    Attributes:
        space: of the networks.
        total: the exact number of distinct ones, at one image size.
    """

    space: SearchSpace
    total: int
    _steps: tuple[_Step, ...]

    @classmethod
    def of(cls, space: SearchSpace, filters: Sequence[tuple[Separable, float]] = ()) -> Counting:
        """Count the networks whose separable maxima all stay within their bounds."""
        allowed = [
            Factor(f.name, f.genes, np.where(f.table <= bound, 1, 0).astype(object))
            for quantity, bound in filters
            for f in quantity.factors
        ]
        factors = [*canonical_factors(space), *allowed]
        order = elimination_order(space, factors)
        value, steps = _eliminate(factors, order, mul, np.sum)  # np.multiply would overflow
        return cls(space, int(value), tuple(steps))

    @cached_property
    def _shares(self) -> list[NDArray[np.float64]]:
        return [_shares_of(step) for step in self._steps]

    def draw(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n of the counted networks, each equally likely: (n, genes), canonical.

        The resolution's column is 0. There must be at least one network.
        """
        return _drawn(self.space, self._steps, self._shares, n, generator)

    def draw_beyond(self, inner: Counting, n: int, generator: np.random.Generator) -> Genes:
        """Draw n of the networks that this counts and ``inner`` does not, each equally likely.

        What ``inner`` counts must be a part of this: tighter bounds on the same quantities. The
        counts are whole numbers of any length throughout, so the few networks just beyond a bound
        are hit exactly, however many lie within it.
        """
        out = np.zeros((n, len(self.space.genes)), dtype=np.uint8)
        every, within = (np.full(n, c.total, dtype=object) for c in (self, inner))
        pairs = list(zip(self._steps, inner._steps, strict=True))
        for outer_step, inner_step in reversed(pairs):
            index = tuple(out[:, g] for g in outer_step.rest)
            counts = _split(every, _gene_last(outer_step)[index])
            inside = _split(within, _gene_last(inner_step)[index])
            chosen = _weighted(counts - inside, generator)
            out[:, outer_step.gene] = chosen
            every, within = (c[np.arange(n), chosen] for c in (counts, inside))
        return out


def _shares_of(step: _Step) -> NDArray[np.float64]:
    """(rest…, options): the share of all weight that options up to and with each one have."""
    counts = _gene_last(step)
    whole = counts.sum(axis=-1, keepdims=True)
    shares: NDArray[np.float64] = np.cumsum(counts, axis=-1) / np.where(whole > 0, whole, 1)
    return shares.astype(float)


def _drawn(
    space: SearchSpace,
    steps: Sequence[_Step],
    shares: Sequence[NDArray[np.float64]],
    n: int,
    generator: np.random.Generator,
) -> Genes:
    """Draw gene after gene, in the opposite order of their elimination."""
    out = np.zeros((n, len(space.genes)), dtype=np.uint8)
    for step, upto in reversed(list(zip(steps, shares, strict=True))):
        here = np.broadcast_to(upto[tuple(out[:, g] for g in step.rest)], (n, upto.shape[-1]))
        out[:, step.gene] = (generator.random(n)[:, None] >= here[:, :-1]).sum(axis=1)
    return out


def _gene_last(step: _Step) -> Table:
    scope = sorted((*step.rest, step.gene))
    counts: Table = np.moveaxis(step.joint, scope.index(step.gene), -1)
    return counts


def _split(totals: Table, counts: Table) -> Table:
    """(n,) networks left, and (n, options) counts of a part of them -> (n, options) of all."""
    counts = np.broadcast_to(counts, (len(totals), counts.shape[-1]))
    split: Table = totals[:, None] * counts // np.maximum(counts.sum(axis=1), 1)[:, None]
    return split


def _weighted(weights: Table, generator: np.random.Generator) -> NDArray[np.intp]:
    """(n, options) whole numbers of any length -> (n,) options drawn by these weights."""
    upto = np.cumsum(weights, axis=1)
    bits = generator.integers(0, 2**53, size=len(weights)).astype(object)
    place = bits * upto[:, -1] // 2**53  # below the last count, whatever its length
    chosen: NDArray[np.intp] = np.argmax(upto > place[:, None], axis=1)
    return chosen


def canonical_factors(space: SearchSpace) -> list[Factor]:
    """1 where an option stands for itself, 0 where another stands for the same network."""
    factors = []
    for column, gene in enumerate(space.genes):
        if column == RESOLUTION:
            continue
        table = gene.representatives() == np.arange(len(gene.options))
        columns = (*gene.controls, column)
        ranked = np.argsort(columns)
        ordered = np.transpose(table, ranked).astype(int).astype(object)
        factors.append(Factor(gene.name, tuple(columns[i] for i in ranked), ordered))
    return factors


def at_resolution(row: NDArray[np.uint8], resolution: int) -> Genes:
    """A (genes,) row as a (1, genes) array at the given index of the space's resolutions."""
    out = np.array(row, dtype=np.uint8, copy=True)[None, :]
    out[:, RESOLUTION] = resolution
    return out
