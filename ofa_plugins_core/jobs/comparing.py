"""Why a plan differs from the definitions: what is alive at its peak, buffer by buffer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.nn.planners.record import Plan, Tensor
from ofa_plugins_core.values import DTYPE_BYTES, Number

Reason = tuple[str, int, str]
"""(what is alive, bytes, why it is there)."""
Shape = tuple[int, int, int]
"""Channels, height, width."""
_BLOCKS: Final = (8, 16)
"""Channels of a block in ONNX Runtime's layout, by the processor's registers."""


@frozen
class Defined:
    """A definition's value for one network.

    Attributes:
        value: in ``unit``: ``items``, or ``bytes`` where it is for one data type.
        place: block and op of its peak.
        source: whose definition.
        bounds: (planner, data type) whose plans it is a bound on; None: a definition.
    """

    value: Number
    unit: str
    place: str
    source: str
    bounds: tuple[str, str] | None = None

    def bytes(self, dtype: str) -> int | None:
        """In bytes at a data type; None where it is not for it."""
        if self.bounds is not None and dtype != self.bounds[1]:
            return None
        if self.unit == "bytes":
            return int(self.value)
        return int(self.value * DTYPE_BYTES[dtype])

    def as_json(self) -> dict[str, Any]:
        """With unit and kind."""
        found = {"value": self.value, "unit": self.unit, "kind": "computed", "peak": self.place}
        sizes = {d: self.bytes(d) for d in ("int8", "fp32")}
        return {**found, "bytes": sizes, "source": self.source}


@frozen(eq=False)
class Compared:
    """One plan beside the definitions.

    Attributes:
        plan: the planner's.
        where: its peak: the op of the plan, and the place in the network that it is.
        understated: definitions whose bytes are fewer than the planned activations.
        reasons: what is alive at the peak, the largest first, and why.
        bound: the bound on this planner's plans, by name, and its bytes; None where none is known.
    """

    plan: Plan
    where: str
    understated: tuple[str, ...]
    reasons: tuple[Reason, ...]
    bound: tuple[str, int] | None = None

    def as_json(self) -> dict[str, Any]:
        """Bytes with unit, kind and source."""
        plan = self.plan
        source = f"{plan.planner} {plan.version}"

        def measured(value: int | None) -> dict[str, Any] | None:
            unit = {"unit": "bytes", "kind": "measured", "source": source}
            return None if value is None else {"value": value, **unit}

        return {
            "planner": plan.planner,
            "version": plan.version,
            "dtype": plan.dtype,
            "activations": measured(plan.activations),
            "scratch": measured(plan.scratch),
            "weights": measured(plan.weights),
            "peak": self.where,
            "alive": [dict(zip(("what", "bytes", "why"), r, strict=True)) for r in self.reasons],
            "understated_by": list(self.understated),
            "bound": self._bound(),
            "ops": None if plan.ops is None else [list(op) for op in plan.ops],
            "note": plan.note,
        }

    def _bound(self) -> dict[str, Any] | None:
        if self.bound is None:
            return None
        name, size = self.bound
        held = {"holds": size >= self.plan.activations}
        return {"name": name, "value": size, "unit": "bytes", "kind": "computed", **held}


def compared(plan: Plan, defined: Mapping[str, Defined], blocks: Sequence[Block]) -> Compared:
    """Put a plan beside the definitions and explain it."""
    sizes = {n: d.bytes(plan.dtype) or 0 for n, d in defined.items() if d.bounds is None}
    below = tuple(n for n, size in sizes.items() if size < plan.activations)
    key = (plan.planner, plan.dtype)
    bound = next(
        ((n, d.bytes(plan.dtype) or 0) for n, d in defined.items() if d.bounds == key), None
    )
    if plan.peak is None:
        return Compared(plan, "not told", below, (), bound)
    place = place_of(plan.peak.tensors, blocks)
    where = plan.peak.op if place is None else f"{place[0].name}, {place[1].name} ({plan.peak.op})"
    return Compared(plan, where, below, tuple(_reasons(plan, place)), bound)


def place_of(tensors: Sequence[Tensor], blocks: Sequence[Block]) -> tuple[Block, Op] | None:
    """The op of the network whose input and output are among the tensors, the largest one."""
    found = [
        (block, op)
        for block in blocks
        for op in block.ops
        if op.role in ("conv", "pool", "linear") and _known(op, tensors)
    ]
    return max(found, key=lambda pair: _known(pair[1], tensors), default=None)


def _known(op: Op, tensors: Sequence[Tensor]) -> int:
    """Elements of its input and output that are alive, in buffers of their own."""
    rest = list(tensors)
    count = 0
    for wanted in (_input(op), _output(op)):
        found = next((t for t in rest if _is(t, wanted)), None)
        if found is not None:
            rest.remove(found)
            count += prod(wanted)
    return count


def _input(op: Op) -> Shape:
    return op.channels_in, op.size_in, op.size_in


def _output(op: Op) -> Shape:
    return op.channels_out, op.size_out, op.size_out


def _is(tensor: Tensor, wanted: Shape) -> bool:
    """Whether it is as large as is wanted, channels first or last; by its bytes if unknown."""
    if tensor.shape:
        return sorted(n for n in tensor.shape if n > 1) == sorted(n for n in wanted if n > 1)
    return tensor.bytes == prod(wanted) * DTYPE_BYTES["fp32"]


def _reasons(plan: Plan, place: tuple[Block, Op] | None) -> Iterator[Reason]:
    assert plan.peak is not None
    expected = dict(_expected(place)) if place else {}
    for tensor in sorted(plan.peak.tensors, key=lambda t: -t.bytes):
        yield str(tensor), tensor.bytes, _why(tensor, plan, place, expected)
    if plan.lost:
        yield "gaps between buffers", plan.lost, "fragmentation: a freed place was too small"
    if plan.scratch:
        yield "on top, for kernels", plan.scratch, "scratch: what they work in, given back after"


def _expected(place: tuple[Block, Op]) -> Iterator[tuple[str, Shape]]:
    """What the definitions hold alive at an op, by its role there."""
    block, op = place
    yield "input of the op", _input(op)
    yield "output of the op", _output(op)
    if block.shortcut or any(o.name == "shortcut" for o in block.ops):
        yield "the block's input, kept for the sum", _input(block.ops[0])


def _why(
    tensor: Tensor, plan: Plan, place: tuple[Block, Op] | None, expected: dict[str, Shape]
) -> str:
    """Each of the expected roles is given once: what is alive beyond them is an extra copy."""
    if tensor.dtype == "scratch":
        return "scratch: rows gathered for the kernel; no definition counts it"
    for role, wanted in list(expected.items()):
        if _is(tensor, wanted):
            del expected[role]
            return role + _island(tensor, plan)
    for role, wanted in list(expected.items()):
        if "blocks" in plan.version and _is_padded(tensor, wanted):
            del expected[role]
            return f"{role}, channels padded to a block"
    if place is not None and any(_is(tensor, w) for w in (_input(place[1]), _output(place[1]))):
        return f"another copy: {_copy_of(plan, place)} is not done in place{_island(tensor, plan)}"
    if len(tensor.shape) == 4 and tensor.shape[1] == 3:
        return "the image" + _island(tensor, plan)
    return "kept from before or for later" + _island(tensor, plan)


def _is_padded(tensor: Tensor, wanted: Shape) -> bool:
    """Whether it is what is wanted with channels rounded up to a block of 8 or 16."""
    channels, *pixels = wanted
    return any(_is(tensor, (-(-channels // n) * n, pixels[0], pixels[1])) for n in _BLOCKS)


def _island(tensor: Tensor, plan: Plan) -> str:
    return (
        "; float inside an int8 network" if plan.dtype == "int8" and tensor.dtype == "fp32" else ""
    )


def _copy_of(plan: Plan, place: tuple[Block, Op]) -> str:
    """What makes the copy: the sum, the gate of squeeze-excite, or the activation."""
    name = plan.peak.op.lower() if plan.peak is not None else ""
    if "add" in name and place[0].shortcut:
        return "the sum with the shortcut"
    if "batch_norm" in name:
        return "batch norm"
    return place[1].activation or ("the gate" if place[0].squeeze_excite else "the op")
