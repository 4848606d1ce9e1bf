"""MBConv supernets: OFA's MobileNetV3 and ProxylessNAS, CompOFA's and MOOFA's, and users' own.

One row of data describes a network; from it come the search space and the sites of blocks.
Source: Once-for-All (ICLR 2020), section 3 and the published networks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Literal

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_mit import checks
from ofa_mit.recipe import Recipe
from ofa_plugins_core.geometry import Block, Op, Site, make_divisible, output_size
from ofa_plugins_core.values import Derived, Dimension, Gene, Number, SearchSpace

Activation = Literal["relu", "relu6", "h_swish"]


@frozen(kw_only=True, cache_hash=True)
class MobileRow:
    """An MBConv network and its options, as data; also what a user writes in YAML.

    Lists with one entry a stage: ``widths``, ``strides``, ``activations``, ``se`` and, where given,
    ``max_depths``.
    """

    stem: int = field(metadata={"help": "channels of the first convolution (3×3)"})
    first: int = field(metadata={"help": "channels of block 0 (e = 1, k = 3, stride 1)"})
    widths: tuple[int, ...] = field(metadata={"help": "channels of each elastic stage"})
    strides: tuple[int, ...] = field(metadata={"help": "stride of each stage's first block"})
    activations: tuple[Activation, ...] = field(metadata={"help": "activation of each stage"})
    se: tuple[bool, ...] = field(metadata={"help": "squeeze-excite in each stage"})
    feature_mix: int = field(metadata={"help": "channels of the last 1×1 convolution"})
    final_expand: int | None = field(
        default=None, metadata={"help": "channels of the 1×1 convolution before pooling, or null"}
    )
    ks: tuple[int, ...] = field(default=(3, 5, 7), metadata={"help": "kernel sizes, odd"})
    e: tuple[Number, ...] = field(default=(3, 4, 6), metadata={"help": "expand ratios"})
    d: tuple[int, ...] = field(default=(2, 3, 4), metadata={"help": "blocks of a stage"})
    max_depths: tuple[int, ...] | None = field(
        default=None, metadata={"help": "most blocks of each stage, where fewer than max(d)"}
    )
    resolutions: tuple[int, ...] = field(
        default=(128, 160, 192, 224), metadata={"help": "image sizes in pixels"}
    )
    stem_stride: int = field(
        default=2, metadata={"help": "stride of the first convolution; 1 for small images"}
    )
    stem_activation: Activation = "h_swish"
    first_activation: Activation = "relu"
    head_activation: Activation = "h_swish"
    mix_before_pool: bool = False
    unit_expand: Literal["kept", "dropped"] = field(
        default="kept", metadata={"help": "the expand convolution of a block with e = 1"}
    )
    norm_eps: float = 1e-5
    dropout: float = 0.1
    classes: int = 1000

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where the row does not describe a network."""
        lists = {"strides": self.strides, "activations": self.activations, "se": self.se}
        checks.stages(len(self.widths), **lists, max_depths=self.max_depths)
        final = () if self.final_expand is None else (self.final_expand,)
        channels = {"stem": (self.stem,), "first": (self.first,), "widths": self.widths}
        channels |= {"feature_mix": (self.feature_mix,), "final_expand": final}
        for name, values in channels.items():
            checks.in_range(name, values, 1, checks.MAX_CHANNELS)
        checks.in_range("strides", self.strides, 1, 8)
        checks.in_range("stem_stride", (self.stem_stride,), 1, 2)
        checks.in_range("dropout", (self.dropout,), 0, 0.99)
        checks.common(self.resolutions, self.classes, self.norm_eps)
        self._check_options()

    def _check_options(self) -> None:
        checks.options("ks", self.ks, 1, checks.MAX_KERNEL)
        checks.kernels("ks", self.ks)
        checks.options("e", self.e, 0.01, checks.MAX_EXPAND)
        checks.options("d", self.d, 1, checks.MAX_DEPTH)
        checks.in_range("max_depths", self.max_depths or (), 1, checks.MAX_DEPTH)
        slots = sum(max(self.depths(stage)) for stage in range(len(self.widths)))
        checks.sizes(slots, ks=self.ks, e=self.e, d=self.d)

    def depths(self, stage: int) -> tuple[int, ...]:
        """Depth options of a stage (from 0), increasing."""
        most = max(self.d) if self.max_depths is None else self.max_depths[stage]
        return tuple(sorted(d for d in self.d if d <= most)) or (most,)

    def slots(self) -> Iterator[tuple[int, int, int, int]]:
        """(slot, stage, position in the stage, channels in) of every elastic block."""
        slot, width = 0, self.first
        for stage, out in enumerate(self.widths):
            for position in range(max(self.depths(stage))):
                yield slot, stage, position, width if position == 0 else out
                slot += 1
            width = out


def mobile_recipe(row: MobileRow) -> Recipe:
    """What a row's network in torch has beyond its geometry: learned kernel matrices among it."""
    kernels = tuple(sorted(row.ks))
    return Recipe("mobile", kernels, len(kernels) > 1, row.norm_eps, row.dropout)


def middle(channels: int, expand: Number) -> int:
    """Channels between expand and project: make_divisible(round(in · e), 8)."""
    return make_divisible(round(channels * expand), 8)


# ---------------------------------------------------------------------------- search space


def mobile_space(
    name: str,
    row: MobileRow,
    *,
    coupling: Mapping[int, Number] | None = None,
    kernels: Sequence[int] | None = None,
) -> SearchSpace:
    """The search space of a row.

    Args:
        name: of the space.
        row: options and stages.
        coupling: depth -> expand ratio of all blocks of the stage; None: each block's is free.
        kernels: one fixed kernel size a stage; None: each block's is free.
    """
    genes: list[Gene] = []
    ks: list[int | Derived] = []
    e: list[int | Derived] = []
    d: list[int | Derived] = []
    for slot, stage, position, channels in row.slots():
        if position == 0:
            d.append(len(genes) + 1)
            genes.append(Gene(f"d[{stage}]", row.depths(stage), stage))
        active = tuple(n > position for n in row.depths(stage))
        depth = _column(d[-1])
        if kernels is None:
            ks.append(len(genes) + 1)
            genes.append(_slot_gene(f"ks[{slot}]", sorted(row.ks), stage, depth, active))
        else:
            ks.append(Derived(depth, (kernels[stage],) * len(active), active))
        if coupling is None:
            e.append(len(genes) + 1)
            same = _same_width(row, channels)
            genes.append(_slot_gene(f"e[{slot}]", sorted(row.e), stage, depth, active, same))
        else:
            e.append(Derived(depth, tuple(coupling[n] for n in row.depths(stage)), active))
    dimensions = (
        Dimension("ks", tuple(ks), fixed=kernels is not None),
        Dimension("e", tuple(e)),
        Dimension("d", tuple(d)),
    )
    return SearchSpace.of(name, row.resolutions, genes, dimensions)


def _column(entry: int | Derived) -> int:
    assert isinstance(entry, int)
    return entry


def _slot_gene(
    name: str,
    options: Sequence[Number],
    stage: int,
    depth: int,
    active: Sequence[bool],
    same: Sequence[int] | None = None,
) -> Gene:
    """A gene of a slot: an inactive slot's options are all one, and so are equal widths."""
    stands_for = range(len(options)) if same is None else same
    table: NDArray[np.uint8] = np.array(
        [stands_for if used else [0] * len(options) for used in active], dtype=np.uint8
    )
    return Gene(name, tuple(options), stage, (depth,), table)


def _same_width(row: MobileRow, channels: int) -> list[int]:
    """For each expand ratio, the first one that gives the same block on so many channels."""
    shapes = [_shape(row, channels, e) for e in sorted(row.e)]
    return [shapes.index(s) for s in shapes]


def _shape(row: MobileRow, channels: int, expand: Number) -> tuple[int, bool]:
    """Channels inside a block, and whether it has an expand convolution to get there."""
    if expand == 1 and row.unit_expand == "dropped":
        return channels, False
    return middle(channels, expand), True


# ---------------------------------------------------------------------------- geometry


@lru_cache(maxsize=16384)
def mbconv_ops(
    channels: int,
    mid: int,
    out: int,
    size: int,
    kernel: int,
    stride: int,
    activation: str,
    se: bool,
    expand: bool,
) -> tuple[Op, ...]:
    """The ops of an MBConv block: expand, depthwise, squeeze-excite, project."""
    after = output_size(size, stride)
    ops = []
    if expand:
        ops.append(
            Op("expand", "conv", channels, mid, size, size, norm=True, activation=activation)
        )
    ops.append(
        Op(
            "depthwise",
            "conv",
            mid,
            mid,
            size,
            after,
            kernel,
            stride,
            groups=mid,
            norm=True,
            activation=activation,
        )
    )
    if se:
        hidden = make_divisible(mid // 4, 8)
        ops.append(Op("se.reduce", "se", mid, hidden, 1, 1, bias=True, activation="relu"))
        ops.append(Op("se.expand", "se", hidden, mid, 1, 1, bias=True, activation="h_sigmoid"))
    ops.append(Op("project", "conv", mid, out, after, after, norm=True))
    return tuple(ops)


@frozen(eq=False)
class _Slot:
    """One elastic place: what the row says of it, and how its choices are made.

    Attributes:
        row, stage, position: of the network, and where in it.
        channels: of the block's input.
        strides: before this block, that of the stem included.
        kernel, expand: depth -> the value that follows from it; None: a gene of its own.
    """

    row: MobileRow
    stage: int
    position: int
    channels: int
    strides: tuple[int, ...]
    kernel: Mapping[Number, Number] | None
    expand: Mapping[Number, Number] | None
    _made: dict[tuple[int, Number, Number], Block] = field(factory=dict, init=False, repr=False)

    def block(self, size: int, given: tuple[Number, ...]) -> Block | None:
        """The block for an image size and the values of its genes: depth, then what is free."""
        depth = given[0]
        if depth <= self.position:
            return None
        kernel = given[1] if self.kernel is None else self.kernel[depth]
        expand = given[-1] if self.expand is None else self.expand[depth]
        key = (size, kernel, expand)
        if key not in self._made:
            self._made[key] = self._make(_reduced(size, self.strides), int(kernel), expand)
        return self._made[key]

    def _make(self, size: int, kernel: int, expand: Number) -> Block:
        row, stage, out = self.row, self.stage, self.row.widths[self.stage]
        stride = row.strides[stage] if self.position == 0 else 1
        mid, has_expand = _shape(row, self.channels, expand)
        activation, se = row.activations[stage], row.se[stage]
        return Block(
            f"stage {stage + 1} block {self.position + 1}",
            "mbconv",
            mbconv_ops(self.channels, mid, out, size, kernel, stride, activation, se, has_expand),
            shortcut=stride == 1 and self.channels == out,
            stage=stage + 1,
            choice=(("k", kernel), ("e", expand)),
        )


def _by_depth(entry: int | Derived, depths: Sequence[Number]) -> Mapping[Number, Number] | None:
    """Depth -> value of an entry that follows from the depth; None where it has its own gene."""
    if isinstance(entry, int):
        return None
    values = entry.values * len(depths) if entry.gene is None else entry.values
    return dict(zip(depths, values, strict=True))


def _reduced(size: int, strides: Sequence[int]) -> int:
    for stride in strides:
        size = output_size(size, stride)
    return size


def mobile_sites(row: MobileRow, space: SearchSpace) -> Iterator[Site]:
    """The places for blocks, in the order in which a network runs through them."""
    entries = {d.key: d.entries for d in space.dimensions}
    yield Site("stem", (), lambda size, _: _stem(row, size))
    yield Site("block 0", (), lambda size, _: _first(row, size))
    for slot, stage, position, channels in row.slots():
        kernel, expand = entries["ks"][slot], entries["e"][slot]
        free = [entry for entry in (kernel, expand) if isinstance(entry, int)]
        depth = _column(entries["d"][stage])
        depths = space.genes[depth].options
        place = _Slot(
            row,
            stage,
            position,
            channels,
            (row.stem_stride, *row.strides[: stage + (position > 0)]),
            _by_depth(kernel, depths),
            _by_depth(expand, depths),
        )
        name = f"stage {stage + 1} block {position + 1}"
        yield Site(name, (depth, *free), place.block)
    for number, block in enumerate(_head(row, row.resolutions[0])):
        yield Site(block.name, (), partial(_head_block, row, number))


@lru_cache(maxsize=1024)
def _stem(row: MobileRow, size: int) -> Block:
    op = Op(
        "conv",
        "conv",
        3,
        row.stem,
        size,
        output_size(size, row.stem_stride),
        3,
        row.stem_stride,
        norm=True,
        activation=row.stem_activation,
    )
    return Block("stem", "stem", (op,))


@lru_cache(maxsize=1024)
def _first(row: MobileRow, size: int) -> Block:
    ops = mbconv_ops(
        row.stem,
        row.stem,
        row.first,
        output_size(size, row.stem_stride),
        3,
        1,
        row.first_activation,
        se=False,
        expand=False,
    )
    choice = (("k", 3), ("e", 1))
    return Block("block 0", "mbconv", ops, shortcut=row.stem == row.first, choice=choice)


def _head_block(row: MobileRow, number: int, size: int, values: tuple[Number, ...]) -> Block:
    return _head(row, size)[number]


@lru_cache(maxsize=1024)
def _head(row: MobileRow, size: int) -> tuple[Block, ...]:
    """What follows the last stage: final expand, pooling and feature mix, classifier."""
    last = _reduced(size, (row.stem_stride, *row.strides))
    width, act = row.widths[-1], row.head_activation
    blocks = []
    if row.final_expand is not None:
        op = Op("conv", "conv", width, row.final_expand, last, last, norm=True, activation=act)
        blocks.append(Block("final expand", "final_expand", (op,)))
        width = row.final_expand
    pooled, mixed = (row.feature_mix, last) if row.mix_before_pool else (width, 1)
    pool = Block("pool", "pool", (Op("mean", "pool", pooled, pooled, last, 1, last, last),))
    mix = Op(
        "conv",
        "conv" if row.mix_before_pool else "head",
        width,
        row.feature_mix,
        mixed,
        mixed,
        norm=row.mix_before_pool,
        activation=act,
    )
    mixing = Block("feature mix", "feature_mix", (mix,))
    blocks += [mixing, pool] if row.mix_before_pool else [pool, mixing]
    linear = Op("linear", "linear", row.feature_mix, row.classes, 1, 1, bias=True)
    return (*blocks, Block("classifier", "classifier", (linear,)))
