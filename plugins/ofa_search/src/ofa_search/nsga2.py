"""NSGA-II (Deb et al., 2002) by pymoo: for fronts of what is not separable."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.archive import Archive, demand_reachable
from ofa_plugins_core.errors import MissingExtraError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import asks_for_accuracy, objectives
from ofa_search.options import Nsga2Options as Nsga2Options


@frozen
class Nsga2:
    """NSGA-II on the genes of the space; bounds are violations, the objectives are traded.

    What it returns is the best, or the front, of all networks that it has scored.
    """

    options: Nsga2Options = field(factory=Nsga2Options)

    def refuses(self, problem: Problem) -> str | None:
        """It takes everything that can be scored."""
        return asks_for_accuracy(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Run the generations.

        Raises:
            InfeasibleError: no network that was scored meets the constraints.
            MissingExtraError: pymoo is not installed.
        """
        demand_reachable(problem)
        archive = Archive(problem)
        try:
            self._run(archive, generator, listener)
        except KeyboardInterrupt:
            return archive.found(note=f"interrupted after {archive.evaluations:,} networks")
        return archive.found()

    def _run(self, archive: Archive, generator: np.random.Generator, listener: Listener) -> None:
        try:
            from pymoo.algorithms.moo.nsga2 import NSGA2
            from pymoo.operators.crossover.ux import UniformCrossover
            from pymoo.operators.mutation.pm import PolynomialMutation
            from pymoo.operators.repair.rounding import RoundingRepair
            from pymoo.operators.sampling.rnd import IntegerRandomSampling
            from pymoo.optimize import minimize
        except ImportError:
            raise MissingExtraError("nsga2", "ofa-plugins-search", "nsga2") from None
        algorithm = NSGA2(
            pop_size=self.options.population,
            sampling=IntegerRandomSampling(),
            crossover=UniformCrossover(repair=RoundingRepair()),
            mutation=PolynomialMutation(vtype=float, repair=RoundingRepair()),
            eliminate_duplicates=True,
        )
        steps = self.options.generations

        def report(state: Any) -> None:
            listener(Progress("generation", min(state.n_gen, steps), steps, archive.best()))

        minimize(
            _task(archive),
            algorithm,
            ("n_gen", steps),
            seed=int(generator.integers(2**31)),
            callback=report,
        )


def _task(archive: Archive) -> Any:
    """The problem as pymoo sees it: integer genes, objectives to be minimised, violations."""
    from pymoo.core.problem import Problem as PymooProblem

    problem = archive.problem
    space = problem.supernet.space
    names = objectives(problem) if problem.front else (problem.objective,)

    class Task(PymooProblem):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(
                n_var=len(space.genes),
                n_obj=len(names),
                n_ieq_constr=len(problem.constraints),
                xl=0,
                xu=space.sizes - 1,
                vtype=int,
            )

        def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            scores = archive.add(space.canonical(np.asarray(x, dtype=np.uint8)))
            out["F"] = scores.minimised(names)
            if problem.constraints:
                out["G"] = scores.violations(problem.constraints)

    return Task()
