"""Laws of samplers: (sampler, supernet, generator)."""

from __future__ import annotations

from copy import deepcopy
from typing import Final

import numpy as np

from ofa_plugins_core.interfaces import Sampler, Supernet
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand, effects

Rng = np.random.Generator
COUNTS: Final = (1, 7, 100)
SEEDS: Final = (0, 1)
FEW: Final = 4
"""Networks of a space that leaves a sampler no choice."""


def draws_what_is_asked(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """n networks are an (n, genes) array of small integers.

    Return exactly n rows with a column for each gene, as numpy's uint8.
    """
    for n in COUNTS:
        rows = sampler.sample(n, generator)
        wanted = (n, len(supernet.space.genes))
        demand(
            rows.shape == wanted,
            f"asked for {n}, it draws an array of shape {rows.shape}, not {wanted}",
        )
        demand(rows.dtype == np.uint8, f"it draws numbers of type {rows.dtype}, not uint8")


def none_is_a_number_too(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """No networks are an empty (0, genes) array.

    Return np.zeros((0, genes), np.uint8) for n = 0.
    """
    rows = sampler.sample(0, generator)
    wanted = (0, len(supernet.space.genes))
    demand(
        rows.shape == wanted, f"asked for 0, it draws an array of shape {rows.shape}, not {wanted}"
    )


def stays_inside(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """Every draw is a network of the space.

    Draw each gene's option below space.sizes.
    """
    rows = sampler.sample(max(COUNTS), generator)
    outside = rows >= supernet.space.sizes
    columns = np.flatnonzero(outside.any(axis=0))
    names = [supernet.space.genes[c].name for c in columns]
    demand(not names, f"options that do not exist were drawn for {', '.join(names)}")


def draws_are_canonical(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """Every draw is in canonical form: equal rows are equal networks.

    Return space.canonical(rows).
    """
    rows = sampler.sample(max(COUNTS), generator)
    wrong = np.flatnonzero((rows != supernet.space.canonical(rows)).any(axis=1))
    demand(len(wrong) == 0, f"{len(wrong)} of {len(rows)} draws are not canonical")


def same_generator_same_draw(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """The same state of the generator gives the same draw.

    Draw from the generator that you are given, alone, and keep nothing between calls.
    """
    again = deepcopy(generator)
    first, second = sampler.sample(50, generator), sampler.sample(50, again)
    demand(np.array_equal(first, second), "the same generator state gave two different draws")


def draws_by_the_generator(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """One generator asked again, and other seeds, do not all give the same draw.

    Draw from the generator that you are given: one of your own gives every user the same networks.
    """
    count = supernet.space.count()
    if count <= FEW:
        raise NotApplicableError(f"the space has {count} networks: draws may well be the same")
    first = sampler.sample(50, generator)
    others = [generator, *(np.random.default_rng(seed) for seed in SEEDS)]
    same = all(np.array_equal(first, sampler.sample(50, other)) for other in others)
    demand(not same, f"{1 + len(others)} draws from {len(SEEDS) + 1} generators are the very same")


def used(sampler: Sampler, supernet: Supernet, generator: Rng) -> None:
    """As jobs use it."""
    for n in COUNTS:
        sampler.sample(n, generator)


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used)

LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    same_generator_same_draw,  # next: others compare two calls, too
    draws_what_is_asked,
    none_is_a_number_too,
    stays_inside,
    draws_are_canonical,
    draws_by_the_generator,
    no_other_randomness,
)
