"""The sampler that everything else is compared with: uniform draws."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from attrs import field, frozen

from ofa_plugins_core.chain import Counting
from ofa_plugins_core.entries import SamplerEntry
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.values import RESOLUTION, Genes, SearchSpace


@frozen
class UniformOptions:
    """Options of ``uniform``."""

    over: Literal["options", "networks"] = field(
        default="options",
        metadata={"help": "each option equally likely, as published; or each distinct network"},
    )


@frozen(eq=False, slots=False)
class Uniform:
    """Uniform draws from a space, every image size equally likely.

    Over options, each gene is drawn by itself, as the published searches do: shallow networks
    come up more often than their number says, for many draws of genes are one network. Over
    networks, every distinct network is equally likely, by the space's exact counts.
    """

    space: SearchSpace
    over: Literal["options", "networks"] = "options"

    @cached_property
    def _counting(self) -> Counting:
        return Counting.of(self.space)

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        """Draw n architectures: (n, genes), canonical."""
        if self.over == "options":
            return self.space.canonical(self.space.sample(n, generator))
        genes = self._counting.draw(n, generator)
        sizes = len(self.space.resolutions)
        genes[:, RESOLUTION] = generator.integers(0, sizes, size=n, dtype=np.uint8)
        return genes


def _build(supernet: Supernet, options: UniformOptions) -> Uniform:
    return Uniform(supernet.space, options.over)


def entry() -> SamplerEntry:
    """The sampler ``uniform``."""
    return SamplerEntry(
        "uniform", "each option, or each network, equally likely", _build, UniformOptions
    )
