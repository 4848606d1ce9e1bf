"""Separable things: a sum or a maximum of factors, each over a few genes of a space.

What is separable can be evaluated for a million architectures a second, and optimised exactly
along the chain of the space's groups. A factor's genes lie in one group, or in a group and the
one before it (ResNet's neighbouring widths).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace

Reduce = Literal["sum", "max"]
Table = NDArray[Any]

GRID: Final = 2.0**-32
"""Spacing of real-valued terms: their sums come out the same in any order."""


def on_grid(table: Table) -> Table:
    """A table whose real numbers are rounded to multiples of 2**-32; whole numbers as they are.

    Sums of up to a million such terms' worth are exact in double precision, so that a bound that
    was copied from another result is met by the very network that it came from.
    """
    if table.dtype.kind != "f":
        return table
    rounded: Table = np.round(table / GRID) * GRID
    return rounded


@frozen(eq=False)
class Factor:
    """A term that depends on a few genes.

    Attributes:
        name: what it prices, for example ``stage 2 block 1``; shown when it binds.
        genes: columns of the encoded array, increasing; never the resolution.
        table: one axis a gene, the term's value for each combination of options.
    """

    name: str
    genes: tuple[int, ...]
    table: Table


@frozen(eq=False, slots=False)
class Separable:
    """A sum or a maximum of factors over the genes of a space, at one image size."""

    reduce: Reduce
    factors: tuple[Factor, ...]

    def evaluate(self, genes: Genes) -> Table:
        """(n, genes) -> (n,) values; the plain form, one gather a factor."""
        terms = (f.table[tuple(genes[:, c] for c in f.genes)] for f in self.factors)
        total: Table | None = None
        for term in terms:
            full = np.broadcast_to(term, len(genes))
            if total is None:
                total = np.array(full)
            else:
                total = total + full if self.reduce == "sum" else np.maximum(total, full)
        return np.zeros(len(genes)) if total is None else total


PACK_LIMIT: Final = 2**20
"""Most rows of a packed table: some MB each."""

CHUNK: Final = 2**16
"""Architectures evaluated at once: the working set stays in the cache."""


@frozen(eq=False)
class _Pack:
    """A few genes and, for each quantity, one flat table over all their combinations."""

    genes: tuple[int, ...]
    tables: tuple[Table | None, ...]


@frozen(eq=False, slots=False)
class Evaluator:
    """Several separable quantities of one space, evaluated together for many architectures.

    The genes of neighbouring factors are packed into one index, so that a stage costs a single
    gather a quantity.

    Attributes:
        space: of the encoded arrays.
        quantities: for each quantity, image size -> its separable form.
    """

    space: SearchSpace
    quantities: tuple[Mapping[int, Separable], ...]
    _limit: int = field(default=PACK_LIMIT, kw_only=True)

    def __call__(self, genes: Genes) -> list[Table]:
        """(n, genes) -> for each quantity its (n,) values."""
        out = [np.empty(len(genes), dtype=d) for d in self._dtypes]
        for start in range(0, len(genes), CHUNK):
            rows = genes[start : start + CHUNK]
            for values, total in zip(self._chunk(rows), out, strict=True):
                total[start : start + CHUNK] = values
        return out

    def _chunk(self, rows: Genes) -> list[Table]:
        columns = np.ascontiguousarray(rows.T)
        totals: list[Table | None] = [None] * len(self.quantities)
        for pack in self._packs:
            position = self._position(columns, pack.genes)
            for q, table in enumerate(pack.tables):
                if table is None:
                    continue
                term = table.take(position)
                totals[q] = term if totals[q] is None else self._joined(q, totals[q], term)
        return [np.zeros(len(rows)) if t is None else t for t in totals]

    def _joined(self, quantity: int, total: Any, term: Table) -> Table:
        join = np.add if self._reduces[quantity] == "sum" else np.maximum
        joined: Table = join(total, term, out=total)
        return joined

    @cached_property
    def _reduces(self) -> list[Reduce]:
        return [next(iter(q.values())).reduce for q in self.quantities]

    @cached_property
    def _dtypes(self) -> list[np.dtype[Any]]:
        tables = [[f.table.dtype for s in q.values() for f in s.factors] for q in self.quantities]
        return [np.result_type(*t) if t else np.dtype(float) for t in tables]

    @cached_property
    def _narrow(self) -> list[np.dtype[Any]]:
        """What packed tables hold: 32 bits where every sum of whole numbers fits, half as much."""
        found = []
        for dtype, sizes in zip(self._dtypes, self.quantities, strict=True):
            most = [sum(float(np.abs(f.table).max()) for f in s.factors) for s in sizes.values()]
            whole = dtype.kind == "i" and max(most) < 2**31
            found.append(np.dtype(np.int32) if whole else dtype)
        return found

    def _position(self, columns: Genes, genes: tuple[int, ...]) -> NDArray[np.intp]:
        """(genes, n) -> (n,) rows of a packed table: the options as digits, the resolution first.

        Sixteen bits hold most of the digits, at a quarter of the time of an index's own width.
        """
        position: NDArray[Any] = columns[RESOLUTION].astype(np.uint16)
        place = int(self.space.sizes[RESOLUTION])
        for column in genes:
            size = int(self.space.sizes[column])
            place *= size
            if place > 2**16 and position.dtype == np.uint16:
                position = position.astype(np.intp)
            position *= position.dtype.type(size)
            position += columns[column]
        return position.astype(np.intp, copy=False)

    @cached_property
    def _packs(self) -> tuple[_Pack, ...]:
        gene_sets, members = self._grouping()
        return tuple(
            _Pack(genes, tuple(self._flat(q, genes, m) for q, m in enumerate(chosen)))
            for genes, chosen in zip(gene_sets, members, strict=True)
        )

    def _grouping(self) -> tuple[list[tuple[int, ...]], list[list[list[int]]]]:
        """Cut the factors, in chain order, into runs whose joint table stays under the limit."""
        factors = [
            (min(f.genes, default=0), q, i, f.genes)
            for q, sizes in enumerate(self.quantities)
            for i, f in enumerate(next(iter(sizes.values())).factors)
        ]
        gene_sets: list[set[int]] = [set()]
        members: list[list[list[int]]] = [[[] for _ in self.quantities]]
        for _, q, i, columns in sorted(factors):
            joint = gene_sets[-1] | set(columns)
            if self._rows(joint) > self._limit and gene_sets[-1]:
                gene_sets.append(set())
                members.append([[] for _ in self.quantities])
                joint = set(columns)
            gene_sets[-1] = joint
            members[-1][q].append(i)
        return [tuple(sorted(s)) for s in gene_sets], members

    def _rows(self, columns: set[int]) -> int:
        return int(np.prod(self.space.sizes[sorted({RESOLUTION, *columns})]))

    def _flat(self, quantity: int, genes: tuple[int, ...], members: list[int]) -> Table | None:
        if not members:
            return None
        join = np.add if self._reduces[quantity] == "sum" else np.maximum
        planes = []
        for size in self.space.resolutions:
            factors = self.quantities[quantity][size].factors
            plane: Any = None
            for i in members:
                spread = aligned(factors[i], genes)
                plane = spread if plane is None else join(plane, spread)
            planes.append(np.broadcast_to(plane, tuple(self.space.sizes[list(genes)])).ravel())
        return np.concatenate(planes).astype(self._narrow[quantity], copy=False)


def aligned(factor: Factor, genes: Sequence[int]) -> Table:
    """The factor's table with one axis for each of ``genes`` (length 1 where it is free).

    ``genes`` must be increasing and contain the factor's own.
    """
    shape = [1] * len(genes)
    for axis, column in enumerate(factor.genes):
        shape[list(genes).index(column)] = factor.table.shape[axis]
    return factor.table.reshape(shape)
