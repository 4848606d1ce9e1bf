"""Search by mutation of units (Mills et al., CIKM 2021): for a front, or for the one best network.

For a front 100 random networks, then 10 rounds of 200 children of all that are non-dominated; for
the most accurate 20, then 4 rounds of 50 children of the ten best.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from attrs import define, field, frozen

from block_profile.reducing.options import MutationOptions
from block_profile.reducing.units import Part, mutated, parts_of
from ofa_plugins_core.archive import (
    Archive,
    demand_reachable,
    extreme_networks,
    filled,
    run_out,
)
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import Scores, asks_for_accuracy, joined, ranking
from ofa_plugins_core.values import Genes

FRONT: Final = (100, 10, 200)
BEST: Final = (20, 4, 50)
"""Random networks at first, rounds, children a round, as published."""


@frozen
class UnitMutation:
    """The published search on reduced spaces; it takes every space and every problem."""

    options: MutationOptions = field(factory=MutationOptions)

    def refuses(self, problem: Problem) -> str | None:
        """It takes everything that can be scored."""
        return asks_for_accuracy(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Draw, then mutate units of the best.

        Raises:
            InfeasibleError: a bound is out of reach, or no network was found within the tries.
        """
        demand_reachable(problem)
        run = _Run(problem, self.options, generator)
        return run_out(run.archive, partial(run.evolve, listener))


@define(eq=False)
class _Run:
    """One run: what it draws, and the archive of what it has seen."""

    problem: Problem
    options: MutationOptions
    generator: np.random.Generator
    archive: Archive = field(init=False)
    _parts: tuple[Part, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.archive = Archive(self.problem)
        self._parts = parts_of(self.problem.supernet.geometry())

    def evolve(self, listener: Listener) -> None:
        """The first networks, then the rounds."""
        given = (self.options.first, self.options.rounds, self.options.children)
        usual = FRONT if self.problem.front else BEST
        first, rounds, children = (u if g is None else g for g, u in zip(given, usual, strict=True))
        pool = self._first(first)
        listener(Progress("round", 0, rounds, self.archive.best()))
        for number in range(rounds):
            pool = self._best(pool)
            parents = self.archive.genes if self.problem.front else pool[0]
            if not len(parents):
                return
            made, worth = self._fitting(children, partial(self._children, parents))
            pool = np.concatenate([pool[0], made]), joined([pool[1], worth])
            listener(Progress("round", number + 1, rounds, self.archive.best()))

    def _first(self, want: int) -> tuple[Genes, Scores]:
        """Random networks that meet the bounds; the least of a bounded cost where none is drawn."""
        space = self.problem.supernet.space
        genes, scores = self._fitting(want, lambda n: space.sample(n, self.generator))
        if len(genes):
            return genes, scores
        return self.archive.met(extreme_networks(self.problem, self.problem.constraints))

    def _best(self, pool: tuple[Genes, Scores]) -> tuple[Genes, Scores]:
        """The parents of the next round where one best network is looked for, each once."""
        genes, scores = pool
        order = ranking(self.problem, scores)
        _, first = np.unique(genes[order], axis=0, return_index=True)
        rows = order[np.sort(first)][: self.options.parents]
        return genes[rows], scores.take(rows)

    def _children(self, parents: Genes, count: int) -> Genes:
        chosen = parents[self.generator.integers(len(parents), size=count)]
        space = self.problem.supernet.space
        return mutated(space, self._parts, chosen, self.options.chance, self.generator)

    def _fitting(self, want: int, draw: Callable[[int], Genes]) -> tuple[Genes, Scores]:
        """``want`` networks that meet the bounds; fewer where the tries run out."""
        canonical = self.problem.supernet.space.canonical
        return filled(want, self.options.tries, lambda n: canonical(draw(n)), self.archive.met)
