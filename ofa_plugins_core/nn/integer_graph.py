"""Changes to an ONNX graph after which int8 stays int8 from the first convolution to the last.

ONNX Runtime has no integer kernel for hard sigmoid, hard swish and ReduceMean: around each it goes
back to float, whose tensors take four times the memory. Written otherwise they have one:

* a mean over all pixels is a GlobalAveragePool;
* h_swish(x) = x · h_sigmoid(x);
* h_sigmoid(x) = clip(x + 3, 0, 6) / 6 is an addition: to store it as a byte is to clip it, if the
  bytes span 0 to 6, and to read the bytes as 0 to 1 is to divide by 6.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

LEVELS: Final = 255
"""Steps of a byte."""


def before_quantisation(model: Any) -> None:
    """Rewrite means over all pixels, and hard swish, in a float ``ModelProto``; same function."""
    from onnx import numpy_helper

    constants = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
    _replace_nodes(
        model.graph, [n for node in model.graph.node for n in _float_nodes(node, constants)]
    )


def _float_nodes(node: Any, constants: dict[str, Any]) -> Iterator[Any]:
    from onnx import helper

    if node.op_type == "ReduceMean" and _over_pixels(node, constants):
        yield helper.make_node("GlobalAveragePool", node.input[:1], node.output, node.name)
    elif node.op_type == "HardSwish":
        gate = f"{node.output[0]}_gate"
        yield helper.make_node("HardSigmoid", node.input, [gate], alpha=1 / 6, beta=0.5)
        yield helper.make_node("Mul", [node.input[0], gate], node.output, node.name)
    else:
        yield node


def _over_pixels(node: Any, constants: dict[str, Any]) -> bool:
    axes = constants.get(node.input[1]) if len(node.input) > 1 else None
    kept = _attribute(node, "keepdims", 1)
    return axes is not None and bool(kept) and sorted(int(a) % 4 for a in axes) == [2, 3]


def _attribute(node: Any, name: str, default: Any) -> Any:
    from onnx import helper

    found = [helper.get_attribute_value(a) for a in node.attribute if a.name == name]
    return found[0] if found else default


def after_quantisation(model: Any) -> None:
    """Rewrite hard sigmoids between bytes, in a quantised (QDQ) ``ModelProto``."""
    readers: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    found: list[Any] = []
    for node in model.graph.node:
        stored = _stored(node, readers) if node.op_type == "HardSigmoid" else None
        found += [node] if stored is None else _as_addition(model.graph, node, stored, readers)
    _replace_nodes(model.graph, found)


def _stored(node: Any, readers: dict[str, list[Any]]) -> Any:
    """The node that stores a hard sigmoid's result as bytes, if nothing else reads it."""
    after = readers.get(node.output[0], [])
    return after[0] if [n.op_type for n in after] == ["QuantizeLinear"] else None


def _as_addition(graph: Any, node: Any, stored: Any, readers: dict[str, list[Any]]) -> list[Any]:
    """x + beta / alpha, stored in bytes from 0 to 1 / alpha, read as 0 to 1."""
    from onnx import helper

    alpha, beta = _attribute(node, "alpha", 0.2), _attribute(node, "beta", 0.5)
    name = node.output[0]
    zero = _constant(graph, f"{name}_zero", np.uint8(0))
    most = _constant(graph, f"{name}_most", np.uint8(LEVELS))
    step = _constant(graph, f"{name}_step", np.float32(beta / alpha / LEVELS))
    stored.input[1] = _constant(graph, f"{name}_wide", np.float32(1 / alpha / LEVELS))
    stored.input[2] = zero
    narrow = _constant(graph, f"{name}_narrow", np.float32(1 / LEVELS))
    for read in readers[stored.output[0]]:
        read.input[1], read.input[2] = narrow, zero
    shift = f"{name}_shift"
    return [
        helper.make_node("DequantizeLinear", [most, step, zero], [shift]),
        helper.make_node("Add", [node.input[0], shift], [name], node.name),
    ]


def _constant(graph: Any, name: str, value: Any) -> str:
    from onnx import numpy_helper

    graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
    return name


def _replace_nodes(graph: Any, nodes: list[Any]) -> None:
    """Put in other nodes, and drop constants that nothing reads any more."""
    kept = [type(node).FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(kept)
    read = {name for node in graph.node for name in node.input}
    used = [i for i in graph.initializer if i.name in read]
    if len(used) < len(graph.initializer):
        copies = [type(i).FromString(i.SerializeToString()) for i in used]
        del graph.initializer[:]
        graph.initializer.extend(copies)
