"""The searcher that everything else is compared with: random draws."""

from __future__ import annotations

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.archive import Archive
from ofa_plugins_core.entries import SearcherEntry
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import asks_for_accuracy

_CHUNK = 2**14


@frozen
class RandomOptions:
    """Options of ``random``."""

    draws: int = field(default=10_000, metadata={"help": "networks drawn"})


@frozen
class RandomSearch:
    """The best, or the front, of uniform draws: each option equally likely."""

    options: RandomOptions = RandomOptions()

    def refuses(self, problem: Problem) -> str | None:
        """It takes everything that can be scored."""
        return asks_for_accuracy(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Draw, score, keep.

        Raises:
            InfeasibleError: no draw meets the constraints.
        """
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


def entry() -> SearcherEntry:
    """The searcher ``random``."""
    return SearcherEntry(
        "random", "the best of uniform random draws: a baseline", RandomSearch, RandomOptions
    )
