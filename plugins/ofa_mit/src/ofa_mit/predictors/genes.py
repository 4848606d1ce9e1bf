"""The layout ``genes``: any space's architectures as one-hot genes and the image size.

A slot that an architecture does not use is all zero, as in the published layouts; options that
stand for the same network are one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.values import RESOLUTION, Gene, Genes, SearchSpace

Bits = NDArray[np.float32]


def shape_of(space: SearchSpace) -> list[list[Any]]:
    """[name, options] of each gene but the resolution: what a network's inputs mean."""
    return [[g.name, list(g.options)] for i, g in enumerate(space.genes) if i != RESOLUTION]


@frozen(eq=False)
class GenesLayout:
    """How a network that was fitted here reads an architecture.

    Attributes:
        centre, scale: of the image sizes, in pixels: the last input is (size − centre) / scale.
    """

    centre: float
    scale: float

    @classmethod
    def over(cls, sizes: tuple[int, ...]) -> GenesLayout:
        """For networks of these image sizes (pixels)."""
        return cls((min(sizes) + max(sizes)) / 2, max((max(sizes) - min(sizes)) / 2, 32.0))

    def inputs(self, space: SearchSpace) -> int:
        """Length of the vector."""
        return sum(len(options) for _, options in shape_of(space)) + 1

    def encode(self, space: SearchSpace, genes: Genes) -> Bits:
        """(n, genes) -> (n, inputs)."""
        genes = space.canonical(genes)
        parts = [
            _one_hot(gene, column, genes)
            for column, gene in enumerate(space.genes)
            if column != RESOLUTION
        ]
        sizes = np.array(space.resolutions, dtype=float)[genes[:, RESOLUTION]]
        last = ((sizes - self.centre) / self.scale)[:, None].astype(np.float32)
        return np.concatenate([*parts, last], axis=1)


def _one_hot(gene: Gene, column: int, genes: Genes) -> Bits:
    """(n, options): the chosen one; all zero where only one network is to be had."""
    stands = gene.representatives() == np.arange(len(gene.options))
    used = np.atleast_1d(stands.sum(axis=-1) > 1)
    active = used[tuple(genes[:, c] for c in gene.controls)] if gene.controls else used[[0]]
    hot = genes[:, [column]] == np.arange(len(gene.options))
    return np.asarray(hot & np.reshape(active, (-1, 1)), dtype=np.float32)
