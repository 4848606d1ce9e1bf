"""A space as a chain of pieces: runs of genes with every choice of them written out.

A piece is a stage where a stage has few enough configurations (7,371 networks of an MBConv stage),
a part of one where it has more. Neighbouring pieces share a *state*: the genes of earlier pieces
that tables of later ones still read, such as ResNet's widths, or the depth of a stage cut in two.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace
from ofa_search.exact.elimination import Scope
from ofa_search.exact.scopes import Scopes, hosts

Index = NDArray[np.intp]

LIMIT: Final = 2**15
"""Most combinations that are written out for one piece."""

_SMALL: Final = 2**10
"""Groups are put together while their combinations stay below this."""


@frozen(eq=False)
class Piece:
    """A run of genes and every canonical choice of them, for every state it can be entered in.

    Attributes:
        genes: columns that the piece decides.
        rows: (n, genes of the piece) option indices.
        before, after: (n,) number of the state on entering and on leaving, sorted by both.
        states: how many states there are before and after.
        lookups: (number of a wide scope, (n,) flat index into a table over it).
    """

    genes: Scope
    rows: Genes
    before: Index
    after: Index
    states: tuple[int, int]
    lookups: tuple[tuple[int, Index], ...] = field(repr=False)


@frozen(eq=False)
class Chain:
    """The pieces of a space, cut for a set of tables."""

    space: SearchSpace
    scopes: Scopes
    pieces: tuple[Piece, ...]

    def sums(
        self, quantities: Sequence[Separable]
    ) -> tuple[list[NDArray[np.float64]], list[float]]:
        """For each piece (n, quantities) terms, and for each quantity what no gene decides.

        Whole numbers stay exact below 2**53, far above any cost.
        """
        return self._terms(quantities, np.add, 0.0)

    def maxima(
        self, quantities: Sequence[Separable]
    ) -> tuple[list[NDArray[np.float64]], list[float]]:
        """For each piece (n, quantities) largest terms, and for each quantity the constant one."""
        return self._terms(quantities, np.maximum, -np.inf)

    def _terms(
        self, quantities: Sequence[Separable], join: np.ufunc, empty: float
    ) -> tuple[list[NDArray[np.float64]], list[float]]:
        constants, tables = [], []
        for quantity in quantities:
            fixed = [float(f.table[()]) for f in quantity.factors if not f.genes]
            constants.append(float(join.reduce(fixed)) if fixed else empty)
            rest = Separable(quantity.reduce, tuple(f for f in quantity.factors if f.genes))
            tables.append(self.scopes.gather(rest, join, [None] * len(self.scopes.wide)))
        return [self._piece_terms(p, tables, join, empty) for p in self.pieces], constants

    def _piece_terms(
        self,
        piece: Piece,
        tables: list[list[NDArray[np.float64] | None]],
        join: np.ufunc,
        empty: float,
    ) -> NDArray[np.float64]:
        out = np.full((len(piece.rows), len(tables)), empty)
        for number, index in piece.lookups:
            shape = tuple(int(self.space.sizes[g]) for g in self.scopes.wide[number])
            stacked = np.full((int(np.prod(shape)), len(tables)), empty)
            for column, table in enumerate(tables):
                if (found := table[number]) is not None:
                    stacked[:, column] = np.broadcast_to(found, shape).ravel()
            join(out, stacked[index], out=out)
        return out


def chain_of(space: SearchSpace, quantities: Sequence[Separable], limit: int = LIMIT) -> Chain:
    """Cut a space into pieces in which every table of the quantities can be looked up."""
    scopes = dict.fromkeys(f.genes for q in quantities for f in q.factors if f.genes)
    return _chain(space, tuple(scopes), limit)


@lru_cache(maxsize=8)
def _chain(space: SearchSpace, scopes: tuple[Scope, ...], limit: int) -> Chain:
    controls = [
        tuple(sorted((*g.controls, c))) for c, g in enumerate(space.genes) if c != RESOLUTION
    ]
    joint = [set(s) for s in (*scopes, *controls)]
    wide = hosts(scopes)
    pieces: list[Piece] = []
    decided: set[int] = set()
    state: Scope = ()
    for genes in _runs(space, joint, limit):
        decided |= set(genes)
        after = _frontier(joint, decided)
        new = [(n, s) for n, s in enumerate(wide.wide) if set(s) & set(genes) and set(s) <= decided]
        pieces.append(_piece(space, state, genes, after, new))
        state = after
    return Chain(space, wide, tuple(pieces))


def _frontier(scopes: Sequence[set[int]], decided: set[int]) -> Scope:
    """Decided genes that a table reads together with one that is not decided yet."""
    open_scopes = [s for s in scopes if s & decided and not s <= decided]
    return tuple(sorted(set().union(*open_scopes) & decided)) if open_scopes else ()


def _runs(space: SearchSpace, scopes: Sequence[set[int]], limit: int) -> list[Scope]:
    """Genes of each piece: whole groups where they fit, otherwise groups cut into runs."""
    runs: list[list[int]] = []
    decided: set[int] = set()
    for group in space.groups:
        ordered = _controls_first(space, group, scopes)
        if runs and _cells(space, runs[-1], ordered, _before(scopes, decided, runs[-1])) <= _SMALL:
            runs[-1] += ordered
        else:
            runs += _cut(space, ordered, scopes, decided, limit)
        decided |= set(group)
    return [tuple(r) for r in runs]


def _before(scopes: Sequence[set[int]], decided: set[int], run: Sequence[int]) -> Scope:
    return _frontier(scopes, decided - set(run))


def _cells(space: SearchSpace, *genes: Sequence[int]) -> float:
    return float(np.prod([float(space.sizes[g]) for part in genes for g in part]))


def _controls_first(space: SearchSpace, group: Scope, scopes: Sequence[set[int]]) -> list[int]:
    """The genes that decide on others, then the others, those of one block together."""
    controls = {c for g in group for c in space.genes[g].controls}
    block = {g: next((i for i, s in enumerate(scopes) if g in s), len(scopes)) for g in group}
    return sorted(group, key=lambda g: (g not in controls, block[g], g))


def _cut(
    space: SearchSpace,
    ordered: list[int],
    scopes: Sequence[set[int]],
    decided: set[int],
    limit: int,
) -> list[list[int]]:
    runs: list[list[int]] = [[]]
    done = set(decided)
    for gene in ordered:
        if runs[-1] and _cells(space, runs[-1], [gene], _before(scopes, done, runs[-1])) > limit:
            runs.append([])
        runs[-1].append(gene)
        done.add(gene)
    return runs


def _piece(
    space: SearchSpace, state: Scope, genes: Scope, after: Scope, scopes: list[tuple[int, Scope]]
) -> Piece:
    known = {c for g in genes for c in space.genes[g].controls}
    joint = tuple(dict.fromkeys((*state, *genes)))
    assert known <= set(joint), "a gene's controls come before it"
    shape = tuple(int(space.sizes[g]) for g in joint)
    column = dict(
        zip(joint, np.indices(shape, dtype=np.uint8).reshape(len(joint), -1), strict=True)
    )
    own = np.ones(column[joint[0]].shape, dtype=bool)
    for gene in joint:
        if space.genes[gene].canonical is not None and set(space.genes[gene].controls) <= set(
            joint
        ):
            table = space.genes[gene].representatives()
            own &= (
                table[(*(column[c] for c in space.genes[gene].controls), column[gene])]
                == column[gene]
            )
    column = {g: c[own] for g, c in column.items()}
    entered, left = (_number(space, column, s) for s in (state, after))
    order = np.lexsort((left, entered))
    column = {g: c[order] for g, c in column.items()}
    return Piece(
        genes,
        np.stack([column[g] for g in genes], axis=1),
        entered[order],
        left[order],
        (int(_cells(space, state)), int(_cells(space, after))),
        tuple((number, _number(space, column, scope)) for number, scope in scopes),
    )


def _number(space: SearchSpace, column: dict[int, NDArray[np.uint8]], genes: Scope) -> Index:
    """(n,) row-major number of each combination of the genes."""
    number = np.zeros(len(next(iter(column.values()))), dtype=np.intp)
    for gene in genes:
        number = number * int(space.sizes[gene]) + column[gene]
    return number
