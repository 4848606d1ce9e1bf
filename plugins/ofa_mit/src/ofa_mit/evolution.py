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

from ofa_mit.options import EvolutionOptions as EvolutionOptions
from ofa_plugins_core.archive import (
    Archive,
    demand_reachable,
    extreme_networks,
    filled,
    run_out,
)
from ofa_plugins_core.chain import Counting
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem, SeparableCost
from ofa_plugins_core.scoring import (
    Scorer,
    Scores,
    all_separable,
    asks_for_accuracy,
    joined,
    ranking,
    tabled_part,
)
from ofa_plugins_core.values import RESOLUTION, Genes

_FIRST_DRAWS: Final = 2**13


@frozen
class Evolution:
    """The published search for the one best network under bounds."""

    options: EvolutionOptions = field(factory=EvolutionOptions)

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
        demand_reachable(problem)
        run = _Run(problem, self.options, generator)
        return run_out(run.archive, partial(run.evolve, listener))


@define(eq=False)
class _Run:
    """One run: what it draws, and the archive of what it has seen."""

    problem: Problem
    options: EvolutionOptions
    generator: np.random.Generator
    archive: Archive = field(init=False)
    _within: dict[int, Counting] = field(init=False)
    _quick: bool = field(init=False)
    _sieve: Scorer | None = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.archive = Archive(self.problem)
        self._within = _within_maxima(self.problem)
        self._quick = all_separable(self.problem)
        part = tabled_part(self.problem)
        self._sieve = Scorer(part) if part.constraints and not self._quick else None

    def evolve(self, listener: Listener) -> None:
        """The first population, then the generations."""
        genes, scores = self._first(listener)
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

    def _first(self, listener: Listener) -> tuple[Genes, Scores]:
        """P networks that meet the bounds, or as many as the tries give.

        Where everything comes from tables, a draw is cheap; otherwise only what the tables let
        through is scored, and as seldom as for children.
        """
        want, quick = self.options.population, self._quick
        most = max(1, 100 * self.options.tries * want // _FIRST_DRAWS)
        found = [self._met(extreme_networks(self.problem, self.problem.constraints))]
        count, slow = len(found[0][0]), self.options.tries * want
        for _ in range(most):
            drawn = self._sifted(self._drawn(_FIRST_DRAWS))
            step = max(len(drawn), 1) if quick else want
            for start in range(0, len(drawn), step):
                if count >= want or slow <= 0:
                    break
                part = drawn[start : start + step]
                found.append(self.archive.met(part))
                count += len(found[-1][0])
                slow -= 0 if quick else len(part)
                listener(Progress("first networks", min(count, want), want, self.archive.best()))
            if count >= want or slow <= 0:
                break
        genes = np.concatenate([g for g, _ in found])[:want]
        return genes, joined([s for _, s in found]).take(np.arange(len(genes)))

    def _met(self, genes: Genes) -> tuple[Genes, Scores]:
        return self.archive.met(self._sifted(genes))

    def _sifted(self, genes: Genes) -> Genes:
        """Those that meet the bounds which tables can tell, where the rest is slow to score."""
        if self._sieve is None or not len(genes):
            return genes
        return genes[self._sieve(genes).met(self._sieve.problem.constraints)]

    def _drawn(self, count: int) -> Genes:
        """Networks at random; under bounds on maxima, of those that stay within them."""
        space = self.problem.supernet.space
        if not self._within:
            return space.canonical(space.sample(count, self.generator))
        sizes = np.array(list(self._within))[self.generator.integers(len(self._within), size=count)]
        genes = np.zeros((count, len(space.genes)), dtype=np.uint8)
        for index, counting in self._within.items():
            rows = np.flatnonzero(sizes == index)
            genes[rows] = counting.draw(len(rows), self.generator)
        genes[:, RESOLUTION] = sizes
        return genes

    def _fitting(self, want: int, draw: Callable[[int], Genes]) -> tuple[Genes, Scores]:
        """``want`` children that meet the bounds; fewer where the tries run out."""
        canonical = self.problem.supernet.space.canonical
        return filled(want, self.options.tries, lambda n: canonical(draw(n)), self._met)

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


def _within_maxima(problem: Problem) -> dict[int, Counting]:
    """Index of each image size -> its networks within the bounds on separable maxima.

    Empty where there is no such bound, or where no network meets them all.
    """
    bounds = [
        (cost, c.bound)
        for c in problem.constraints
        if c.relation == "<=" and isinstance(cost := problem.costs.get(c.name), SeparableCost)
    ]
    found = {}
    for index, size in enumerate(problem.supernet.resolutions):
        tables = [(cost.separable(size), bound) for cost, bound in bounds]
        maxima = [(table, bound) for table, bound in tables if table.reduce == "max"]
        counting = Counting.of(problem.supernet.space, maxima)
        if maxima and counting.total:
            found[index] = counting
    return found
