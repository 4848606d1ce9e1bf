"""Bottleneck supernets: OFA's ResNet-50D with elastic depth, expand ratio and width."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from attrs import field, frozen

from ofa_mit import checks
from ofa_mit.recipe import Recipe
from ofa_plugins_core.geometry import Block, Op, Site, make_divisible, output_size
from ofa_plugins_core.values import MAX_OPTIONS, Dimension, Gene, Number, SearchSpace

Widths = tuple[int, ...]


@frozen(kw_only=True, cache_hash=True)
class ResidualRow:
    """A bottleneck network and its options, as data; also what a user writes in YAML.

    Every width lists its options, narrow to wide; an architecture's ``w`` are indices into them.
    """

    stem_mid: Widths = field(metadata={"help": "width options inside the input stem"})
    stem: Widths = field(metadata={"help": "width options of the input stem"})
    widths: tuple[Widths, ...] = field(metadata={"help": "width options of each stage"})
    strides: tuple[int, ...] = field(metadata={"help": "stride of each stage's first block"})
    base_depths: tuple[int, ...] = field(metadata={"help": "fewest blocks of each stage"})
    e: tuple[float, ...] = field(default=(0.2, 0.25, 0.35), metadata={"help": "expand ratios"})
    d: tuple[int, ...] = field(default=(0, 1, 2), metadata={"help": "blocks beyond the fewest"})
    resolutions: tuple[int, ...] = field(
        default=(128, 160, 192, 224), metadata={"help": "image sizes in pixels"}
    )
    stem_stride: int = field(
        default=2, metadata={"help": "stride of the first convolution; 1 for small images"}
    )
    max_pool: bool = field(
        default=True, metadata={"help": "the max pool of stride 2 after the stem"}
    )
    norm_eps: float = 1e-5
    classes: int = 1000

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where the row does not describe a network."""
        checks.stages(len(self.widths), strides=self.strides, base_depths=self.base_depths)
        named = {"stem_mid": self.stem_mid, "stem": self.stem}
        named |= {f"widths[{i}]": widths for i, widths in enumerate(self.widths)}
        for name, widths in named.items():
            if not 1 <= len(widths) <= MAX_OPTIONS or len(widths) != len(self.stem):
                raise ValueError(
                    f"{name}: stem_mid, stem and every stage must list as many widths, found "
                    f"{len(widths)} and {len(self.stem)}"
                )
            checks.in_range(name, widths, 1, checks.MAX_CHANNELS)
        checks.in_range("strides", self.strides, 1, 8)
        checks.in_range("stem_stride", (self.stem_stride,), 1, 2)
        checks.in_range("base_depths", self.base_depths, 1, checks.MAX_DEPTH)
        checks.common(self.resolutions, self.classes, self.norm_eps)
        checks.options("e", self.e, 0.01, checks.MAX_EXPAND)
        checks.options("d", self.d, 0, checks.MAX_DEPTH)
        slots = sum(self.base_depths) + max(self.d) * len(self.widths)
        checks.sizes(slots, w=self.stem, before=self.stem, e=self.e)

    def slots(self) -> Iterator[tuple[int, int, int]]:
        """(slot, stage, position in the stage) of every block."""
        slot = 0
        for stage, base in enumerate(self.base_depths):
            for position in range(base + max(self.d)):
                yield slot, stage, position
                slot += 1


def residual_recipe(row: ResidualRow) -> Recipe:
    """What a row's network in torch has beyond its geometry."""
    return Recipe("residual", eps=row.norm_eps)


def middle(out: int, expand: Number) -> int:
    """Channels inside a bottleneck: make_divisible(round(out · e), 8)."""
    return make_divisible(round(out * expand), 8)


# ---------------------------------------------------------------------------- search space


def residual_space(name: str, row: ResidualRow) -> SearchSpace:
    """The search space of a row: d (stem and stages), e (slots), w (stem twice, stages)."""
    indices = tuple(range(len(row.stem)))
    genes = [
        Gene("d[0]", (0, 2), 0),  # 2 keeps the stem's residual convolution, 0 skips it
        Gene("w[0]", indices, 0, (), _equal(row.stem_mid)),
        Gene("w[1]", indices, 0, (), _equal(row.stem)),
    ]
    d, w, e = [1], [2, 3], []
    for _, stage, position in row.slots():
        if position == 0:
            d.append(len(genes) + 1)
            genes.append(Gene(f"d[{stage + 1}]", tuple(sorted(row.d)), stage + 1))
            w.append(len(genes) + 1)
            equal = _equal(row.widths[stage])
            genes.append(Gene(f"w[{stage + 2}]", indices, stage + 1, (), equal))
        table = _expand_table(row, stage, position)
        e.append(len(genes) + 1)
        options = tuple(sorted(row.e))
        genes.append(Gene(f"e[{len(e) - 1}]", options, stage + 1, (d[-1], w[-1]), table))
    dimensions = (Dimension("d", tuple(d)), Dimension("e", tuple(e)), Dimension("w", tuple(w)))
    return SearchSpace.of(name, row.resolutions, genes, dimensions)


def _equal(widths: Widths) -> np.ndarray:
    """For each option the first one of the same width (the stem's 24 and 24)."""
    return np.array([widths.index(w) for w in widths], dtype=np.uint8)


def _expand_table(row: ResidualRow, stage: int, position: int) -> np.ndarray:
    """(d, w, e) -> the expand ratio that stands for it; all one where the block is unused."""
    table = np.zeros((len(row.d), len(row.widths[stage]), len(row.e)), dtype=np.uint8)
    for i, depth in enumerate(sorted(row.d)):
        if position >= row.base_depths[stage] + depth:
            continue
        for j, out in enumerate(row.widths[stage]):
            mids = [middle(out, e) for e in sorted(row.e)]
            table[i, j] = [mids.index(m) for m in mids]
    return table


# ---------------------------------------------------------------------------- geometry


def residual_sites(row: ResidualRow, space: SearchSpace) -> Iterator[Site]:
    """The places for blocks, in the order in which a network runs through them."""
    entries = {d.key: tuple(c for c in d.entries if isinstance(c, int)) for d in space.dimensions}
    d, w, e = entries["d"], entries["w"], entries["e"]
    yield Site("stem", (w[0],), lambda size, v: _stem(row, size, int(v[0])))
    yield Site("stem residual", (d[0], w[0]), lambda size, v: _stem_residual(row, size, v))
    yield Site("stem out", (w[0], w[1]), lambda size, v: _stem_out(row, size, v))
    if row.max_pool:
        yield Site("max pool", (w[1],), lambda size, v: _max_pool(row, size, int(v[0])))
    for slot, stage, position in row.slots():
        yield _block_site(row, stage, position, (d[stage + 1], w[stage + 1], w[stage + 2], e[slot]))
    yield Site("pool", (w[-1],), lambda size, v: _head(row, size, int(v[0]))[0])
    yield Site("classifier", (w[-1],), lambda size, v: _head(row, size, int(v[0]))[1])


def _block_site(row: ResidualRow, stage: int, position: int, columns: tuple[int, ...]) -> Site:
    depth, before, width, expand = columns
    name = f"stage {stage + 1} block {position + 1}"
    base = row.base_depths[stage]

    def first(size: int, v: tuple[Number, ...]) -> Block:
        return _bottleneck(row, stage, 0, size, int(v[0]), int(v[1]), v[2])

    def always(size: int, v: tuple[Number, ...]) -> Block:
        return _bottleneck(row, stage, position, size, int(v[0]), int(v[0]), v[1])

    def optional(size: int, v: tuple[Number, ...]) -> Block | None:
        return always(size, v[1:]) if position < base + v[0] else None

    if position == 0:
        return Site(name, (before, width, expand), first)
    if position < base:
        return Site(name, (width, expand), always)
    return Site(name, (depth, width, expand), optional)


@lru_cache(maxsize=4096)
def _stem(row: ResidualRow, size: int, mid: int) -> Block:
    width = row.stem_mid[mid]
    stride = row.stem_stride
    after = output_size(size, stride)
    op = Op("conv", "conv", 3, width, size, after, 3, stride, norm=True, activation="relu")
    return Block("stem", "stem", (op,), choice=(("w", width),))


@lru_cache(maxsize=4096)
def _stem_residual(row: ResidualRow, size: int, values: tuple[Number, ...]) -> Block | None:
    depth, mid = values
    if depth == 0:
        return None
    width, after = row.stem_mid[int(mid)], output_size(size, row.stem_stride)
    op = Op("conv", "conv", width, width, after, after, 3, norm=True, activation="relu")
    return Block("stem residual", "stem", (op,), shortcut=True)


@lru_cache(maxsize=4096)
def _stem_out(row: ResidualRow, size: int, values: tuple[Number, ...]) -> Block:
    mid, out = (row.stem_mid[int(values[0])], row.stem[int(values[1])])
    after = output_size(size, row.stem_stride)
    op = Op("conv", "conv", mid, out, after, after, 3, norm=True, activation="relu")
    return Block("stem out", "stem", (op,), choice=(("w", out),))


@lru_cache(maxsize=4096)
def _max_pool(row: ResidualRow, size: int, out: int) -> Block:
    width, before = row.stem[out], output_size(size, row.stem_stride)
    op = Op("max", "pool", width, width, before, output_size(before, 2), 3, 2)
    return Block("max pool", "pool", (op,))


@lru_cache(maxsize=65536)
def _bottleneck(
    row: ResidualRow, stage: int, position: int, size: int, before: int, width: int, e: Number
) -> Block:
    """Position 0 has a projected shortcut and the stride; ``before`` counts in the last widths."""
    out = row.widths[stage][width]
    into, stride = out, 1
    if position == 0:
        into = (row.stem if stage == 0 else row.widths[stage - 1])[before]
        stride = row.strides[stage]
    entry = _reduced(row, size, stage + (position > 0))
    after, mid = output_size(entry, stride), middle(out, e)
    ops = [
        Op("reduce", "conv", into, mid, entry, entry, norm=True, activation="relu"),
        Op("spatial", "conv", mid, mid, entry, after, 3, stride, norm=True, activation="relu"),
        Op("expand", "conv", mid, out, after, after, norm=True),
    ]
    if position == 0:
        if stride > 1:
            ops.append(Op("shortcut.pool", "pool", into, into, entry, after, stride, stride))
        ops.append(Op("shortcut", "conv", into, out, after, after, norm=True))
    return Block(
        f"stage {stage + 1} block {position + 1}",
        "bottleneck",
        tuple(ops),
        shortcut=position > 0,
        stage=stage + 1,
        choice=(("e", e), ("w", out)),
        activation="relu",
    )


def _reduced(row: ResidualRow, size: int, stages: int) -> int:
    """Pixels after the stem, the max pool and so many stages."""
    size = output_size(size, row.stem_stride)
    if row.max_pool:
        size = output_size(size, 2)
    for stride in row.strides[:stages]:
        size = output_size(size, stride)
    return size


@lru_cache(maxsize=4096)
def _head(row: ResidualRow, size: int, width: int) -> tuple[Block, Block]:
    channels, last = row.widths[-1][width], _reduced(row, size, len(row.strides))
    pool = Op("mean", "pool", channels, channels, last, 1, last, last)
    linear = Op("linear", "linear", channels, row.classes, 1, 1, bias=True)
    return Block("pool", "pool", (pool,)), Block("classifier", "classifier", (linear,))
