"""A problem at one image size, in the terms of exact search.

Everything becomes a sum to be maximised, filters (upper bounds on maxima, which only strike out
options), and linear bounds: a sum's bound as it is, a lower bound with its sign turned, a lower
bound on a maximum as "at least one term reaches it", a bound on accuracy as one on the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Link, Problem, SeparableCost, SeparablePredictor
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.separable import GRID, Factor, Separable
from ofa_plugins_core.values import RESOLUTION, Constraint, Genes
from ofa_search.exact.thresholds import Filter

SLACK: Final = 1e-9
"""How much a bound on sums that depend on their order is loosened before the final check."""

_NEAR: Final = 64
_EXACT: Final = 2.0**53

_TIE: Final = 1e-9
"""Weight of what breaks ties, relative to the range of what is maximised."""


@frozen(eq=False)
class Bound:
    """A linear bound: the sum is at most ``limit``."""

    name: str
    quantity: Separable
    limit: float


@frozen(eq=False)
class Question:
    """One image size of a problem.

    Attributes:
        index, size: of the resolution.
        value: a sum, to be maximised.
        filters: upper bounds on maxima. bounds: on sums.
        possible: False where a bound cannot be met at this size whatever the network.
        step: better values by less than this are of no interest.
    """

    problem: Problem
    index: int
    size: int
    value: Separable
    filters: tuple[Filter, ...] = ()
    bounds: tuple[Bound, ...] = ()
    possible: bool = True
    step: float = 0.0

    def limited(self, quantity: Separable, bound: float) -> Question:
        """With a further upper bound on a maximum."""
        possible = self.possible and all(f.table <= bound for f in quantity.factors if not f.genes)
        return evolve(self, filters=(*self.filters, Filter(quantity, bound)), possible=possible)

    def table(self, name: str) -> Separable:
        """The tables of a cost, or of the score."""
        return tables(self.problem, name, self.size)

    @property
    def link(self) -> Link:
        """From the score to accuracy."""
        return link(self.problem, self.size)

    def meets(self, genes: Genes) -> bool:
        """Whether one network, (1, genes), really meets every constraint of the problem."""
        return bool(self.met(genes)[0])

    def met(self, genes: Genes) -> NDArray[np.bool_]:
        """(n,) whether each network really meets every constraint of the problem."""
        met = np.ones(len(genes), dtype=bool)
        for constraint in self.problem.constraints:
            met &= constraint.met(self.shown(constraint.name, genes))
        return met

    def shown(self, name: str, genes: Genes) -> NDArray[Any]:
        """(n,) a cost or the accuracy, as a user is shown it."""
        values = self.table(name).evaluate(genes)
        return self.link.forward(values) if name == ACCURACY else values


def tables(problem: Problem, name: str, size: int) -> Separable:
    """The tables of a cost, or of the accuracy's score, at an image size."""
    if name == ACCURACY:
        if not isinstance(problem.predictor, SeparablePredictor):
            raise UsageError("a bound on accuracy, or the best of it, needs a separable predictor")
        return problem.predictor.separable(size)
    cost = problem.costs.get(name)
    if not isinstance(cost, SeparableCost):
        raise UsageError(f"{name!r} is not one of the problem's separable costs")
    return cost.separable(size)


def link(problem: Problem, size: int) -> Link:
    """The predictor's link at an image size."""
    assert isinstance(problem.predictor, SeparablePredictor)
    return problem.predictor.link(size)


def ask(
    problem: Problem, index: int, constraints: Sequence[Constraint], value: Separable
) -> Question:
    """The problem's resolution of that index, under the constraints."""
    question = Question(problem, index, problem.supernet.resolutions[index], value)
    for constraint in constraints:
        question = _with(question, constraint)
    return question


def _with(question: Question, constraint: Constraint) -> Question:
    quantity = question.table(constraint.name)
    if constraint.name == ACCURACY:
        return _with_accuracy(question, constraint, quantity)
    if quantity.reduce == "sum":
        return _with_sum(question, constraint.name, quantity, constraint.relation, constraint.bound)
    if constraint.relation == "<=":
        return question.limited(quantity, constraint.bound)
    reaching = reaches(quantity, constraint.bound)
    return evolve(question, bounds=(*question.bounds, Bound(constraint.name, reaching, -0.5)))


def _with_accuracy(question: Question, constraint: Constraint, score: Separable) -> Question:
    limit = bounding_score(question, constraint)
    always, never = (-np.inf, np.inf) if constraint.relation == ">=" else (np.inf, -np.inf)
    if limit == always:
        return question
    if limit == never:
        return evolve(question, possible=False)
    return _with_sum(question, ACCURACY, score, constraint.relation, limit)


def bounding_score(question: Question, constraint: Constraint) -> float:
    """The outermost score whose accuracy meets a bound; infinite where all do, or none."""
    limit = question.link.inverse(constraint.bound)
    return _met_from(question.link, constraint, limit) if np.isfinite(limit) else limit


def _met_from(link: Link, constraint: Constraint, near: float) -> float:
    """The outermost score near ``near``, a multiple of the grid, that meets a bound on accuracy.

    An inverse is off by its rounding; what counts is the accuracy that a user is shown.
    """
    steps = np.arange(-_NEAR, _NEAR + 1) + np.round(near / GRID)
    met = np.flatnonzero(constraint.met(link.forward(steps * GRID)))
    if not len(met):
        return near
    return float(steps[met[0] if constraint.relation == ">=" else met[-1]] * GRID)


def _with_sum(
    question: Question, name: str, quantity: Separable, relation: str, limit: float
) -> Question:
    if whole(quantity):
        limit = np.floor(limit) if relation == "<=" else np.ceil(limit)
    room = 0.0 if _summed_exactly(quantity) else SLACK * max(1.0, abs(limit))
    if relation == ">=":
        quantity, limit = scaled(quantity, -1), -limit
    return evolve(question, bounds=(*question.bounds, Bound(name, quantity, limit + room)))


def whole(quantity: Separable) -> bool:
    """Whether all terms are whole numbers: compared exactly."""
    return all(np.asarray(f.table).dtype.kind in "iub" for f in quantity.factors)


def _summed_exactly(quantity: Separable) -> bool:
    """Whether sums of its terms are the same in any order: whole numbers, or on the grid."""
    tables = [np.asarray(f.table) for f in quantity.factors]
    most = sum(float(np.abs(t).max(initial=0)) for t in tables)
    return whole(quantity) or (
        most < _EXACT * GRID and all(bool(np.all(t / GRID == np.round(t / GRID))) for t in tables)
    )


def scaled(quantity: Separable, weight: float) -> Separable:
    """A sum times a number."""
    return Separable(
        "sum",
        tuple(Factor(f.name, f.genes, np.asarray(f.table) * weight) for f in quantity.factors),
    )


def reaches(quantity: Separable, bound: float) -> Separable:
    """Minus the number of terms of a maximum that are at least ``bound``."""
    return Separable(
        "sum",
        tuple(
            Factor(f.name, f.genes, -(np.asarray(f.table) >= bound).astype(np.int64))
            for f in quantity.factors
        ),
    )


def leaning(value: Separable, towards: Separable | None) -> Separable:
    """The value with a slight lean: among networks of equal value the one with more of ``towards``.

    The lean is at most 1e-9 of the value's range, and less than half of a whole number.
    """
    if towards is None or towards.reduce != "sum":
        return value
    span, other = _range(value) or 1.0, _range(towards)
    if other == 0:
        return value
    most = min(_TIE * span, 0.25) if whole(value) else _TIE * span
    return Separable("sum", (*value.factors, *scaled(towards, most / other).factors))


def grain(quantity: Separable) -> float:
    """A hundred-thousandth of a sum's range."""
    return 1e-5 * _range(quantity)


def _range(quantity: Separable) -> float:
    return float(sum(np.ptp(np.asarray(f.table, dtype=float)) for f in quantity.factors))


def at(genes: NDArray[np.uint8], index: int) -> Genes:
    """A row of genes as a (1, genes) array at the resolution of that index."""
    out = np.array(genes, dtype=np.uint8).reshape(1, -1)
    out[:, RESOLUTION] = index
    return out
