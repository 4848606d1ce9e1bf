"""Bounds on what real planners allot: peak memory that ExecuTorch, ONNX Runtime and torch keep to.

The other definitions of peak memory (``costs``) say what an ideal program holds. A planner holds
more: activations that are written beside their input, the float image, kernels' scratch, and gaps
between buffers that do not fit into each other. Each bound counts the first three as the planner
does them. For gaps it takes several ops in a row together: a buffer that was just freed, or is
about to be made, counts as if it were alive. This is no proof: ``docs/memory.md`` says on how many
networks it was checked, and how tight it is.

Unit: items; times the bytes of the planner's data type it is in bytes. Batch 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from attrs import frozen

from ofa_plugins_core.geometry import Block, Op

Alive: TypeAlias = dict[str, int]
"""Buffers that are alive: name within the block -> items."""


TORCH_SMALL: Final = 20_480
"""Items of an input up to which torch runs dense convolutions without oneDNN."""


def no_scratch(op: Op) -> int:
    """Kernels that need no room beside input and output, or whose room is not planned."""
    return 0


def cmsis_scratch(op: Op) -> int:
    """Bytes that CMSIS-NN's int8 kernels ask for on Cortex-M55 (MVE instructions).

    Four rows of gathered inputs, padded to 16 bytes; for a depthwise convolution four rows of 124
    channels. Found by asking its own functions (ExecuTorch 1.5), which give just that.
    """
    if op.groups > 1:
        return 4 * 124 * op.kernel**2
    row = op.kernel**2 * op.channels_in
    return 4 * -(-row // 16) * 16 if op.kernel > 1 else 0


def torch_scratch(op: Op) -> int:
    """Items that torch's convolutions hold beside input and output, with any number of threads.

    Dense ones of stride 1 on small feature maps gather a column of inputs for each output pixel.
    All others are oneDNN's, which copies weights, input (but for an image's three channels) and
    output into blocks of channels; of 16, as with AVX-512. Its copy of the output is there before
    the output is. Found by profiling single convolutions (torch 2.13, 1 and 2 threads).
    """
    if op.groups == 1 and op.stride == 1 and op.kernel <= 3 and op.inputs <= TORCH_SMALL:
        return op.kernel**2 * op.channels_in * op.size_out**2 if op.kernel > 1 else 0
    given = _blocks(op.channels_in) * op.size_in**2 if op.channels_in > 3 else 0
    made = _blocks(op.channels_out) * op.size_out**2
    inner = op.channels_in if op.groups == 1 else op.channels_in // op.groups
    weights = op.kernel**2 * _blocks(op.channels_out) * (_blocks(inner) if inner > 3 else inner)
    return max(weights + given + made - op.outputs, made)


def _blocks(channels: int) -> int:
    return -(-channels // 16) * 16


@frozen
class Planner:
    """How a planner holds what is alive.

    Attributes:
        copies: activation -> buffers of a convolution's output size that exist until it is done;
            1: fused into the convolution, or in place; "": where there is no activation.
        ops: in a row that count together, for gaps between buffers.
        image: items held for each of the image's while the stem's input is made.
        scratch: of an op, in items.
        fused_sum: the sum with a shortcut is written over an input.
        gated: buffers of the feature map's size that squeeze-excite's product needs.
        gap: how often the block's largest buffer counts once more, as room that stays empty.
            ONNX Runtime leaves a place empty that is up to twice as large, or larger, as what it
            places, where growing the block of memory wastes less.
        pad: channels are rounded up to a multiple.
    """

    copies: Mapping[str, int]
    ops: int
    image: int = 1
    scratch: Callable[[Op], int] = no_scratch
    fused_sum: bool = False
    gated: int = 1
    gap: int = 0
    pad: int = 1


@frozen
class Bound:
    """A bound on one planner's plans.

    Attributes:
        holds: how the planner holds activations.
        plans: (planner, data type) that it is for.
        source: planner and version.
        summary: one line.
    """

    holds: Planner
    plans: tuple[str, str]
    source: str
    summary: str


BOUNDS: Final[dict[str, Bound]] = {
    "cortex_m": Bound(
        Planner({"h_swish": 3}, 3, image=5, scratch=cmsis_scratch),
        ("executorch", "int8"),
        "bound on ExecuTorch 1.5, Cortex-M55, int8",
        "most that ExecuTorch plans for Cortex-M55 (CMSIS-NN, int8), scratch included",
    ),
    "executorch": Bound(
        Planner({"relu": 2, "relu6": 2, "h_swish": 4}, 3),
        ("executorch", "fp32"),
        "bound on ExecuTorch 1.5, portable kernels, float",
        "most that ExecuTorch plans for its portable kernels (float)",
    ),
    "onnxruntime": Bound(
        Planner({"h_swish": 2}, 2, fused_sum=True, gated=2, gap=2, pad=16),
        ("onnxruntime", "fp32"),
        "bound on ONNX Runtime 1.31, CPU, float",
        "most that ONNX Runtime plans on a CPU (float)",
    ),
    "onnxruntime_int8": Bound(
        Planner({"h_swish": 3}, 2, image=2, gap=2),
        ("onnxruntime", "int8"),
        "bound on ONNX Runtime 1.31, CPU, int8",
        "most that ONNX Runtime plans on a CPU (int8), without its kernels' scratch",
    ),
    "torch": Bound(
        # batch norm writes beside its convolution's output; nothing is planned: no gaps
        Planner({"": 2, "relu": 2, "relu6": 2, "h_swish": 2}, 1, scratch=torch_scratch),
        ("torch", "fp32"),
        "bound on torch 2.13, CPU, eager, float",
        "most that torch allots on a CPU (eager, float), its kernels' copies included",
    ),
}
"""Name of a cost after ``peak_memory_planned_`` -> the bound."""


@frozen
class _Walk:
    """Goes through a block op by op.

    Attributes:
        planner: that holds the buffers.
        block: it.
    """

    planner: Planner
    block: Block

    def kept(self) -> Alive:
        """The block's input, where the sum at the end needs it."""
        forks = any(op.name == "shortcut" for op in self.block.ops)
        needed = forks or self.block.shortcut
        return {"input": self.size(self.block.ops[0], incoming=True)} if needed else {}

    def size(self, op: Op, *, incoming: bool = False) -> int:
        """Items of an op's output, or input, as they are laid out."""
        channels, side = (
            (op.channels_in, op.size_in) if incoming else (op.channels_out, op.size_out)
        )
        return -(-channels // self.planner.pad) * self.planner.pad * side**2

    def steps(self) -> Iterator[tuple[Op, Alive]]:
        """What is alive at each op, its activation included; the sum's step is the last op's."""
        first = self.block.ops[0]
        main = {"input": self.size(first, incoming=True)}
        kept = self.kept()
        side = kept
        if self.block.kind == "stem" and first.channels_in == 3:
            yield first, {"given": (self.planner.image - 1) * first.inputs, **main}
        for number, op in enumerate(self.block.ops):
            if op.name.startswith("shortcut"):
                made = {op.name: self.size(op)}
                yield op, {**main, **side, **made}
                side = made
            elif op.name == "se.reduce":
                yield op, {**main, **side, "mean": op.inputs, "hidden": op.outputs}
            else:
                made = self._made(op, number)
                yield op, {**main, **side, **made}
                main = {list(made)[-1]: list(made.values())[-1]}
        if kept:
            yield self.block.ops[-1], {**main, **side, **self._sum(main)}

    def _made(self, op: Op, number: int) -> Alive:
        """Buffers that an op makes; the last one is what the next op reads."""
        if op.name == "se.expand":  # the gate, and the feature map times the gate
            vectors = {"hidden": op.inputs, "gate": 2 * op.outputs}
            scaled = self.size(self._scaled())
            return {**vectors, **{f"{number}.{c}": scaled for c in range(self.planner.gated)}}
        copies = self.planner.copies.get(op.activation or "", 1)
        scratch = self.planner.scratch(op) if op.role == "conv" else 0
        made = {f"{number}.{c}": self.size(op) for c in range(copies)}
        return {f"{number}.scratch": scratch, **made}

    def _scaled(self) -> Op:
        """The op whose output squeeze-excite scales."""
        before = (op for op in self.block.ops if op.role == "conv" and op.groups > 1)
        return next(before, self.block.ops[0])

    def _sum(self, main: Alive) -> Alive:
        size = 0 if self.planner.fused_sum else next(iter(main.values()))
        copies = self.planner.copies.get(self.block.activation or "", 1)
        return {f"sum.{c}": size for c in range(copies)}


def planned_items(planner: Planner) -> Callable[[Block], Iterator[tuple[Op, int]]]:
    """The bound at each op of a block: what is alive there and at the ops that follow."""

    def items(block: Block) -> Iterator[tuple[Op, int]]:
        steps = list(_Walk(planner, block).steps())
        gap = planner.gap * _gap(block, steps)
        for number, (op, _) in enumerate(steps):
            together: Alive = {}
            for _, alive in steps[number : number + planner.ops]:
                together |= alive
            yield op, sum(together.values()) + gap

    return items


def _gap(block: Block, steps: Sequence[tuple[Op, Alive]]) -> int:
    """Room beside the block's buffers that its largest one does not fit into: less than that.

    Before the first elastic block it is what the stem leaves: as much as the block's input twice
    (block 0), or four times where a pooling comes in between.
    """
    largest = max((max(alive.values()) for _, alive in steps), default=0)
    if block.stage == 1 and not block.shortcut:
        return min(largest, block.ops[0].inputs * (4 if block.kind == "bottleneck" else 2))
    return largest
