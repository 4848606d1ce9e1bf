"""What a network is made of, without torch: ops with their shapes, blocks of ops, sites of blocks.

A supernet's geometry lists its sites: places that hold a block, each with the genes that decide
which one. Every computed cost, the table of ops that a device has to measure, and the picture of
a subnet come from the same blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final, Literal

import numpy as np
from attrs import frozen

from ofa_plugins_core.separable import Factor, Reduce, Separable
from ofa_plugins_core.values import ArchLike, Number, SearchSpace, parse_arch

Role = Literal["conv", "se", "pool", "head", "linear"]
SPATIAL: Final = ("depthwise", "spatial")
"""Names of the op of a block that works across pixels: MBConv's depthwise, ResNet's 3×3."""


def make_divisible(value: float, divisor: int = 8) -> int:
    """Nearest multiple of ``divisor``, halves up, at least one; never below 0.9 of the value."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


def output_size(size: int, stride: int) -> int:
    """Pixels a side after a convolution padded by half its kernel: ceil(size / stride)."""
    return -(-size // stride)


@frozen
class Op:
    """One convolution, pooling or linear layer, with the shapes it works on (batch 1).

    Attributes:
        name: within its block: ``expand``, ``depthwise``, ``project``, ``se.reduce``, …
        role: conv (on the feature map), se (inside squeeze-excite), pool, head (a convolution
            after the global pooling), linear.
        channels_in, channels_out: channels (features, for a linear layer).
        size_in, size_out: pixels a side.
        kernel, stride, groups: as in torch.
        bias: has a bias. norm: batch norm follows. activation: that follows, or None.
    """

    name: str
    role: Role
    channels_in: int
    channels_out: int
    size_in: int
    size_out: int
    kernel: int = 1
    stride: int = 1
    groups: int = 1
    bias: bool = False
    norm: bool = False
    activation: str | None = None

    @property
    def weights(self) -> int:
        """Elements of the weight tensor."""
        if self.role == "pool":
            return 0
        return self.channels_out * (self.channels_in // self.groups) * self.kernel**2

    @property
    def params(self) -> int:
        """Weights, bias, and batch norm's gamma and beta."""
        return self.weights + self.channels_out * (int(self.bias) + 2 * int(self.norm))

    @property
    def macs(self) -> int:
        """Multiply-accumulates; bias, batch norm, activation and pooling do not count."""
        return self.weights * self.size_out**2

    @property
    def inputs(self) -> int:
        """Elements of the input tensor."""
        return self.channels_in * self.size_in**2

    @property
    def outputs(self) -> int:
        """Elements of the output tensor."""
        return self.channels_out * self.size_out**2


@frozen
class Block:
    """Ops that belong together, in the order in which they run.

    Attributes:
        name: of its place: ``stem``, ``block 0``, ``stage 2 block 1``, ``classifier``, …
        kind: stem, mbconv, bottleneck, final_expand, feature_mix, pool, classifier.
        ops: in order; of a bottleneck the shortcut conv comes last.
        shortcut: the block's input is added to its output (identity).
        stage: number of its elastic stage from 1, or None.
        choice: what was chosen here, for pictures and tables: (("k", 7), ("e", 4)).
    """

    name: str
    kind: str
    ops: tuple[Op, ...]
    shortcut: bool = False
    stage: int | None = None
    choice: tuple[tuple[str, Number], ...] = ()

    @property
    def squeeze_excite(self) -> bool:
        """Whether it has a squeeze-excite branch."""
        return any(op.role == "se" for op in self.ops)


@frozen(eq=False)
class Site:
    """A place for a block.

    Attributes:
        name: of the place.
        genes: columns, increasing, of the genes that decide the block.
        block: (image size, value of each gene) -> the block, or None where the place is unused.
            The same arguments should give the same object: costs are priced once an object.
    """

    name: str
    genes: tuple[int, ...]
    block: Callable[[int, tuple[Number, ...]], Block | None]


@frozen(eq=False)
class Geometry:
    """The sites of a supernet, in the order in which a network runs through them."""

    space: SearchSpace
    sites: tuple[Site, ...]

    def blocks(self, arch: ArchLike) -> tuple[Block, ...]:
        """The blocks of one architecture, at its image size (any from 32 pixels up)."""
        size = parse_arch(self.space, arch).image_size
        row = self.space.with_resolutions([size]).encode([arch])[0]
        found = (
            site.block(size, tuple(self.space.genes[c].options[row[c]] for c in site.genes))
            for site in self.sites
        )
        return tuple(b for b in found if b is not None)

    def options(self, site: Site, size: int) -> Iterator[tuple[tuple[int, ...], Block | None]]:
        """Every combination of a site's options: (option indices, its block)."""
        choices = [list(enumerate(self.space.genes[c].options)) for c in site.genes]
        for combination in product(*choices):
            index = tuple(i for i, _ in combination)
            yield index, site.block(size, tuple(v for _, v in combination))

    def separable(self, size: int, price: Callable[[Block], Number], reduce: Reduce) -> Separable:
        """Price every block that can stand anywhere: the cost as tables over genes.

        Args:
            size: image size in pixels.
            price: a block's term; a place that is unused counts 0.
            reduce: how the terms join, ``sum`` or ``max``.
        """
        priced: dict[int, tuple[Block, Number]] = {}  # the block itself keeps its id alive
        factors = []
        for site in self.sites:
            shape = [len(self.space.genes[c].options) for c in site.genes]
            terms: list[Number] = []
            for _, block in self.options(site, size):
                if block is None:
                    terms.append(0)
                    continue
                if id(block) not in priced:
                    priced[id(block)] = (block, price(block))
                terms.append(priced[id(block)][1])
            whole = all(isinstance(t, int) for t in terms)
            table = np.array(terms, dtype=np.int64 if whole else float).reshape(shape)
            factors.append(Factor(site.name, site.genes, table))
        return Separable(reduce, tuple(factors))
