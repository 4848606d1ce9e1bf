"""What a network is made of, without torch: ops with their shapes, blocks of ops, sites of blocks.

A supernet's geometry lists its sites: places that hold a block, each with the genes that decide
which one. Every computed cost, the table of ops that a device has to measure, and the picture of
a subnet come from the same blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Final, Literal

import numpy as np
from attrs import asdict, field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.separable import Factor, Reduce, Separable, on_grid
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
        name: within its block: ``expand``, ``depthwise``, ``project``, ``se.reduce``, …; a pooling
            is ``mean`` (global), ``max`` or ``shortcut.pool`` (average, windows at the edge as
            large as they really are).
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
        activation: that follows the sum with the shortcut, or None.
    """

    name: str
    kind: str
    ops: tuple[Op, ...]
    shortcut: bool = False
    stage: int | None = None
    choice: tuple[tuple[str, Number], ...] = ()
    activation: str | None = None

    @property
    def squeeze_excite(self) -> bool:
        """Whether it has a squeeze-excite branch."""
        return any(op.role == "se" for op in self.ops)

    def as_dict(self) -> dict[str, Any]:
        """What it is made of, ready for JSON, without its place: equal dicts run alike.

        ``{"shortcut": bool, "activation": name or null, "ops": [{"name", "role", "channels_in",
        "channels_out", "size_in", "size_out", "kernel", "stride", "groups", "bias", "norm",
        "activation"}, …]}``.
        """
        return {
            "shortcut": self.shortcut,
            "activation": self.activation,
            "ops": [asdict(op) for op in self.ops],
        }


def parts(block: Block) -> tuple[tuple[tuple[Op, ...], ...], tuple[Op, ...]]:
    """The ops of a block by how they are joined: (main branch, shortcut).

    The main branch is a chain of single ops, and of pairs: squeeze-excite's reduce and expand.
    """
    main: list[tuple[Op, ...]] = []
    shortcut: list[Op] = []
    for op in block.ops:
        if op.name.startswith("shortcut"):
            shortcut.append(op)
        elif op.name == "se.expand":
            main[-1] = (*main[-1], op)
        else:
            main.append((op,))
    return tuple(main), tuple(shortcut)


@frozen(eq=False)
class Site:
    """A place for a block.

    Attributes:
        name: of the place.
        genes: columns, increasing, of the genes that decide the block.
        block: (image size, value of each gene) -> the block, or None where the place is unused.
    """

    name: str
    genes: tuple[int, ...]
    block: Callable[[int, tuple[Number, ...]], Block | None]


@frozen(eq=False)
class Catalogue:
    """Every block that can stand anywhere at one image size, equal ones once.

    Attributes:
        blocks: that differ in what they are made of (of equal ones the first place's; those
            that do not share their tuple of ops may be there several times).
        places: for each site, which of ``blocks`` each combination of its genes' options gives:
            one axis a gene; ``len(blocks)`` where the place is unused.
    """

    blocks: tuple[Block, ...]
    places: tuple[NDArray[np.intp], ...]


@frozen(eq=False)
class Geometry:
    """The sites of a supernet, in the order in which a network runs through them."""

    space: SearchSpace
    sites: tuple[Site, ...]
    _catalogues: dict[int, Catalogue] = field(factory=dict, init=False, repr=False)

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

    def catalogue(self, size: int) -> Catalogue:
        """Every block that can stand anywhere at an image size (pixels); worked out once."""
        if size not in self._catalogues:
            self._catalogues[size] = self._listed(size)
        return self._catalogues[size]

    def _listed(self, size: int) -> Catalogue:
        numbers: dict[object, int] = {}
        blocks: list[Block] = []
        seen: dict[int, tuple[Block, int]] = {}  # the block itself keeps its id alive
        places = []
        for site in self.sites:
            found: list[int] = []
            for values in product(*(self.space.genes[c].options for c in site.genes)):
                block = site.block(size, values)
                if block is None:
                    found.append(-1)
                    continue
                if id(block) not in seen:
                    number = numbers.setdefault(_made_of(block), len(blocks))
                    seen[id(block)] = (block, number)
                    if number == len(blocks):
                        blocks.append(block)
                found.append(seen[id(block)][1])
            shape = [len(self.space.genes[c].options) for c in site.genes]
            places.append(np.array(found, dtype=np.intp).reshape(shape))
        return Catalogue(tuple(blocks), tuple(np.where(p < 0, len(blocks), p) for p in places))

    def separable(self, size: int, price: Callable[[Block], Number], reduce: Reduce) -> Separable:
        """Price every block that can stand anywhere: the cost as tables over genes.

        Args:
            size: image size in pixels.
            price: a block's term; a place that is unused counts 0. It is asked once for equal
                blocks: it must not depend on the name of the place.
            reduce: how the terms join, ``sum`` or ``max``.
        """
        catalogue = self.catalogue(size)
        prices = _numbers([*(price(block) for block in catalogue.blocks), 0])
        return Separable(
            reduce,
            tuple(
                Factor(site.name, site.genes, prices[place])
                for site, place in zip(self.sites, catalogue.places, strict=True)
            ),
        )


def _made_of(block: Block) -> object:
    """All but the name; ops are told apart by identity, which is quick: families share them."""
    return id(block.ops), block.kind, block.shortcut, block.stage, block.choice


def _numbers(values: list[Number]) -> NDArray[np.int64] | NDArray[np.float64]:
    """Whole numbers stay exact; what does not fit 64 bits, or is no whole number, is a float."""
    found = np.array(values)
    return found if found.dtype == np.int64 else on_grid(found.astype(float))
