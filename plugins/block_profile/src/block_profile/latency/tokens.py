"""Networks as rows of blocks: a number for each block, and six sizes."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.geometry import Block, parts
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.values import RESOLUTION, Genes

SIZES: Final = 6
"""Of a block: height in and out, width in and out, channels in and out."""


@frozen(eq=False)
class Rows:
    """Networks as rows, each packed to the front.

    Attributes:
        ops: (n, places) numbers of the vocabulary; 0 behind a network's end.
        sizes: (n, places, 6) logarithms, standardised over the supernet's blocks; 0 behind the end.
        lengths: (n,) blocks.
    """

    ops: NDArray[np.int64]
    sizes: NDArray[np.float32]
    lengths: NDArray[np.int64]


@frozen(eq=False, slots=False)
class Tokens:
    """How the networks of a supernet become rows.

    Attributes:
        supernet: at the image sizes of the data.
        spelling: whose words are the vocabulary.
    """

    supernet: Supernet
    spelling: Spelling

    @classmethod
    def of(cls, supernet: Supernet) -> Tokens:
        """Raises UsageError where its networks cannot be told apart by their blocks."""
        return cls(supernet, Spelling.of(supernet.geometry()))

    @cached_property
    def _tables(self) -> list[NDArray[np.float32]]:
        """Of each place the sizes of its block, for each image size and combination of its genes.

        The paper normalises without saying how. Heights and channels change by factors along a
        network: as parts of the largest they hardly tell the places of its end apart.
        """
        geometry = self.supernet.geometry()
        found = []
        for size in self.supernet.resolutions:
            catalogue = geometry.catalogue(size)
            sizes = [np.log(_sizes(b)) for b in catalogue.blocks] + [np.full(SIZES, np.nan)]
            found.append([np.array(sizes)[catalogue.places[p.site]] for p in self.spelling.places])
        tables = [np.stack(place) for place in zip(*found, strict=True)]
        every = np.concatenate([table.reshape(-1, SIZES) for table in tables])
        centre, spread = np.nanmean(every, axis=0), np.nanstd(every, axis=0)
        spread[spread == 0] = 1.0
        return [np.nan_to_num((table - centre) / spread).astype(np.float32) for table in tables]

    def rows(self, genes: Genes) -> Rows:
        """(n, genes) of the supernet -> their rows."""
        numbers = self.spelling.numbers(genes)
        geometry = self.supernet.geometry()
        sizes = np.empty((*numbers.shape, SIZES), dtype=np.float32)
        for column, (place, table) in enumerate(
            zip(self.spelling.places, self._tables, strict=True)
        ):
            chosen = tuple(genes[:, c] for c in geometry.sites[place.site].genes)
            sizes[:, column] = table[(genes[:, RESOLUTION], *chosen)]
        used = numbers >= 0
        order = np.argsort(~used, axis=1, kind="stable")
        lengths = used.sum(axis=1)
        behind = np.arange(numbers.shape[1]) >= lengths[:, None]
        ops = np.where(behind, 0, np.take_along_axis(numbers, order, axis=1))
        packed = np.take_along_axis(sizes, order[:, :, None], axis=1)
        packed[behind] = 0
        return Rows(ops, packed, lengths)


def _sizes(block: Block) -> tuple[int, ...]:
    main = [op for group in parts(block)[0] for op in group] or list(block.ops)
    if not main:
        return (1,) * SIZES
    first, last = main[0], main[-1]
    sides = (first.size_in, last.size_out)
    return (*sides, *sides, first.channels_in, last.channels_out)
