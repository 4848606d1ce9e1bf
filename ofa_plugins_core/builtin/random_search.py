"""The searcher that everything else is compared with: random draws."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.archive import Archive, demand_reachable
from ofa_plugins_core.builtin.options import RandomOptions as RandomOptions
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import asks_for_accuracy

_CHUNK = 2**14


@frozen
class RandomSearch:
    """The best, or the front, of uniform draws: each option equally likely."""

    options: RandomOptions = field(factory=RandomOptions)

    def refuses(self, problem: Problem) -> str | None:
        """It takes everything that can be scored."""
        return asks_for_accuracy(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Draw, score, keep.

        Raises:
            InfeasibleError: a bound is out of reach, or no draw meets the constraints.
        """
        demand_reachable(problem)
        archive, space, total = Archive(problem), problem.supernet.space, self.options.draws
        try:
            for start in range(0, total, _CHUNK):
                draws = space.sample(min(_CHUNK, total - start), generator)
                archive.add(space.canonical(draws))
                done = min(start + _CHUNK, total)
                listener(Progress("draw", done, total, archive.best()))
        except KeyboardInterrupt:
            return archive.found(note=f"interrupted after {archive.evaluations:,} draws")
        return archive.found()
