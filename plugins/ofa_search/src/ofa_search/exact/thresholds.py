"""Best scores under bounds on maxima: filter what exceeds a bound, then eliminate genes.

A maximum over blocks stays under a bound if and only if every block does, so a bound on it only
strikes out options. All bounds that make a difference, the distinct block terms, are treated at
once: the whole front of accuracy against one maximum costs a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.separable import Separable, Table
from ofa_plugins_core.values import Genes, SearchSpace
from ofa_search.exact.elimination import Scope, Step, best_rows, best_scores, plan
from ofa_search.exact.scopes import hosts


@frozen(eq=False)
class Filter:
    """An upper bound on a maximum."""

    quantity: Separable
    bound: float


@frozen(eq=False, slots=False)
class Thresholds:
    """The best score of a resolution as a function of one maximum's bound.

    Attributes:
        space: of the genes.
        scopes: genes of each table, increasing.
        scores: for each scope the summed score, -inf where a filter forbids it.
        levels: for each scope the largest term of the maximum; None where there is no maximum.
    """

    space: SearchSpace
    scopes: tuple[Scope, ...]
    scores: tuple[Table, ...]
    levels: tuple[Table | None, ...]

    @classmethod
    def of(
        cls,
        space: SearchSpace,
        score: Separable,
        maximum: Separable | None = None,
        filters: Sequence[Filter] = (),
    ) -> Thresholds:
        """Gather the tables that share their genes.

        Args:
            score: a sum, to be maximised.
            maximum: whose bound varies, or None.
            filters: further maxima under fixed bounds.
        """
        bans = [(f.quantity, f.bound) for f in filters]
        quantities = [score, *([maximum] if maximum else []), *(q for q, _ in bans)]
        scopes = hosts(tuple(f.genes for q in quantities for f in q.factors))
        shapes = [tuple(int(space.sizes[g]) for g in scope) for scope in scopes.wide]
        scores = scopes.gather(score, np.add, [np.zeros(s) for s in shapes])
        for quantity, bound in bans:
            worst = scopes.gather(quantity, np.maximum, [None] * len(shapes))
            scores = [_strike(s, w, bound) for s, w in zip(scores, worst, strict=True)]
        levels = scopes.gather(maximum, np.maximum, [None] * len(shapes)) if maximum else ()
        return cls(space, scopes.wide, tuple(scores), tuple(levels) or (None,) * len(shapes))

    def distinct(self) -> NDArray[np.float64]:
        """Bounds that make a difference: every value that the maximum can take, increasing."""
        tables = [np.asarray(t, dtype=float).ravel() for t in self.levels if t is not None]
        if not tables:
            return np.zeros(0)
        # np.unique would load numpy.ma: a tenth of a search
        values = np.sort(np.concatenate(tables))
        return values[np.concatenate(([True], values[1:] > values[:-1]))]

    def best(self, bounds: NDArray[np.float64]) -> NDArray[np.float64]:
        """(bounds,) best score under each bound on the maximum; -inf where nothing fits."""
        return best_scores(self._plan(), self._tables(bounds), self.scopes)

    def rows(self, bounds: NDArray[np.float64]) -> Genes:
        """(bounds, genes) a network of the best score under each bound (which must be feasible)."""
        count = len(self.space.genes)
        if not len(bounds):
            return np.zeros((0, count), dtype=np.uint8)
        return best_rows(self._plan(), self._tables(bounds), self.scopes, count)

    def _plan(self) -> tuple[Step, ...]:
        return plan(tuple(map(int, self.space.sizes)), self.scopes)

    def _tables(self, bounds: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        return [
            score[..., None]
            if level is None
            else np.where(level[..., None] <= bounds, score[..., None], -np.inf)
            for score, level in zip(self.scores, self.levels, strict=True)
        ]


def _strike(score: Table, worst: Table | None, bound: float) -> Table:
    return score if worst is None else np.where(worst <= bound, score, -np.inf)
