"""ONNX Runtime's plan: the block of its memory pattern, from the arena's own log.

The number itself is ONNX Runtime's. What is alive at each op is replayed from the optimised graph
and the shapes that its profile records: it explains the number and is checked against it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.errors import InputError, MissingExtraError
from ofa_plugins_core.nn.planners.ort_session import MARK, RUNS
from ofa_plugins_core.nn.planners.record import Moment, Plan, PlanType, Tensor, by_op, largest

_SIZES: Final = {
    **dict.fromkeys(("float", "int32", "uint32"), 4),
    **dict.fromkeys(("double", "int64", "uint64"), 8),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
}
_NAMES: Final = {"float": "fp32", "uint8": "int8"}
_ELEMENTWISE: Final = ("Relu", "Clip", "Add", "Mul", "HardSigmoid", "HardSwish", "Sigmoid", "Div")
_VIEWS: Final = ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity", "Dropout")
_EXTENDED: Final = re.compile(r"Extended allocation by (\d+) bytes")
_ALIGNMENT: Final = 64
NOTE: Final = (
    "one block planned for all activations, without the image and the logits, which the caller "
    "holds; scratch is what the kernels took from the arena on top, all of it together"
)


def onnx_runtime_plan(onnx_file: Path) -> Plan:
    """What ONNX Runtime's CPU provider plans for a network's activations.

    The network runs three times on zeros at batch 1, on one thread, in a process of its own. Float
    plans depend on the processor: convolutions work on blocks of 8 channels (AVX2) or 16 (AVX-512).

    Args:
        onnx_file: float, or int8 with QDQ nodes; the image's size has to be fixed in it.

    Raises:
        MissingExtraError: onnx or onnxruntime is not installed.
        InputError: ONNX Runtime cannot run the file.
    """
    for needed in ("onnx", "onnxruntime"):
        if find_spec(needed) is None:
            raise MissingExtraError("planning with ONNX Runtime", "ofa-plugins-core", "export")
    with TemporaryDirectory() as folder:
        log = _run(_named(onnx_file, Path(folder)), Path(folder))
        nodes, weights = _optimised(Path(folder) / "optimised.onnx")
        events = _profiled(next(Path(folder).glob("profile*.json")))
    moments = _replayed(nodes, events)
    block, *rest = _asked_for(log, largest(moments))
    return Plan(
        "onnxruntime",
        f"{version('onnxruntime')}, CPU{_layout(nodes)}",
        _dtype(nodes),
        block,
        weights,
        sum(rest),
        by_op(moments),
        largest(moments),
        NOTE,
    )


def _named(model: Path, folder: Path) -> Path:
    """The same network with a name for every node: the profile tells nodes apart by it.

    Raises:
        InputError: it is no ONNX file.
    """
    import onnx

    try:
        found = onnx.load(str(model))
    except Exception as error:  # protobuf's errors have no common class
        raise InputError(f"cannot read {model} as ONNX: {error!s:.200}") from error
    for number, node in enumerate(found.graph.node):
        node.name = node.name or f"{node.op_type}.{number}"
    path = folder / model.name
    onnx.save(found, str(path))
    return path


def _run(model: Path, folder: Path) -> str:
    """The log of the process that runs the network."""
    command = [sys.executable, "-m", "ofa_plugins_core.nn.planners.ort_session"]
    done = subprocess.run(
        [*command, str(model.resolve()), str(folder)],
        capture_output=True,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        check=False,
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise InputError(f"ONNX Runtime cannot run {model}: {said[-1]}")
    return done.stderr


def _asked_for(log: str, peak: Moment | None) -> list[int]:
    """Bytes that the last run asked the arena for: the planned block, then kernels' scratch.

    Raises:
        InputError: the block is not in the log (this version logs otherwise).
    """
    last = log.split(f"{MARK} {RUNS - 1}")[-1]
    found = [int(number) for number in _EXTENDED.findall(last)]
    # kernels round up, tensors of a few bytes are not always counted: a tenth is told apart
    if not found or (peak is not None and found[0] < 0.9 * peak.bytes):
        raise InputError(
            "ONNX Runtime's log does not tell its memory pattern",
            advice=f"known to work: onnxruntime 1.31; installed: {version('onnxruntime')}",
        )
    return found


# ---------------------------------------------------------------------------- replay


@frozen(eq=False)
class _Node:
    """A node of the optimised graph: its type with its domain, and its tensors by name."""

    name: str
    type: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def overwrites(self) -> tuple[str, ...]:
        """Inputs over which it may write, in ONNX Runtime's order of preference."""
        if self.type in _ELEMENTWISE or self.type in _VIEWS:
            return self.inputs
        fused = self.type in ("FusedConv", "com.microsoft.nchwc.Conv")
        return self.inputs[3:4] if fused else ()  # the sum with a shortcut


def _optimised(path: Path) -> tuple[dict[str, _Node], int]:
    """Nodes by name, and bytes of the constants, of the graph that ONNX Runtime really runs."""
    import onnx

    graph = onnx.load(str(path), load_external_data=False).graph
    numpy_type = onnx.helper.tensor_dtype_to_np_dtype
    weights = sum(prod(i.dims) * numpy_type(i.data_type).itemsize for i in graph.initializer)
    constant = {i.name for i in graph.initializer} | {i.name for i in graph.input}
    nodes = {}
    for node in graph.node:
        domain = f"{node.domain}." if node.domain == "com.microsoft.nchwc" else ""
        inputs = tuple("" if name in constant else name for name in node.input)
        nodes[node.name] = _Node(node.name, domain + node.op_type, inputs, tuple(node.output))
    return nodes, weights


def _profiled(path: Path) -> list[tuple[str, list[Tensor]]]:
    """(node, its outputs without their names) in the order of the last run."""
    events = json.loads(path.read_text())
    found = [
        (event["name"].removesuffix("_kernel_time"), _outputs(event["args"]))
        for event in events
        if event.get("cat") == "Node" and "output_type_shape" in event.get("args", {})
    ]
    return found[-(len(found) // RUNS) :]


def _outputs(args: Mapping[str, Any]) -> list[Tensor]:
    found = []
    for entry in args["output_type_shape"]:
        for kind, shape in entry.items():
            size = prod(shape) * _SIZES.get(kind, 1)
            aligned = -(-size // _ALIGNMENT) * _ALIGNMENT
            found.append(Tensor("", tuple(shape), _NAMES.get(kind, kind), aligned))
    return found


def _replayed(
    nodes: Mapping[str, _Node], events: Sequence[tuple[str, list[Tensor]]]
) -> list[Moment]:
    """What is alive at each node: made before or by it, and read by it or later."""
    order = [nodes[name] for name, _ in events if name in nodes]
    sizes = dict(_sizes(nodes, events))
    last = {name: i for i, node in enumerate(order) for name in node.inputs if name}
    buffers: dict[str, str] = {}  # tensor -> the one whose buffer it has
    alive: dict[str, Tensor] = {}
    until: dict[str, int] = {}
    moments = []
    for number, node in enumerate(order):
        for output in node.outputs:
            if output in sizes and output in last:  # the logits are the caller's
                owner = _reused(node, output, number, buffers, sizes, until) or output
                buffers[output] = owner
                alive.setdefault(owner, sizes[output])
                until[owner] = max(until.get(owner, 0), last[output])
        kind = node.type.rpartition(".")[2]
        moments.append(Moment(f"{kind} {node.name}", tuple(alive.values())))
        alive = {name: t for name, t in alive.items() if until[name] > number}
    return moments


def _sizes(
    nodes: Mapping[str, _Node], events: Sequence[tuple[str, list[Tensor]]]
) -> Iterator[tuple[str, Tensor]]:
    """Every tensor's size, by its name."""
    for name, outputs in events:
        if name in nodes:
            for output, tensor in zip(filter(None, nodes[name].outputs), outputs, strict=False):
                yield output, Tensor(output, tensor.shape, tensor.dtype, tensor.bytes)


def _reused(
    node: _Node,
    output: str,
    number: int,
    buffers: Mapping[str, str],
    sizes: Mapping[str, Tensor],
    until: Mapping[str, int],
) -> str | None:
    """The buffer of an input that ends here and is as large, where the op writes in place."""
    for given in node.overwrites():
        owner = buffers.get(given)
        if owner is None:
            continue
        if node.type in _VIEWS:
            return owner
        if until[owner] == number and sizes[given].bytes == sizes[output].bytes:
            return owner
    return None


def _layout(nodes: Mapping[str, _Node]) -> str:
    blocked = any(node.type.startswith("com.microsoft.nchwc") for node in nodes.values())
    return ", channels in blocks (NCHWc)" if blocked else ""


def _dtype(nodes: Mapping[str, _Node]) -> PlanType:
    quantised = any(
        n.type.startswith(("QLinear", "Quantize", "Dequantize")) for n in nodes.values()
    )
    return "int8" if quantised else "fp32"
