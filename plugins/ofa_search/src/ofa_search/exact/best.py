"""The one best network of a problem: most accurate, or cheapest, under any mix of bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import evolve, field, frozen

from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Problem, SeparablePredictor
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import RESOLUTION, Constraint, Genes
from ofa_search.exact.pieces import LIMIT
from ofa_search.exact.question import (
    Question,
    ask,
    bounding_score,
    grain,
    leaning,
    scaled,
    tables,
    whole,
)
from ofa_search.exact.solving import Best, Interrupted, Solver
from ofa_search.exact.thresholds import Thresholds

NOTHING = Separable("sum", ())
_EQUAL = 1e-10
_ALIKE = 1e-8
_LARGE = 10**9


@frozen(eq=False)
class Search:
    """One search for the best network.

    Attributes:
        problem: its objective is ``accuracy`` or a cost.
        constraints: those of the problem, or fewer.
        limit: most combinations written out for one piece.
    """

    problem: Problem
    constraints: tuple[Constraint, ...]
    limit: int = LIMIT
    listener: Listener = field(default=silent)

    @classmethod
    def of(cls, problem: Problem, limit: int = LIMIT, listener: Listener = silent) -> Search:
        """The search that a problem asks for."""
        return cls(problem, problem.constraints, limit, listener)

    def best(self) -> Genes | None:
        """(1, genes) the best network over all resolutions; None where nothing fits.

        A floor under the accuracy is compared with the greatest accuracy that the other bounds
        leave: as one more bound of a knapsack it would be slow to be proven out of reach.
        """
        floors = [c for c in self.constraints if c.name == ACCURACY and c.relation == ">="]
        if floors:
            rest = only(self, [c for c in self.constraints if c not in floors], ACCURACY)
            greatest = rest.greatest(ACCURACY)
            if greatest is None or not self._meets(floors, greatest):
                return None
            if self.problem.objective == ACCURACY:
                leaning = rest.best()  # an equal network of smaller cost, to a few last digits
                fits = leaning is not None and self._meets(floors, leaning)
                return leaning if fits else greatest
        objective = self.problem.objective
        if objective != ACCURACY and self._reduce(objective) == "max":
            return least_maximum(self, objective)
        return self._largest(self._value, pressed=self._pressed)

    def _meets(self, floors: Sequence[Constraint], genes: Genes) -> bool:
        """Whether one network, (1, genes), is accurate enough."""
        question = ask(self.problem, int(genes[0, RESOLUTION]), (), NOTHING)
        accuracy = question.shown(ACCURACY, genes)
        return all(bool(c.met(accuracy)[0]) for c in floors)

    def greatest(self, name: str, lowest: bool = False) -> Genes | None:
        """(1, genes) the network of the largest value of a sum or of accuracy, or the lowest."""
        sign = -1.0 if lowest else 1.0
        linked = name == ACCURACY and not lowest
        return self._largest(lambda size: scaled(tables(self.problem, name, size), sign), linked)

    def _largest(
        self,
        value: Callable[[int], Separable],
        accuracy: bool | None = None,
        pressed: bool = False,
    ) -> Genes | None:
        linked = self.problem.objective == ACCURACY if accuracy is None else accuracy
        solvers = [self.solver(i, value(s), pressed) for i, s in enumerate(self._sizes)]
        tops = [self._reading(s.question, s.upper, linked) for s in solvers]
        found: Best | None = None
        reached = -np.inf
        for done, number in enumerate(_in_turn(tops)):
            self.listener(Progress("resolution", done, len(solvers)))
            solver = solvers[number]
            least = reached - self._slack(solver.question, reached)
            if tops[number] < least:
                continue
            try:
                best = solver.best(self._needed(solver.question, least, linked))
            except Interrupted:
                raise
            except KeyboardInterrupt:
                if found is None:
                    raise
                raise Interrupted(found.genes) from None
            if best is not None:
                best = self._cheaper(solver.question, best)
                reading = self._reading(solver.question, best.value, linked)
                if found is None or self._preferred(best.genes, reading, found.genes, reached):
                    found = best
                reached = max(reached, reading)
        return None if found is None else found.genes

    @property
    def _sizes(self) -> tuple[int, ...]:
        return self.problem.supernet.resolutions

    def solver(self, index: int, value: Separable, pressed: bool = False) -> Solver:
        """The solver of one resolution, for a value to be maximised."""
        question = ask(self.problem, index, self.constraints, value)
        if pressed and self.rounded:
            question = evolve(question, step=grain(value))
        return Solver(question, self.limit, self.listener)

    def _value(self, size: int) -> Separable:
        """What is maximised, leaning to what breaks ties."""
        problem = self.problem
        if self._pressed:
            own = tables(problem, problem.objective, size)
            return own if problem.objective == ACCURACY else scaled(own, -1)
        if problem.objective == ACCURACY:
            first = next(iter(problem.costs), None)
            towards = None if first is None else _negated(tables(problem, first, size))
            return leaning(tables(problem, ACCURACY, size), towards)
        cheap = scaled(tables(problem, problem.objective, size), -1)
        return leaning(cheap, second(problem, size, problem.objective))

    @property
    def _pressed(self) -> bool:
        """Whether the objective is pressed against a bound on itself: a subset-sum problem.

        Of the 10**19 networks countless ones come as near to the bound as one likes, so ties are
        not broken, and in large spaces the nearest one is found to 1e-5 of the objective's range.
        """
        against = "<=" if self.problem.objective == ACCURACY else ">="
        return any(
            c.name == self.problem.objective and c.relation == against for c in self.constraints
        )

    @property
    def rounded(self) -> bool:
        """Whether the best is found to 1e-5 of the objective's range only."""
        return self._pressed and self.problem.supernet.space.count() > _LARGE

    def _reduce(self, name: str) -> str:
        return tables(self.problem, name, self._sizes[0]).reduce

    def _reading(self, question: Question, value: float, linked: bool) -> float:
        """A value as accuracy, which compares across resolutions."""
        if not linked or not np.isfinite(value):
            return value
        return float(question.link.forward(np.array([value]))[0])

    def _needed(self, question: Question, reading: float, linked: bool) -> float:
        return question.link.inverse(reading) if linked and np.isfinite(reading) else reading

    def _slack(self, question: Question, reading: float) -> float:
        """How far apart equal values may read: what leaning towards the tie-break makes of them."""
        if not np.isfinite(reading):
            return 0.0
        return 0.5 if whole(question.value) else _ALIKE * max(1.0, abs(reading))

    def _preferred(self, one: Genes, reading: float, other: Genes, reached: float) -> bool:
        """Whether a network of another image size takes the place of the best so far."""
        if abs(reading - reached) > _ALIKE * max(1.0, abs(reached)):
            return reading > reached
        mine, theirs = (self._tie_break(genes) for genes in (one, other))
        return mine < theirs

    def _tie_break(self, genes: Genes) -> float:
        """What tells equally good networks apart, to be minimised: the first cost, or accuracy."""
        problem = self.problem
        if problem.objective == ACCURACY or problem.predictor is None:
            cost = next((m for n, m in problem.costs.items() if n != problem.objective), None)
            return 0.0 if cost is None else float(cost.evaluate(genes)[0])
        return -float(problem.predictor.predict(genes).value[0])

    def _cheaper(self, question: Question, best: Best) -> Best:
        """Of equally good networks one of the smallest first cost, where that is a maximum."""
        first = next(iter(self.problem.costs), None)
        if first is None or first == self.problem.objective or self._reduce(first) == "sum":
            return best
        maximum = question.table(first)
        enough = best.value - _EQUAL * max(1.0, abs(best.value))
        if not question.bounds:
            return _lowest(question, maximum, enough, best)
        while True:
            level = float(maximum.evaluate(best.genes)[0])
            below = np.nextafter(level, -np.inf)
            better = Solver(question.limited(maximum, below), self.limit).best(enough)
            if better is None:
                return best
            best = better


def _negated(quantity: Separable) -> Separable | None:
    return scaled(quantity, -1) if quantity.reduce == "sum" else None


def second(problem: Problem, size: int, besides: str) -> Separable | None:
    """What breaks ties between equally cheap networks: accuracy, or another cost that is a sum."""
    if isinstance(problem.predictor, SeparablePredictor):
        return problem.predictor.separable(size)
    others = (tables(problem, name, size) for name in problem.costs if name != besides)
    return next((scaled(q, -1) for q in others if q.reduce == "sum"), None)


def _lowest(question: Question, maximum: Separable, enough: float, best: Best) -> Best:
    """The smallest bound on the maximum under which the value is still reached."""
    space = question.problem.supernet.space
    curve = Thresholds.of(space, question.value, maximum, question.filters)
    levels = curve.distinct()
    reached = np.flatnonzero(curve.best(levels) >= enough)
    if not len(reached):
        return best
    genes = space.canonical(curve.rows(levels[reached[:1]]))
    genes[:, 0] = question.index
    return Best(best.value, genes) if question.meets(genes) else best


def least_maximum(search: Search, name: str) -> Genes | None:
    """(1, genes) the network of the smallest value of a maximum; of those the most accurate.

    Under each bound on the maximum the most accurate network tells whether a floor is reached.
    """
    problem = search.problem
    floors = [c for c in search.constraints if c.name == ACCURACY and c.relation == ">="]
    rest = tuple(c for c in search.constraints if c not in floors)
    found: Genes | None = None
    level = np.inf
    for index, size in enumerate(problem.supernet.resolutions):
        value = second(problem, size, name) or NOTHING
        question = ask(problem, index, rest, value)
        least = max((bounding_score(question, c) for c in floors), default=-np.inf)
        better = _least_level(question, question.table(name), level, least, search.limit)
        if better is None:
            continue
        reached = float(question.table(name).evaluate(better)[0])
        if found is None or search._preferred(better, -reached, found, -level):
            found = better
        level = reached
    return found


def _least_level(
    question: Question, maximum: Separable, below: float, least: float, limit: int
) -> Genes | None:
    """Halve the distinct values of a maximum until the smallest that some network meets is left."""
    if not question.possible:
        return None
    levels = Thresholds.of(question.problem.supernet.space, NOTHING, maximum).distinct()
    levels = levels[levels <= below]
    found: Genes | None = None
    low, high = 0, len(levels)  # levels[high] is met by what was found, or is out of reach
    while low < high:
        middle = high - 1 if found is None else (low + high) // 2
        bounded = question.limited(maximum, float(levels[middle]))
        best = Solver(bounded, limit).best(least - _ALIKE * max(1.0, abs(least)))
        if best is None:
            if found is None:
                return None
            low = middle + 1
            continue
        found = best.genes
        high = int(np.searchsorted(levels, float(maximum.evaluate(found)[0])))
    return found


def only(search: Search, constraints: Sequence[Constraint], objective: str) -> Search:
    """A search under these constraints alone, for another objective."""
    kept = tuple(constraints)
    problem = evolve(search.problem, constraints=kept, objective=objective, front=False)
    return evolve(search, problem=problem, constraints=kept)


def _in_turn(tops: Sequence[float]) -> list[int]:
    """Image sizes, the most promising first; of those that tie but for rounding the largest."""
    finite = np.array([top for top in tops if np.isfinite(top)])
    unit = float(np.abs(finite).max(initial=0.0)) * 2.0**-36 or 1.0
    keys = [round(top / unit) if np.isfinite(top) else top for top in tops]
    return sorted(range(len(tops)), key=lambda n: (-keys[n], -n))
