"""Scoring many architectures at once: what a problem asks of each, its violations, its objectives.

Costs and predictors that are separable are evaluated together; others one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Final, cast

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import Problem, SeparableCost, SeparablePredictor
from ofa_plugins_core.pareto import comparable, non_dominated
from ofa_plugins_core.separable import CHUNK, PACK_LIMIT, Evaluator
from ofa_plugins_core.values import RESOLUTION, Constraint, Genes

ACCURACY: Final = "accuracy"

_PACKED: Final = 2**14
"""Rows of a packed table: searchers score a few hundred architectures at a time."""

_CROWD: Final = 2**16
"""From so many architectures on, tables as large as they come are worth their making."""


@frozen(eq=False)
class Scores:
    """What n architectures are worth.

    Attributes:
        costs: name -> (n,) values in the cost's unit.
        accuracy: (n,) percent, or None without a predictor.
    """

    costs: Mapping[str, NDArray[Any]]
    accuracy: NDArray[np.float64] | None

    def of(self, name: str) -> NDArray[Any]:
        """(n,) values of a cost, or the accuracies."""
        if name != ACCURACY:
            return self.costs[name]
        assert self.accuracy is not None, "an accuracy is asked for without a predictor"
        return self.accuracy

    def met(self, constraints: Sequence[Constraint]) -> NDArray[np.bool_]:
        """(n,) whether every constraint is met."""
        count = len(next(iter(self.costs.values()), self.accuracy))  # type: ignore[arg-type]
        met = np.ones(count, dtype=bool)
        for constraint in constraints:
            met &= constraint.met(self.of(constraint.name))
        return met

    def violations(self, constraints: Sequence[Constraint]) -> NDArray[np.float64]:
        """(n, constraints) how far each bound is exceeded, relative to it; 0 where it is met."""
        columns = []
        for constraint in constraints:
            excess = self.of(constraint.name) - constraint.bound
            signed = excess if constraint.relation == "<=" else -excess
            columns.append(np.maximum(signed, 0) / max(abs(constraint.bound), 1e-9))
        return np.stack(columns, axis=1)

    def minimised(self, names: Sequence[str]) -> NDArray[np.float64]:
        """(n, names) values to be minimised: costs as they are, accuracy negated."""
        columns = [-self.of(n) if n == ACCURACY else self.of(n) for n in names]
        return np.stack(columns, axis=1).astype(float)

    def take(self, rows: NDArray[Any]) -> Scores:
        """The scores of some of the architectures."""
        accuracy = None if self.accuracy is None else self.accuracy[rows]
        return Scores({n: v[rows] for n, v in self.costs.items()}, accuracy)


@frozen(eq=False, slots=False)
class Scorer:
    """Scores encoded architectures for a problem."""

    problem: Problem

    def __call__(self, genes: Genes) -> Scores:
        """(n, genes) of the problem's space -> their scores."""
        if not len(genes):  # nobody's model is asked about nothing
            accuracy = None if self.problem.predictor is None else np.zeros(0)
            return Scores({name: np.zeros(0) for name in self.problem.costs}, accuracy)
        if not all_separable(self.problem):
            return self._one_by_one(genes)
        evaluator = self._crowd if len(genes) >= _CROWD else self._few
        *costs, score = [*evaluator(genes), None]
        if self.problem.predictor is not None:
            score = costs.pop()
        named = dict(zip(self.problem.costs, costs, strict=True))
        return Scores(named, None if score is None else self._linked(genes, score))

    def _one_by_one(self, genes: Genes) -> Scores:
        predictor = self.problem.predictor
        costs = {name: cost.evaluate(genes) for name, cost in self.problem.costs.items()}
        return Scores(costs, None if predictor is None else predictor.predict(genes).value)

    @cached_property
    def _few(self) -> Evaluator:
        return self._evaluator(_PACKED)

    @cached_property
    def _crowd(self) -> Evaluator:
        return self._evaluator(PACK_LIMIT)

    def _evaluator(self, limit: int) -> Evaluator:
        """All tables together."""
        problem, space = self.problem, self.problem.supernet.space
        models: list[Any] = [*problem.costs.values()]
        models += [problem.predictor] if problem.predictor else []
        tables = [{s: m.separable(s) for s in space.resolutions} for m in models]
        return Evaluator(space, tuple(tables), limit=limit)

    def _linked(self, genes: Genes, score: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores -> accuracies, a chunk at a time so that the cache holds it."""
        predictor = cast(SeparablePredictor, self.problem.predictor)
        links = [predictor.link(size) for size in self.problem.supernet.resolutions]
        out = np.empty(len(genes))
        for start in range(0, len(genes), CHUNK):
            part = slice(start, start + CHUNK)
            sizes, scores, linked = genes[part, RESOLUTION], score[part], out[part]
            for index, link in enumerate(links):
                rows = np.flatnonzero(sizes == index)
                if len(rows):
                    linked[rows] = link.forward(scores[rows])
        return out


def all_separable(problem: Problem) -> bool:
    """Whether the problem's costs and its predictor, if any, are sums or maxima of tables."""
    predictor = problem.predictor
    return all(isinstance(c, SeparableCost) for c in problem.costs.values()) and (
        predictor is None or isinstance(predictor, SeparablePredictor)
    )


def tabled_part(problem: Problem) -> Problem:
    """The problem reduced to the bounds that tables can tell, without what is slow to score."""
    separable = {n: c for n, c in problem.costs.items() if isinstance(c, SeparableCost)}
    predictor = problem.predictor if isinstance(problem.predictor, SeparablePredictor) else None
    known = {*separable, *((ACCURACY,) if predictor else ())}
    constraints = tuple(c for c in problem.constraints if c.name in known)
    bounded = {c.name for c in constraints}
    return evolve(
        problem,
        costs={n: c for n, c in separable.items() if n in bounded},
        predictor=predictor if ACCURACY in bounded else None,
        constraints=constraints,
    )


def asks_for_accuracy(problem: Problem) -> str | None:
    """Why a problem cannot be scored: it asks for accuracy and has no predictor. Or None."""
    asked = problem.objective == ACCURACY or any(c.name == ACCURACY for c in problem.constraints)
    return "there is no predictor, so no accuracy" if asked and problem.predictor is None else None


def objectives(problem: Problem) -> tuple[str, ...]:
    """What is traded: the objective first, then the costs."""
    return tuple(dict.fromkeys((problem.objective, *problem.costs)))


def precedence(problem: Problem) -> tuple[str, ...]:
    """What decides between two networks: the objective, then what breaks ties (see Problem)."""
    known = () if problem.predictor is None else (ACCURACY,)
    return tuple(dict.fromkeys((problem.objective, *known, *problem.costs)))


def ranking(problem: Problem, scores: Scores) -> NDArray[np.intp]:
    """Rows from best to worst; equals keep their order."""
    keys = scores.minimised(precedence(problem))
    return np.lexsort(keys.T[::-1])


def best_row(problem: Problem, scores: Scores) -> NDArray[np.intp]:
    """(1,) the row of the best; the first among equals."""
    keys = scores.minimised(precedence(problem))
    rows = np.arange(len(keys))
    for column in keys.T:
        rows = rows[column[rows] == column[rows].min()]
    return rows[:1]


def front_rows(problem: Problem, scores: Scores) -> NDArray[np.intp]:
    """Rows of the non-dominated, sorted by the first cost, then by the other objectives."""
    names = tuple(dict.fromkeys((*problem.costs, problem.objective)))
    return non_dominated(comparable(scores.minimised(names)))


def joined(parts: Sequence[Scores]) -> Scores:
    """The scores of several lots of architectures, one after the other."""
    costs = {n: np.concatenate([p.costs[n] for p in parts]) for n in parts[0].costs}
    known = [p.accuracy for p in parts if p.accuracy is not None]
    return Scores(costs, np.concatenate(known) if known else None)
