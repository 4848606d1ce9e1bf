"""Searchers, each of which breaks one law."""

from __future__ import annotations

import random

from attrs import evolve

from ofa_plugins_core import InfeasibleError, SearcherEntry
from ofa_plugins_core.archive import Archive
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Found
from ofa_plugins_core.testing import everything


class Finds:
    """Finds a given network, or all of them, whatever is asked."""

    def __init__(self, row=-1, **odd):
        self.row, self.odd = row, odd

    def refuses(self, problem):
        return self.odd.get("reason")

    def search(self, problem, generator, listener=lambda event: None):
        listener(self.odd.get("event", Progress("step", 1, 1)))
        rows = everything(problem.supernet.space)
        if self.odd.get("random"):
            self.row = (self.row + 1) % len(rows)
        genes = rows if problem.front else rows[[self.row]]
        return Found(genes + self.odd.get("more", 0), True, 1)


class Proper:
    """Looks at every network; then something of it is changed."""

    def refuses(self, problem):
        return None

    def search(self, problem, generator, listener=lambda event: None):
        archive = Archive(problem)
        archive.add(everything(problem.supernet.space))
        return evolve(archive.found(), optimal=True)


class NothingFits(Proper):
    """Says no more than that."""

    def search(self, problem, generator, listener=None):
        try:
            return super().search(problem, generator)
        except InfeasibleError:
            raise InfeasibleError("nothing fits", smallest={}, binds="") from None


class GivesUp(Proper):
    """Loose bounds are too much work for it."""

    def search(self, problem, generator, listener=None):
        found = super().search(problem, generator)
        if problem.constraints and len(found.genes) and self.is_large(problem, found):
            raise InfeasibleError("too much", smallest={"params": 0.0}, binds="params")
        return found

    def is_large(self, problem, found):
        bound = problem.constraints[0]
        every = problem.costs.get(bound.name)
        rows = everything(problem.supernet.space)
        return every is not None and bound.met(every.evaluate(rows)).mean() > 0.8


class Seeds(Proper):
    def search(self, problem, generator, listener=None):
        random.seed(0)
        return super().search(problem, generator)


class Renames(Proper):
    def search(self, problem, generator, listener=None):
        vars(problem.supernet)["name"] += "'"
        return super().search(problem, generator)


BROKEN = {
    "refuses_in_words": lambda: Finds(reason=False),
    "finds_networks_of_the_space": lambda: Finds(more=2),
    "respects_bounds": lambda: Finds(-1),
    "says_what_is_infeasible": NothingFits,
    "same_generator_same_answer": lambda: Finds(0, random=True),
    "front_is_not_dominated": Finds,
    "optimal_is_true": lambda: Finds(0),
    "optimal_front_is_whole": lambda: Finds(0),
    "tighter_bounds_are_never_better": GivesUp,
    "tells_its_progress": lambda: Finds(event=Progress("step", 2, 1)),
    "no_other_randomness": Seeds,
    "supernet_stays": Renames,
}


def ofa_searchers(law, name):
    yield SearcherEntry(name, "breaks a law", lambda options: BROKEN[law]())
