"""The exact searcher: proven optimal networks and fronts, in milliseconds, without torch."""

from __future__ import annotations

from typing import Final

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.interfaces import Found, Problem, SeparableCost, SeparablePredictor
from ofa_plugins_core.scoring import ACCURACY
from ofa_search.exact.best import Search
from ofa_search.exact.counting import count_fitting
from ofa_search.exact.fronts import front
from ofa_search.exact.infeasible import explain
from ofa_search.exact.solving import Interrupted
from ofa_search.options import ExactOptions as ExactOptions


@frozen
class Exact:
    """Searches separable costs and separable predictors exactly.

    The optimum is one for the predictor; ties go to the smaller first cost.
    """

    options: ExactOptions = field(factory=ExactOptions)

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take the problem: something that is not separable."""
        needed = {c.name for c in problem.constraints} | {problem.objective} | set(problem.costs)
        if ACCURACY in needed and problem.predictor is None:
            return "there is no predictor, so no accuracy"
        if ACCURACY in needed and not isinstance(problem.predictor, SeparablePredictor):
            return "the predictor's score is not a sum of tables"
        ceiling = [c for c in problem.constraints if c.name == ACCURACY and c.relation == "<="]
        if problem.front and ceiling:
            return "a front under a ceiling on accuracy has countless networks pressed against it"
        rough = [n for n in sorted(needed - {ACCURACY}) if not _separable(problem, n)]
        return f"not a sum or maximum of tables: {', '.join(rough)}" if rough else None

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """The best network, or the whole front. The generator is not used.

        Raises:
            InfeasibleError: no network meets the constraints.
        """
        if problem.front:
            found = front(problem, self.options.piece, listener)
            if not len(found.genes) and found.optimal:
                raise self.infeasible(problem)
            return found
        search = Search.of(problem, self.options.piece, listener)
        try:
            genes = search.best()
        except Interrupted as stopped:
            note = "interrupted: the best so far, not proven"
            return Found(stopped.genes, False, 0, note=note, interrupted=True)
        if genes is None:
            raise self.infeasible(problem)
        rounded = _ROUNDED if search.rounded else None
        return Found(genes, optimal=rounded is None, evaluations=0, note=rounded)

    def count_fitting(
        self, problem: Problem, generator: np.random.Generator
    ) -> dict[int, tuple[float, float]]:
        """Image size -> (how many distinct networks meet the constraints, its standard error)."""
        counts = count_fitting(
            problem.supernet, problem.costs, problem.constraints, generator, problem.predictor
        )
        return {size: (count.value, count.error) for size, count in counts.items()}

    def infeasible(self, problem: Problem) -> InfeasibleError:
        """Why nothing meets the constraints."""
        return explain(Search.of(problem, self.options.piece))


_ROUNDED: Final = "the objective is pressed against its own bound: best to 1e-5 of its range"


def _separable(problem: Problem, name: str) -> bool:
    return isinstance(problem.costs.get(name), SeparableCost)


def build(options: ExactOptions) -> Exact:
    """Build the searcher from its options."""
    return Exact(options)
