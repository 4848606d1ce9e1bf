"""Computed costs: parameters, multiply-accumulates, weight bytes, definitions of peak memory.

Peak memory is counted in items (tensor elements) at batch 1; times the bytes of the data type it
is in bytes. Which definition is meant is part of the cost's name:

* ``peak_memory``: MOOFA's (2024): per convolution its input, output and weights; the block's input
  is added to the spatial convolution of a block with an identity shortcut.
* ``peak_memory_mcunet``: MCUNet's (2020): activations only, since weights are read from flash.
* ``peak_memory_liveness``: what is alive at each op, the residual during the project convolution
  and squeeze-excite's tensors included; ``…_inplace`` and ``…_weights`` are variants of it.
* ``peak_memory_planned_…``: bounds on what a real planner allots (``planned``).

MOOFA's is published for MBConv networks with a final expand convolution. Elsewhere (ProxylessNAS,
ResNet) it is our extension: every convolution on the feature map counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.builtin.planned import BOUNDS, planned_items
from ofa_plugins_core.entries import CostModelEntry, NoOptions
from ofa_plugins_core.geometry import SPATIAL, Block, Op
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.pricing import BlockCostModel
from ofa_plugins_core.values import DTYPE_BYTES, ArchLike

History = list[tuple[str, str, int]]
OpPrice = Callable[[Block], Iterator[tuple[Op, int]]]


def params(block: Block) -> int:
    """Elements of the extracted static network's parameters."""
    return sum(op.params for op in block.ops)


def macs(block: Block) -> int:
    """Multiply-accumulates: what the papers call FLOPs."""
    return sum(op.macs for op in block.ops)


def moofa_items(block: Block) -> Iterator[tuple[Op, int]]:
    """Items of each convolution on the feature map, by MOOFA's definition.

    With an identity shortcut the block's input is added during the spatial convolution, also where
    that convolution reads it itself (no expand convolution): the published numbers do so.
    """
    held = block.ops[0].inputs if block.shortcut else 0
    for op in block.ops:
        if op.role == "conv":
            yield op, op.inputs + op.outputs + op.weights + (held if op.name in SPATIAL else 0)


def alive(block: Block, inplace: bool = False) -> Iterator[tuple[Op, int]]:
    """Activations that are alive at each op: what it reads and writes, and what waits.

    The input of a block with a shortcut waits during the ops that do not read it; during
    squeeze-excite the feature map that it will scale waits; a projected shortcut comes last, while
    the main branch's result waits. The sum itself is in place.

    Args:
        inplace: depthwise convolutions of stride 1 write over their input, a channel at a time.
    """
    held = block.ops[0].inputs if block.shortcut or _forks(block) else 0
    main = next(op for op in reversed(block.ops) if not op.name.startswith("shortcut"))
    feature = 0
    for number, op in enumerate(block.ops):
        waiting = held if number else 0
        if op.name.startswith("shortcut"):
            waiting = main.outputs
        elif op.role == "se":
            waiting += feature
        else:
            feature = op.outputs
        written = op.outputs
        if inplace and op.name == "depthwise" and op.stride == 1:
            written = op.size_out**2
        yield op, op.inputs + written + waiting


def _forks(block: Block) -> bool:
    return any(op.name == "shortcut" for op in block.ops)


def liveness_items(block: Block, inplace: bool = False) -> Iterator[tuple[Op, int]]:
    """Activations alive at each op, and the weights of the convolutions on the feature map.

    Layers on a single vector (squeeze-excite, and those after the pooling) use each weight once:
    they can stream them, so their weights do not count.
    """
    for op, items in alive(block, inplace):
        yield op, items + (op.weights if op.role == "conv" else 0)


def liveness_inplace_items(block: Block) -> Iterator[tuple[Op, int]]:
    """Liveness with depthwise convolutions in place."""
    return liveness_items(block, inplace=True)


def liveness_weights_items(block: Block) -> Iterator[tuple[Op, int]]:
    """Liveness with every layer's weights and bias, the classifier's too."""
    for op, items in alive(block):
        yield op, items + op.weights + (op.channels_out if op.bias else 0)


def peak(items: OpPrice) -> Callable[[Block], int]:
    """The largest op of a block; 0 for a block that the definition does not count."""
    return lambda block: max((count for _, count in items(block)), default=0)


@frozen(eq=False, slots=False)
class PeakMemory(BlockCostModel):
    """A definition of peak memory, with its history op by op.

    Attributes:
        items: of each op of a block.
        bounds: (planner, data type) whose plans it is a bound on; None: a definition.
    """

    items: OpPrice = field(default=moofa_items, kw_only=True)
    bounds: tuple[str, str] | None = field(default=None, kw_only=True)

    def history(self, arch: ArchLike) -> History:
        """(block, op, items) of every op that counts, in the order in which they run."""
        return [
            (block.name, op.name, count)
            for block in self.geometry.blocks(arch)
            for op, count in self.items(block)
        ]


PEAK_DEFINITIONS: dict[str, tuple[OpPrice, str, str]] = {
    "peak_memory": (moofa_items, "MOOFA", "input + output + weights of each convolution"),
    "peak_memory_mcunet": (alive, "MCUNet", "activations only, weights stay in flash"),
    "peak_memory_liveness": (
        liveness_items,
        "liveness",
        "everything alive at each convolution, activations elsewhere",
    ),
    "peak_memory_liveness_inplace": (
        liveness_inplace_items,
        "liveness, depthwise in place",
        "liveness with depthwise convolutions in place",
    ),
    "peak_memory_liveness_weights": (
        liveness_weights_items,
        "liveness, any layer's weights while it runs",
        "liveness with every layer's weights, the classifier's too",
    ),
}


def _peak_entry(name: str) -> CostModelEntry:
    items, definition, summary = PEAK_DEFINITIONS[name]

    def build(supernet: Supernet, options: NoOptions) -> PeakMemory:
        extended = name == "peak_memory" and not _is_published_for(supernet)
        source = f"{definition}, our extension to this network" if extended else definition
        return PeakMemory(name, "items", supernet, peak(items), "max", source=source, items=items)

    return CostModelEntry(name, f"peak memory ({definition}): {summary}", "items", build)


def _bound_entry(name: str) -> CostModelEntry:
    bound = BOUNDS[name]
    items, full = planned_items(bound.holds), f"peak_memory_planned_{name}"

    def build(supernet: Supernet, options: NoOptions) -> PeakMemory:
        return PeakMemory(
            full,
            "items",
            supernet,
            peak(items),
            "max",
            source=bound.source,
            items=items,
            bounds=bound.plans,
        )

    return CostModelEntry(full, f"peak memory: {bound.summary}", "items", build)


def _is_published_for(supernet: Supernet) -> bool:
    """MOOFA's definition was published for MBConv networks with a final expand convolution."""
    blocks = supernet.geometry().catalogue(supernet.resolutions[0]).blocks
    kinds = {block.kind for block in blocks}
    return "final_expand" in kinds and "bottleneck" not in kinds


@frozen
class WeightBytesOptions:
    """Options of ``weight_bytes``."""

    dtype: Literal["int8", "fp16", "fp32"] = field(
        default="fp32", metadata={"help": "data type of the stored weights"}
    )


def _weight_bytes(supernet: Supernet, options: WeightBytesOptions) -> BlockCostModel:
    size = DTYPE_BYTES[options.dtype]
    return BlockCostModel(
        "weight_bytes",
        "bytes",
        supernet,
        lambda block: params(block) * size,
        "sum",
        source=f"all parameters as {options.dtype}",
    )


def entries() -> Iterator[CostModelEntry]:
    """The computed costs that the core offers."""
    yield CostModelEntry(
        "params",
        "parameters of the extracted network, batch norm's gamma and beta included",
        "count",
        lambda supernet, options: BlockCostModel("params", "count", supernet, params, "sum"),
    )
    yield CostModelEntry(
        "flops",
        "multiply-accumulates (MACs) of convolutions and linear layers, batch 1",
        "MACs",
        lambda supernet, options: BlockCostModel("flops", "MACs", supernet, macs, "sum"),
    )
    yield CostModelEntry(
        "weight_bytes",
        "bytes of all parameters (flash), by data type",
        "bytes",
        _weight_bytes,
        WeightBytesOptions,
    )
    yield from map(_peak_entry, PEAK_DEFINITIONS)
    yield from map(_bound_entry, BOUNDS)
