"""Thermometer features of a search space: "kernel of slot 7 is at least 5", one bit each.

A feature names a dimension, a slot and a value, never a column, so that a fit made on one space
can be read on another one with the same dimensions (CompOFA's free and fixed kernels).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.separable import Factor, on_grid
from ofa_plugins_core.values import Derived, Genes, SearchSpace


@frozen
class Feature:
    """One bit: the slot is used, and its choice is at least a value.

    Attributes:
        key: of the dimension, for example ``ks``.
        slot: position in the dimension.
        at_least: smallest value that sets the bit.
    """

    key: str
    slot: int
    at_least: float


@frozen(eq=False)
class Indicator:
    """A feature as a table over the genes that decide it.

    Attributes:
        genes: columns of the encoded array, increasing.
        on: one axis a gene: whether the bit is set.
    """

    genes: tuple[int, ...]
    on: NDArray[np.bool_]


def features_of(space: SearchSpace) -> tuple[Feature, ...]:
    """All features of a space: for each free choice one a value above its smallest."""
    return tuple(
        Feature(dimension.key, slot, float(value))
        for dimension in space.dimensions
        for slot, entry in enumerate(dimension.entries)
        if isinstance(entry, int)
        for value in space.genes[entry].options[1:]
    )


def indicator(space: SearchSpace, feature: Feature) -> Indicator:
    """A feature's table on a space.

    Raises:
        UsageError: the space has no such dimension or slot.
    """
    entries = next((d.entries for d in space.dimensions if d.key == feature.key), ())
    if feature.slot >= len(entries):
        raise UsageError(f"{space.name} has no {feature.key}[{feature.slot}], which the fit scores")
    entry = entries[feature.slot]
    if isinstance(entry, Derived):
        on = (np.array(entry.values) >= feature.at_least) & np.array(entry.active)
        return Indicator((), on[0]) if entry.gene is None else Indicator((entry.gene,), on)
    return _of_gene(space, entry, feature.at_least)


def _of_gene(space: SearchSpace, column: int, at_least: float) -> Indicator:
    gene = space.genes[column]
    # An unused slot's options all stand for the smallest one, which sets no bit.
    on = np.array(gene.options, dtype=float)[gene.representatives()] >= at_least
    genes = (*gene.controls, column)
    order = np.argsort(genes)
    return Indicator(tuple(genes[i] for i in order), on.transpose(order))


def design(indicators: Sequence[Indicator], genes: Genes) -> NDArray[np.float64]:
    """(n, genes) -> (n, features): the bits of each architecture."""
    columns = [i.on[tuple(genes[:, c] for c in i.genes)] for i in indicators]
    full = [np.broadcast_to(c, len(genes)) for c in columns]
    return np.stack(full, axis=1).astype(float) if full else np.zeros((len(genes), 0))


def factors(
    features: Sequence[Feature], indicators: Sequence[Indicator], weights: NDArray[Any]
) -> tuple[Factor, ...]:
    """The sum of weighted bits as one factor for each set of genes."""
    tables: dict[tuple[int, ...], NDArray[Any]] = {}
    names: dict[tuple[int, ...], str] = {}
    for feature, bit, weight in zip(features, indicators, weights, strict=True):
        tables[bit.genes] = tables.get(bit.genes, 0.0) + weight * bit.on
        names.setdefault(bit.genes, f"{feature.key}[{feature.slot}]")
    return tuple(Factor(names[g], g, on_grid(t)) for g, t in sorted(tables.items()))
