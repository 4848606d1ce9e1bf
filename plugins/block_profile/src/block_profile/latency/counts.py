"""Networks as plain numbers, for the forms that need no row: counts of ops, and where each is."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import Values
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.values import RESOLUTION, Genes

SIDE: Final = 224
"""Pixels of which an image size is a part."""


@frozen(eq=False, slots=False)
class Counts:
    """Networks as counts: of each op in each unit, of each op, of blocks; and the image size."""

    supernet: Supernet

    @cached_property
    def spelling(self) -> Spelling:
        """Whose words are the ops."""
        return Spelling.of(self.supernet.geometry())

    def __call__(self, genes: Genes) -> Values:
        """(n, genes) -> (n, features)."""
        numbers = self.spelling.numbers(genes)
        words = len(self.spelling.words)
        found = [numbers[:, None, list(g)] for g in self.spelling.groups]
        units = [(unit == np.arange(words)[:, None]).sum(axis=2) for unit in found]
        used = (numbers >= 0).sum(axis=1)
        every = [*units, sum(units), used[:, None], sizes_of(self.supernet, genes)[:, None]]
        return np.concatenate(every, axis=1).astype(float)


@frozen(eq=False)
class Scaled:
    """What a linear fit weighs: ops, ops times the image's area, and each image size.

    Attributes:
        counts: of the supernet.
        by: ``counts``: of each op in each unit; ``places``: whether an op is at a place.
    """

    counts: Counts
    by: str

    def __call__(self, genes: Genes) -> Values:
        """(n, genes) -> (n, features)."""
        found = self.counts(genes)[:, :-1] if self.by == "counts" else self._places(genes)
        supernet = self.counts.supernet
        side = sizes_of(supernet, genes)[:, None]
        each = side == np.array(supernet.resolutions)  # a table's rows are of one size each
        return np.concatenate([found, found * (side / SIDE) ** 2, each], axis=1)

    def _places(self, genes: Genes) -> Values:
        numbers = self.counts.spelling.numbers(genes)[:, :, None]
        found = numbers == np.arange(-1, len(self.counts.spelling.words))
        flat: Values = found.reshape(len(genes), -1).astype(float)
        return flat


def sizes_of(supernet: Supernet, genes: Genes) -> Values:
    """(n, genes) -> (n,) image sizes, pixels."""
    found: Values = np.array(supernet.resolutions, dtype=float)[genes[:, RESOLUTION]]
    return found
