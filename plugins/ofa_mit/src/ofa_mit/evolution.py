"""Evolutionary search as published with Once-for-All (ICLR 2020), with bounded tries.

A population of P networks that meet the bounds; in each of N generations the best quarter become
parents, half of the children are mutations of a parent, half are element-wise crossovers of two,
and children beyond a bound are drawn again. Unlike the published code it looks at the children of
the last generation too, takes every random choice from one generator, and ends where nothing fits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np
from attrs import define, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.archive import Archive, extreme_networks, reachable, unmet
from ofa_plugins_core.entries import SearcherEntry
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.scoring import Scores, all_separable, asks_for_accuracy, joined, ranking
from ofa_plugins_core.values import RESOLUTION, Genes

_FIRST_DRAWS: Final = 2**13


@frozen
class EvolutionOptions:
    """Options of ``evolution``; the defaults are those of OFA and CompOFA (MOOFA: 20 and 20)."""

    population: int = field(default=100, metadata={"help": "networks a generation"})
    generations: int = field(default=500, metadata={"help": "generations"})
    parents: float = field(
        default=0.25, metadata={"help": "share of the population that has children"}
    )
    mutated: float = field(
        default=0.5, metadata={"help": "share of the children that are mutations"}
    )
    mutation: float = field(default=0.1, metadata={"help": "chance that a gene mutates"})
    resolution_mutation: float = field(
        default=0.5, metadata={"help": "chance that the image size does"}
    )
    tries: int = field(
        default=50, metadata={"help": "most draws for a child, or a first network (×100)"}
    )


@frozen
class Evolution:
    """The published search for the one best network under bounds."""

    options: EvolutionOptions = EvolutionOptions()

    def refuses(self, problem: Problem) -> str | None:
        """Why it cannot take the problem: it looks for one network, not for a front."""
        if problem.front:
            return "it looks for one best network, not for a front"
        return asks_for_accuracy(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """Evolve a population.

        Raises:
            InfeasibleError: a bound is out of reach, or no network was found within the tries.
        """
        _check_reach(problem)
        run = _Run(problem, self.options, generator)
        try:
            run.evolve(listener)
        except KeyboardInterrupt:
            return run.archive.found(note=f"interrupted after {run.archive.evaluations:,} networks")
        return run.archive.found()


def _check_reach(problem: Problem) -> None:
    reached = {c: reachable(problem, c) for c in problem.constraints}
    if any(v is not None and not c.met(np.array([v]))[0] for c, v in reached.items()):
        raise unmet(problem, {c: v for c, v in reached.items() if v is not None}, 0)


@define(eq=False)
class _Run:
    """One run: what it draws, and the archive of what it has seen."""

    problem: Problem
    options: EvolutionOptions
    generator: np.random.Generator
    archive: Archive = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.archive = Archive(self.problem)

    def evolve(self, listener: Listener) -> None:
        """The first population, then the generations."""
        genes, scores = self._first()
        if not len(genes):
            return
        options, total = self.options, self.options.generations
        count = max(1, round(options.population * options.parents))
        mutated = round((options.population - count) * options.mutated)
        crossed = options.population - count - mutated
        for generation in range(total):
            rows = ranking(self.problem, scores)[:count]
            parents, kept = genes[rows], scores.take(rows)
            made = [
                self._fitting(mutated, partial(self._mutated, parents)),
                self._fitting(crossed, partial(self._crossed, parents)),
            ]
            genes = np.concatenate([parents, *(g for g, _ in made)])
            scores = joined([kept, *(s for _, s in made)])
            listener(Progress("generation", generation + 1, total, self.archive.best()))

    def _first(self) -> tuple[Genes, Scores]:
        """P networks that meet the bounds, or as many as the tries give."""
        space, want = self.problem.supernet.space, self.options.population
        batch = _FIRST_DRAWS if all_separable(self.problem) else want
        least = extreme_networks(self.problem, self.problem.constraints)
        found = [self._met(least)] if len(least) else []
        for _ in range(max(1, 100 * self.options.tries * want // batch)):
            if sum(len(g) for g, _ in found) >= want:
                break
            found.append(self._met(space.canonical(space.sample(batch, self.generator))))
        genes = np.concatenate([g for g, _ in found])[:want]
        return genes, joined([s for _, s in found]).take(np.arange(len(genes)))

    def _met(self, genes: Genes) -> tuple[Genes, Scores]:
        scores = self.archive.add(genes)
        rows = np.flatnonzero(scores.met(self.problem.constraints))
        return genes[rows], scores.take(rows)

    def _fitting(self, want: int, draw: Callable[[int], Genes]) -> tuple[Genes, Scores]:
        """``want`` children that meet the bounds; fewer where the tries run out."""
        space, left = self.problem.supernet.space, want
        found = []
        for _ in range(self.options.tries):
            genes, scores = self._met(space.canonical(draw(max(left, 1))))
            rows = np.arange(min(left, len(genes)))
            found.append((genes[rows], scores.take(rows)))
            left -= len(rows)
            if left <= 0:
                break
        return np.concatenate([g for g, _ in found]), joined([s for _, s in found])

    def _mutated(self, parents: Genes, count: int) -> Genes:
        """Parents with some genes drawn anew; genes carry the space's couplings with them."""
        children = parents[self.generator.integers(len(parents), size=count)]
        chance = np.full(children.shape[1], self.options.mutation)
        chance[RESOLUTION] = self.options.resolution_mutation
        changed = self.generator.random(children.shape) < chance
        fresh = self.problem.supernet.space.sample(count, self.generator)
        mutants: Genes = np.where(changed, fresh, children)
        return mutants

    def _crossed(self, parents: Genes, count: int) -> Genes:
        """Each gene from one of two parents."""
        pairs: NDArray[np.int64] = self.generator.integers(len(parents), size=(2, count))
        first = self.generator.random((count, parents.shape[1])) < 0.5
        children: Genes = np.where(first, parents[pairs[0]], parents[pairs[1]])
        return children


def entry() -> SearcherEntry:
    """The searcher ``evolution``."""
    return SearcherEntry(
        "evolution",
        "the published evolutionary search, with bounded tries",
        Evolution,
        EvolutionOptions,
    )
