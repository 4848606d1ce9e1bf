"""The best network of one image size: by elimination alone, or as a knapsack over pieces."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.values import Genes
from ofa_search.exact.dual import Relaxed, relax
from ofa_search.exact.knapsack import Incumbent, Knapsack, solve
from ofa_search.exact.paths import Links, Paths
from ofa_search.exact.pieces import LIMIT, Chain, chain_of
from ofa_search.exact.question import Question, at
from ofa_search.exact.thresholds import Thresholds

_ANY: Final = np.array([np.inf])


@frozen(eq=False)
class Best:
    """The best network of a question.

    Attributes:
        value: of the question. genes: (1, genes), canonical.
    """

    value: float
    genes: Genes


class Interrupted(KeyboardInterrupt):
    """A search was interrupted when it had found something.

    Attributes:
        genes: (1, genes) the best so far.
    """

    def __init__(self, genes: Genes) -> None:
        super().__init__()
        self.genes = genes


@frozen(eq=False, slots=False)
class Solver:
    """Answers one question.

    Attributes:
        limit: most combinations written out for one piece.
    """

    question: Question
    limit: int = LIMIT
    listener: Listener = field(default=silent)

    @property
    def linear(self) -> bool:
        """Whether bounds on sums are part of it; without them elimination is enough."""
        return bool(self.question.bounds)

    @cached_property
    def upper(self) -> float:
        """No network has a larger value; -inf where none meets the bounds for sure."""
        if not self.question.possible:
            return -np.inf
        if not self.linear:
            return float(self._filtered.best(_ANY)[0])
        return self._relaxed.bound + self._constant

    def best(self, least: float = -np.inf) -> Best | None:
        """The network of the largest value above ``least``; None where there is none."""
        if not self.upper > least:
            return None
        if self.linear:
            return self._knapsack_best(least)
        genes = self._canonical(self._filtered.rows(_ANY))
        return Best(self.upper, genes) if self.question.meets(genes) else None

    @cached_property
    def _filtered(self) -> Thresholds:
        space = self.question.problem.supernet.space
        return Thresholds.of(space, self.question.value, None, self.question.filters)

    def _canonical(self, genes: Genes) -> Genes:
        return at(self.question.problem.supernet.space.canonical(genes)[0], self.question.index)

    # ------------------------------------------------------------------ bounds on sums

    @cached_property
    def _chain(self) -> Chain:
        question = self.question
        quantities = [
            question.value,
            *(b.quantity for b in question.bounds),
            *(f.quantity for f in question.filters),
        ]
        return chain_of(question.problem.supernet.space, quantities, self.limit)

    @cached_property
    def _terms(self) -> tuple[list[NDArray[np.float64]], list[float]]:
        question = self.question
        return self._chain.sums([question.value, *(b.quantity for b in question.bounds)])

    @property
    def _constant(self) -> float:
        return self._terms[1][0]

    @cached_property
    def _sack(self) -> Knapsack:
        terms, constants = self._terms
        every = np.concatenate(terms)
        links = tuple(Links(p.before, p.after, p.states) for p in self._chain.pieces)
        limits = np.array([b.limit for b in self.question.bounds]) - np.array(constants[1:])
        sack = Knapsack.of(Paths(links), every[:, 0].copy(), every[:, 1:].copy(), limits)
        return sack.keep(self._allowed())

    def _allowed(self) -> NDArray[np.bool_]:
        """(all configurations,) whether every filter lets it through."""
        filters = self.question.filters
        if not filters:
            return np.ones(sum(len(p.rows) for p in self._chain.pieces), dtype=bool)
        peaks, _ = self._chain.maxima([f.quantity for f in filters])
        bounds = np.array([f.bound for f in filters])
        allowed: NDArray[np.bool_] = np.all(np.concatenate(peaks) <= bounds, axis=1)
        return allowed

    @cached_property
    def _relaxed(self) -> Relaxed:
        sack = self._sack
        return relax(sack.paths, sack.values, sack.weights, sack.limits, -np.inf)

    def _knapsack_best(self, least: float) -> Best | None:
        found = Incumbent(
            least - self._constant,
            lambda path: self.question.meets(self._network(path)),
            self.question.step,
        )
        try:
            solve(self._sack, found, self.listener, self._relaxed)
        except KeyboardInterrupt:
            if found.path is None:
                raise
            raise Interrupted(self._network(found.path)) from None
        if found.path is None:
            return None
        return Best(found.least + self._constant, self._network(found.path))

    def _network(self, path: Sequence[int]) -> Genes:
        """The configurations of a path as one row of genes."""
        pieces = self._chain.pieces
        row = np.zeros(len(self.question.problem.supernet.space.genes), dtype=np.uint8)
        start = 0
        for piece, number in zip(pieces, path, strict=True):
            row[list(piece.genes)] = piece.rows[number - start]
            start += len(piece.rows)
        return self._canonical(row[None, :])
