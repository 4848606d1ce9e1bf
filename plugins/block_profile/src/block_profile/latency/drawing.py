"""Distinct networks to be labelled, in an order by chance."""

from __future__ import annotations

from typing import Final

import numpy as np

from ofa_plugins_core.entries import SamplerEntry
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Sampler
from ofa_plugins_core.jobs.sampling import sampled
from ofa_plugins_core.values import Genes, SearchSpace

TRIES: Final = 50
"""Draws of as many networks as are asked for, before it is given up."""


def distinct_networks(
    entry: SamplerEntry, sampler: Sampler, space: SearchSpace, n: int, seed: int
) -> Genes:
    """(n, genes) canonical, each once, in the order in which they are drawn.

    Raises:
        UsageError: there are not so many, or the sampler does not find them.
        PluginError: what the sampler draws are no networks; with blame.
    """
    every = space.count() * len(space.resolutions)
    if n > every:
        raise UsageError(f"--n {n:,}: {space.name} has {every:,} networks at these image sizes")
    generator = np.random.Generator(np.random.PCG64(seed))
    found = np.empty((0, len(space.genes)), dtype=np.uint8)
    for _ in range(TRIES):
        found = _each_once(np.concatenate([found, sampled(entry, sampler, space, n, generator)]))
        if len(found) >= n:
            return found[:n]
    raise UsageError(
        f"the sampler {entry.name} found only {len(found):,} distinct networks in {TRIES} draws of "
        f"{n:,}",
        advice="a smaller --n, or --sampler uniform",
    )


def _each_once(genes: Genes) -> Genes:
    _, first = np.unique(genes, axis=0, return_index=True)
    kept: Genes = genes[np.sort(first)]
    return kept
