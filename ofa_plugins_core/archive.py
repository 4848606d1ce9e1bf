"""What a searcher that scores networks keeps: the best or the front of all that it has seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import define, field
from numpy.typing import NDArray

from ofa_plugins_core.chain import largest, smallest
from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.interfaces import Found, Problem, SeparableCost, SeparablePredictor
from ofa_plugins_core.scoring import ACCURACY, Scorer, Scores, best_row, front_rows, joined
from ofa_plugins_core.values import RESOLUTION, Constraint, Genes


@define(eq=False)
class Archive:
    """The best network seen that meets the constraints, or the front of those.

    Attributes:
        problem: whose constraints and objectives count.
        genes: (n, genes) what is kept.
        evaluations: networks scored so far.
        extremes: for each constraint the value nearest to its bound, or best beyond it.
    """

    problem: Problem
    genes: Genes = field(init=False)
    evaluations: int = 0
    extremes: dict[Constraint, float] = field(factory=dict)
    _score: Scorer = field(init=False)
    _kept: Scores | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self.genes = np.zeros((0, len(self.problem.supernet.space.genes)), dtype=np.uint8)
        self._score = Scorer(self.problem)

    def add(self, genes: Genes) -> Scores:
        """Score (n, genes) networks in canonical form, and keep what is worth it."""
        scores = self._score(genes)
        if not len(genes):
            return scores
        self.evaluations += len(genes)
        for constraint in self.problem.constraints:
            self._note(constraint, scores.of(constraint.name))
        rows = np.flatnonzero(scores.met(self.problem.constraints))
        if len(rows):
            self._keep(genes[rows], scores.take(rows))
        return scores

    def met(self, genes: Genes) -> tuple[Genes, Scores]:
        """Those of (n, genes) networks that meet the constraints, with their scores."""
        scores = self.add(genes)
        rows = np.flatnonzero(scores.met(self.problem.constraints))
        return genes[rows], scores.take(rows)

    def _note(self, constraint: Constraint, values: NDArray[np.float64]) -> None:
        pick = min if constraint.relation == "<=" else max
        best = float(values.min() if constraint.relation == "<=" else values.max())
        self.extremes[constraint] = pick(best, self.extremes.get(constraint, best))

    def _keep(self, genes: Genes, scores: Scores) -> None:
        if self._kept is not None:
            genes, scores = np.concatenate([self.genes, genes]), joined([self._kept, scores])
        rows = (front_rows if self.problem.front else best_row)(self.problem, scores)
        self.genes, self._kept = genes[rows], scores.take(rows)

    def best(self) -> str:
        """A short reading for progress: how many are kept, or the best objective."""
        if not len(self.genes):
            return "nothing fits yet"
        if self.problem.front:
            return f"{len(self.genes)} on the front"
        assert self._kept is not None
        value = self._kept.of(self.problem.objective)[0]
        return f"{self.problem.objective} {float(value):.8g}"

    def found(self, optimal: bool = False, note: str | None = None) -> Found:
        """What is kept, as a searcher's answer.

        Raises:
            InfeasibleError: nothing that was scored meets the constraints.
        """
        if not len(self.genes) and note is None:
            raise unmet(self.problem, self.extremes, self.evaluations)
        return Found(self.genes, optimal, self.evaluations, None, note, note is not None)


def filled(
    want: int,
    tries: int,
    draw: Callable[[int], Genes],
    met: Callable[[Genes], tuple[Genes, Scores]],
) -> tuple[Genes, Scores]:
    """So many networks that meet the bounds; fewer where the tries run out.

    Args:
        draw: (how many) -> networks in canonical form, at least one.
        met: those of them that meet the bounds, with their scores.
    """
    left, found = want, []
    for _ in range(tries):
        genes, scores = met(draw(max(left, 1)))
        rows = np.arange(min(left, len(genes)))
        found.append((genes[rows], scores.take(rows)))
        left -= len(rows)
        if left <= 0:
            break
    return np.concatenate([g for g, _ in found]), joined([s for _, s in found])


def run_out(archive: Archive, evolve: Callable[[], None]) -> Found:
    """What a run has found at its end, or where the user stopped it.

    Raises:
        InfeasibleError: no network that it has seen meets the constraints.
    """
    try:
        evolve()
    except KeyboardInterrupt:
        return archive.found(note=f"interrupted after {archive.evaluations:,} networks")
    return archive.found()


def unmet(problem: Problem, extremes: dict[Constraint, float], evaluations: int) -> InfeasibleError:
    """The error where none of the networks looked at meets the constraints.

    Args:
        extremes: for each constraint the best value seen; a separable quantity's exact one counts.
    """
    reached = {
        c: (e if (e := reachable(problem, c)) is not None else extremes.get(c))
        for c in problem.constraints
    }
    smallest_values = {c.name: float(v) for c, v in reached.items() if v is not None}
    lines = [
        f"the {'smallest' if c.relation == '<=' else 'largest'} {c.name} is {v:,.10g}"
        for c, v in reached.items()
        if v is not None
    ]
    beyond = [c for c, v in reached.items() if v is not None and not c.met(np.array([v]))[0]]
    looked = f"none of {evaluations:,} networks looked at" if evaluations else "no network"
    asked = ", ".join(map(str, problem.constraints))
    return InfeasibleError(
        f"{looked} of {problem.supernet.name} has {asked}{': ' if lines else ''}{'; '.join(lines)}",
        smallest=smallest_values,
        binds=" and ".join(map(str, beyond or problem.constraints)),
    )


def demand_reachable(problem: Problem) -> None:
    """Stop at once where a single bound cannot be met, as far as tables tell.

    Raises:
        InfeasibleError: with each constraint's own nearest reachable value.
    """
    reached = ((c, reachable(problem, c)) for c in problem.constraints)
    if any(v is not None and not c.met(np.array([v]))[0] for c, v in reached):
        raise unmet(problem, {}, 0)


def reachable(problem: Problem, constraint: Constraint) -> float | None:
    """The value nearest to a constraint's bound, or best beyond it, that any network reaches.

    Exact, over the problem's resolutions; None where the quantity is not separable.
    """
    extreme = smallest if constraint.relation == "<=" else largest
    values: list[float] = []
    for size in problem.supernet.resolutions:
        if constraint.name == ACCURACY:
            if not isinstance(problem.predictor, SeparablePredictor):
                return None
            score, _ = extreme(problem.supernet.space, problem.predictor.separable(size))
            linked = problem.predictor.link(size).forward(np.array([float(score)]))
            values.append(float(linked[0]))
        else:
            cost = problem.costs[constraint.name]
            if not isinstance(cost, SeparableCost):
                return None
            values.append(float(extreme(problem.supernet.space, cost.separable(size))[0]))
    return min(values) if constraint.relation == "<=" else max(values)


def extreme_networks(problem: Problem, constraints: Sequence[Constraint]) -> Genes:
    """(n, genes) the least network of each bounded separable cost, one a resolution."""
    rows = []
    for constraint in constraints:
        cost = problem.costs.get(constraint.name)
        if constraint.relation != "<=" or not isinstance(cost, SeparableCost):
            continue
        for index, size in enumerate(problem.supernet.resolutions):
            row = smallest(problem.supernet.space, cost.separable(size))[1].copy()
            row[RESOLUTION] = index
            rows.append(row)
    empty = np.zeros((0, len(problem.supernet.space.genes)), dtype=np.uint8)
    return problem.supernet.space.canonical(np.array(rows, dtype=np.uint8)) if rows else empty
