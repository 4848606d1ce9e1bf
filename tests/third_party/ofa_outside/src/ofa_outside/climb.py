"""The searcher ``climb``: better neighbours of the best, again and again."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from ofa_plugins_core import SearchSpace
from ofa_plugins_core.archive import Archive
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import Scores, ranking
from ofa_plugins_core.values import Genes


@frozen
class ClimbOptions:
    """Options of ``climb``."""

    starts: int = field(default=500, metadata={"help": "random networks to begin with"})
    steps: int = field(default=20, metadata={"help": "rounds of neighbours"})
    kept: int = field(default=25, metadata={"help": "networks whose neighbours are looked at"})


@frozen
class Climb:
    """Changes one gene at a time of the best networks so far."""

    options: ClimbOptions

    def refuses(self, problem: Problem) -> str | None:
        """It takes every problem."""
        return None

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Search.

        Raises:
            InfeasibleError: nothing on the way meets the constraints.
        """
        space, archive = problem.supernet.space, Archive(problem)
        genes = space.canonical(space.sample(self.options.starts, generator))
        for step in range(self.options.steps):
            best = self._best(problem, genes, archive.add(genes))
            genes = np.concatenate([best, _neighbours(space, best, generator)])
            listener(Progress("round", step + 1, self.options.steps, archive.best()))
        return archive.found()

    def _best(self, problem: Problem, genes: Genes, scores: Scores) -> Genes:
        """The best networks, those that meet the constraints first."""
        order = ranking(problem, scores)
        fits = scores.met(problem.constraints)[order]
        return genes[np.concatenate([order[fits], order[~fits]])[: self.options.kept]]


def _neighbours(space: SearchSpace, genes: Genes, generator: np.random.Generator) -> Genes:
    """Each network with each of its genes drawn anew, one at a time."""
    count = len(space.genes)
    near = np.repeat(genes, count, axis=0)
    columns = np.tile(np.arange(count), len(genes))
    near[np.arange(len(near)), columns] = generator.integers(0, space.sizes[columns])
    return space.canonical(near)
