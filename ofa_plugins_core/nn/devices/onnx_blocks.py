"""Blocks as an ONNX graph, written directly from the geometry: what deployment's exporter ends at.

Batch norm is folded into its convolution, as every runtime does before it runs anything. Needs
onnx and numpy, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.geometry import Block, Op

Weights = Callable[[int, Op], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""(number of the block, op) -> weight and bias, batch norm folded in."""

OPSET: Final = 17
IR: Final = 8

ACTIVATIONS: Final[dict[str, tuple[str, dict[str, float]]]] = {
    "relu": ("Relu", {}),
    "h_swish": ("HardSwish", {}),
    "h_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
}


def onnx_model(blocks: Sequence[Block], batch: int = 1, weights: Weights | None = None) -> bytes:
    """A model with one input ``x`` and one output ``y``, ready for a runtime.

    Args:
        blocks: in the order in which they run.
        weights: of each op; None: random ones of a sound size.
    """
    import onnx
    from onnx import TensorProto, helper

    graph = _Graph(weights or _random_weights(np.random.Generator(np.random.PCG64(0))))
    first, last = blocks[0].ops[0], _last(blocks[-1])
    value = "x"
    for number, block in enumerate(blocks):
        value = graph.block(number, block, value)
    graph.node("Identity", [value], output="y")
    given = [batch, first.channels_in, first.size_in, first.size_in]
    found = [batch, last.channels_out, last.size_out, last.size_out]
    if last.role == "linear":
        found = found[:2]
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "blocks",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, given)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, found)],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _last(block: Block) -> Op:
    return next(op for op in reversed(block.ops) if not op.name.startswith("shortcut"))


def _random_weights(generator: np.random.Generator) -> Weights:
    def drawn(number: int, op: Op) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        into = op.channels_in // op.groups
        shape = [op.channels_out, into, *([op.kernel] * 2 if op.role != "linear" else [])]
        scale = np.float32(math.sqrt(2.0 / (into * op.kernel**2)))
        weight = scale * generator.standard_normal(shape, dtype=np.float32)
        return weight, np.zeros(op.channels_out, np.float32)

    return drawn


@frozen(eq=False)
class _Graph:
    """Nodes and weights as they are added."""

    weights: Weights
    nodes: list[Any] = field(factory=list)
    initializers: list[Any] = field(factory=list)

    def node(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add an operator; the name of its output."""
        from onnx import helper

        name: str = attributes.pop("output", f"v{len(self.nodes)}")
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def tensor(self, values: NDArray[np.float32]) -> str:
        """Add a weight; its name."""
        from onnx import numpy_helper

        name = f"w{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def block(self, number: int, block: Block, x: str) -> str:
        """Add a block that takes ``x``; the name of its output."""
        y, aside, squeezed = x, x, x
        for op in block.ops:
            if op.name.startswith("shortcut"):
                aside = self.op(number, op, aside)
            elif op.name == "se.reduce":
                squeezed = self.op(number, op, self.node("GlobalAveragePool", [y]))
            elif op.name == "se.expand":
                y = self.node("Mul", [y, self.op(number, op, squeezed)])
            else:
                y = self.op(number, op, y)
        if block.shortcut or aside != x:
            y = self.activated(self.node("Add", [y, aside]), block.activation)
        return y

    def op(self, number: int, op: Op, x: str) -> str:
        """Add one op, and the activation that follows it."""
        if op.role == "pool":
            return self.pooled(op, x)
        weight, bias = (self.tensor(t) for t in self.weights(number, op))
        if op.role == "linear":
            flat = self.node("Flatten", [x], axis=1)
            return self.node("Gemm", [flat, weight, bias], transB=1)
        pads, strides = [op.kernel // 2] * 4, [op.stride] * 2
        shape = {"kernel_shape": [op.kernel] * 2, "group": op.groups}
        y = self.node("Conv", [x, weight, bias], pads=pads, strides=strides, **shape)
        return self.activated(y, op.activation)

    def activated(self, x: str, name: str | None) -> str:
        """Add an activation by its name in the geometry."""
        if name is None:
            return x
        if name == "relu6":
            ends = [self.tensor(np.array(end, np.float32)) for end in (0.0, 6.0)]
            return self.node("Clip", [x, *ends])
        kind, attributes = ACTIVATIONS[name]
        return self.node(kind, [x], **attributes)

    def pooled(self, op: Op, x: str) -> str:
        """Add a pooling: see ``plain.layers.pooling``."""
        if op.name == "mean":
            return self.node("GlobalAveragePool", [x])
        window = {"kernel_shape": [op.kernel] * 2, "strides": [op.stride] * 2}
        if op.name == "max":
            return self.node("MaxPool", [x], pads=[op.kernel // 2] * 4, **window)
        return self.node("AveragePool", [x], ceil_mode=1, count_include_pad=0, **window)
