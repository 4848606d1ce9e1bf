"""Costs that are priced block by block: the shortest way to a cost that is searched exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError, PluginError
from ofa_plugins_core.geometry import Block, Geometry
from ofa_plugins_core.interfaces import Archs, CostModel, IntervalCost, Supernet
from ofa_plugins_core.separable import Reduce, Separable
from ofa_plugins_core.values import (
    ArchLike,
    Genes,
    Kind,
    Measurement,
    Number,
    SearchSpace,
    parse_arch,
)


@frozen(eq=False, slots=False)
class BlockCostModel:
    """A cost that is a sum or a maximum over a network's blocks.

    Attributes:
        name, unit: as shown to the user.
        supernet: whose blocks are priced.
        price: a block's term; a whole number stays exact. It looks at what the block is made of,
            not at the name of its place: equal blocks are priced once.
        reduce: ``sum`` or ``max`` over blocks.
        kind, source: how the prices were had.
    """

    name: str
    unit: str
    supernet: Supernet
    price: Callable[[Block], Number]
    reduce: Reduce
    kind: Kind = "computed"
    source: str | None = None
    _tables: dict[int, Separable] = field(factory=dict, init=False, repr=False)

    @cached_property
    def geometry(self) -> Geometry:
        """The supernet's geometry."""
        return self.supernet.geometry()

    def separable(self, size: int) -> Separable:
        """The cost's tables at one image size (pixels)."""
        if size not in self._tables:
            self._tables[size] = self.geometry.separable(size, self.price, self.reduce)
        return self._tables[size]

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) costs of exchange dicts, Archs, or an encoded (n, genes) array.

        Dicts may have any image size from 32 pixels up; an encoded array has those of the space.

        Raises:
            InputError: an architecture is not of the supernet's space.
        """
        return evaluate_separable(self.supernet.space, self.separable, archs)


def measurements(model: CostModel, archs: Archs) -> list[Measurement]:
    """Costs of n architectures as what they are: unit, kind, source, an interval where known.

    Raises:
        InputError: an architecture is not of the supernet's space.
        PluginError: the cost gave anything but n finite numbers, or no interval about them.
    """
    values = _numbers(model, "evaluate()", model.evaluate(archs), len(archs))
    ends = model.interval(archs, values) if isinstance(model, IntervalCost) else None
    low: list[Any] = [None] * len(values)
    high = low
    if ends is not None:
        low, high = _interval(model, ends, values)
    return [
        Measurement(value, model.unit, model.kind, model.source, low[row], high[row])
        for row, value in enumerate(values.tolist())
    ]


def _interval(model: CostModel, ends: Sequence[Any], values: NDArray[Any]) -> list[list[float]]:
    if len(ends) != 2:
        raise PluginError(f"cost {model.name!r}: interval() gave {len(ends)} ends; due are two")
    low, high = (_numbers(model, "interval()", end, len(values)) for end in ends)
    odd = np.flatnonzero((low > values) | (values > high))
    if len(odd):
        row = odd[0]
        raise PluginError(
            f"cost {model.name!r}: interval() gave {low[row]} to {high[row]} about {values[row]}"
        )
    return [low.tolist(), high.tolist()]


def _numbers(model: CostModel, what: str, found: object, count: int) -> NDArray[Any]:
    numbers = np.asarray(found)
    if numbers.shape != (count,) or numbers.dtype.kind not in "biuf":
        said = f"{numbers.dtype} of shape {numbers.shape}"
    elif not np.isfinite(numbers).all():
        said = f"{numbers[~np.isfinite(numbers)][0]}"
    else:
        return numbers
    raise PluginError(
        f"cost {model.name!r}: {what} gave {said}; due are finite numbers, one an architecture: "
        f"{count}"
    )


def evaluate_separable(
    space: SearchSpace, separable: Callable[[int], Separable], archs: Archs
) -> NDArray[Any]:
    """Evaluate tables for an encoded array of the space, or for dicts of any image size.

    Raises:
        InputError: an architecture is not of the space.
    """
    wider, genes = encoded(space, archs)
    return _evaluate_by_size(wider, separable, genes)


def encoded(space: SearchSpace, archs: Archs) -> tuple[SearchSpace, Genes]:
    """Architectures as one array, whichever way they are given, and the space that it is of.

    Args:
        space: of the supernet.
        archs: an encoded (n, genes) array of the space, or exchange dicts or Archs of any image
            size from 32 pixels up.

    Returns:
        The space over the image sizes that occur (for an array the space itself), and (n, genes)
        whose column 0 counts them: ``found.resolutions[genes[i, 0]]`` is network i's image size.

    Raises:
        InputError: an architecture is not of the space; names its row, and the gene or the key.
    """
    if isinstance(archs, np.ndarray):
        return space, _checked(space, archs)
    found: Sequence[ArchLike] = list(archs)
    sizes = {parse_arch(space, a, i).image_size for i, a in enumerate(found)}
    wider = space.with_resolutions(sizes) if sizes else space
    return wider, wider.encode(found)


def _checked(space: SearchSpace, genes: NDArray[Any]) -> Genes:
    """Bytes of the space's options: other numbers would be read as other networks, or as none."""
    wanted = f"{space.name} is encoded as whole numbers, (n, {len(space.genes)})"
    if genes.dtype.kind not in "iu" or genes.ndim != 2 or genes.shape[1] != len(space.genes):
        raise InputError(f"{wanted}; found {genes.dtype} of shape {genes.shape}")
    if len(genes) and ((genes.max(axis=0) >= space.sizes) | (genes.min(axis=0) < 0)).any():
        row, column = (int(i[0]) for i in np.nonzero((genes < 0) | (genes >= space.sizes)))
        gene = space.genes[column]
        raise InputError(
            f"architecture {row}: {gene.name} has the options 0 to {len(gene.options) - 1} of "
            f"{space.name}, found {genes[row, column]}"
        )
    return genes.astype(np.uint8, copy=False)


def _evaluate_by_size(
    space: SearchSpace, separable: Callable[[int], Separable], genes: Genes
) -> NDArray[Any]:
    parts = []
    for index, size in enumerate(space.resolutions):
        rows = np.flatnonzero(genes[:, 0] == index)
        if len(rows):
            parts.append((rows, separable(size).evaluate(genes[rows])))
    out = np.zeros(len(genes), dtype=np.result_type(*(v for _, v in parts)) if parts else float)
    for rows, values in parts:
        out[rows] = values
    return out
