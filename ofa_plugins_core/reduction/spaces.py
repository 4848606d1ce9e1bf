"""A space with fewer options, and the way back from its genes to the whole space's."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Block, Geometry, Site
from ofa_plugins_core.reduction.choices import Left
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.values import (
    MAX_OPTIONS,
    RESOLUTION,
    Derived,
    Dimension,
    Gene,
    Genes,
    Number,
    SearchSpace,
)


@frozen(eq=False)
class Column:
    """A gene of a reduced space, by the whole space's genes that it stands for.

    Attributes:
        genes: their columns: one, or several that are chosen together.
        options: (options, genes) their option indices.
    """

    genes: tuple[int, ...]
    options: NDArray[np.uint8]


@frozen(eq=False, slots=False)
class ReducedSpace:
    """What is left of a space.

    Attributes:
        whole: the space.
        name: of the reduced one.
        columns: one a gene of the reduced space.
    """

    whole: SearchSpace
    name: str
    columns: tuple[Column, ...]
    _alike: SearchSpace | None = None
    """This space over other image sizes, where it is there: its genes are taken."""

    @classmethod
    def of(cls, whole: SearchSpace, name: str, left: Left) -> ReducedSpace:
        """The space with what is left of its genes.

        Raises:
            UsageError: more pairs are left at a place than a gene can have options.
        """
        columns = []
        together = {c: columns for columns in left.joint for c in columns}
        for column, gene in enumerate(whole.genes):
            group = together.get(column, (column,))
            if column != group[0]:
                continue
            if group in left.joint:
                rows: Sequence[Sequence[int]] = left.joint[group]
            else:
                rows = [[i] for i in left.options.get(column, range(len(gene.options)))]
            if len(rows) > MAX_OPTIONS:
                raise UsageError(f"{name}: {gene.name} would have {len(rows)} options together")
            columns.append(Column(group, np.array(rows, dtype=np.uint8)))
        return cls(whole, name, tuple(columns))

    def at(self, whole: SearchSpace) -> ReducedSpace:
        """The same over other image sizes: of a space that differs in nothing else."""
        sizes = np.arange(len(whole.resolutions), dtype=np.uint8)[:, None]
        columns = (Column((RESOLUTION,), sizes), *self.columns[1:])
        return ReducedSpace(whole, self.name, columns, self.space)

    @cached_property
    def place(self) -> dict[int, tuple[int, int]]:
        """Column of the whole space -> (column of the reduced one, which of its genes)."""
        return {
            gene: (number, part)
            for number, column in enumerate(self.columns)
            for part, gene in enumerate(column.genes)
        }

    def to_whole(self, genes: Genes) -> Genes:
        """(n, genes) of the reduced space -> the same networks in the whole one, canonical."""
        out = np.empty((len(genes), len(self.whole.genes)), dtype=np.uint8)
        for number, column in enumerate(self.columns):
            out[:, list(column.genes)] = column.options[genes[:, number]]
        return self.whole.canonical(out)

    def separable(self, found: Separable) -> Separable:
        """Tables over the whole space's genes -> over the reduced one's."""
        return Separable(found.reduce, tuple(self._factor(f) for f in found.factors))

    def _factor(self, factor: Factor) -> Factor:
        genes = tuple(sorted({self.place[c][0] for c in factor.genes}))
        index = []
        for gene in factor.genes:
            number, part = self.place[gene]
            shape = [1] * len(genes)
            shape[genes.index(number)] = -1
            index.append(self.columns[number].options[:, part].reshape(shape))
        return Factor(factor.name, genes, factor.table[tuple(index)])

    # ------------------------------------------------------------------------- the space

    @cached_property
    def space(self) -> SearchSpace:
        """The reduced space: genes of one option stay, so that it has every slot."""
        sizes = self.whole.resolutions
        if self._alike is not None:
            same = self._alike.resolutions == sizes
            return self._alike if same else self._alike.with_resolutions(sizes)
        genes = tuple(self._gene(number) for number in range(len(self.columns)))
        dimensions = tuple(
            Dimension(d.key, tuple(self._entry(e) for e in d.entries), d.fixed)
            for d in self.whole.dimensions
        )
        return SearchSpace(self.name, sizes, genes, dimensions)

    def _gene(self, number: int) -> Gene:
        column = self.columns[number]
        parts = [self.whole.genes[c] for c in column.genes]
        if len(parts) == 1:
            kept = [parts[0].options[i] for i in column.options[:, 0]]
            options: tuple[Number, ...] = tuple(kept)
        else:
            options = tuple(range(len(column.options)))
        controls = tuple(sorted({c for gene in parts for c in gene.controls}))
        return Gene(
            "+".join(p.name for p in parts),
            options,
            parts[0].group,
            tuple(self.place[c][0] for c in controls),
            self._canonical(column, parts, controls),
        )

    def _canonical(
        self, column: Column, parts: Sequence[Gene], controls: Sequence[int]
    ) -> NDArray[np.uint8] | None:
        """(left options of each control…, options) -> the first that is the same network."""
        if all(p.canonical is None for p in parts):
            return None
        if any(len(self.columns[self.place[c][0]].genes) > 1 for c in controls):
            raise UsageError(f"{self.name}: {parts[0].name} depends on choices made together")
        known = [self.columns[self.place[c][0]].options[:, 0] for c in controls]
        shape = [len(k) for k in known]
        found = np.empty((*shape, len(column.options)), dtype=np.uint8)
        for index in np.ndindex(*shape):
            at = {c: k[i] for c, k, i in zip(controls, known, index, strict=True)}
            same = [
                p.representatives()[(*(at[c] for c in p.controls), column.options[:, i])]
                for i, p in enumerate(parts)
            ]
            _, first, inverse = np.unique(
                np.stack(same, axis=1), axis=0, return_index=True, return_inverse=True
            )
            found[index] = first[inverse.ravel()]
        return found

    def _entry(self, entry: int | Derived) -> int | Derived:
        if isinstance(entry, int):
            number, part = self.place[entry]
            column = self.columns[number]
            if len(column.genes) == 1:
                return number
            gene = self.whole.genes[entry]
            values = tuple(gene.options[i] for i in column.options[:, part])
            return Derived(number, values, (True,) * len(values))
        if entry.gene is None:
            return entry
        number, part = self.place[entry.gene]
        rows = self.columns[number].options[:, part]
        values = tuple(entry.values[i] for i in rows)
        return Derived(number, values, tuple(entry.active[i] for i in rows))

    # ---------------------------------------------------------------------- the geometry

    def geometry(self, whole: Geometry) -> Geometry:
        """The whole space's blocks at the reduced one's genes."""
        return Geometry(self.space, tuple(self._site(site) for site in whole.sites))

    def _site(self, site: Site) -> Site:
        genes = tuple(sorted({self.place[c][0] for c in site.genes}))
        lookups = []
        for gene in site.genes:
            number, part = self.place[gene]
            options = self.whole.genes[gene].options
            values = [options[i] for i in self.columns[number].options[:, part]]
            known = dict(zip(self.space.genes[number].options, values, strict=True))
            lookups.append((genes.index(number), known))

        def block(size: int, given: tuple[Any, ...]) -> Block | None:
            return site.block(size, tuple(known[given[axis]] for axis, known in lookups))

        return Site(site.name, genes, block)

    @property
    def share(self) -> float:
        """Distinct networks that are left, as a share of the whole space's."""
        return self.space.count() / self.whole.count()
