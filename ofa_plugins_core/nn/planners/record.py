"""What a planner allots for one network, op by op where that can be seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import frozen

PlanType = Literal["fp32", "int8"]
"""Data type of a planned network: of its weights and, but for islands, of its activations."""


@frozen
class Tensor:
    """A buffer that is alive.

    Attributes:
        name: the planner's own.
        shape: in elements, as the planner lays it out; () where it is not known.
        dtype: ``fp32``, ``int8``, ``scratch`` (a kernel's work space), …
        bytes: that it takes, alignment included.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int

    def __str__(self) -> str:
        shape = "×".join(map(str, self.shape)) or self.name
        return f"{self.dtype} {shape} ({self.bytes:,} bytes)"


@frozen
class Moment:
    """One op of the plan and the buffers that are alive while it runs."""

    op: str
    tensors: tuple[Tensor, ...]

    @property
    def bytes(self) -> int:
        """Of all that is alive."""
        return sum(t.bytes for t in self.tensors)


@frozen
class Plan:
    """What a planner allots for one network at batch 1.

    Attributes:
        planner: ``onnxruntime``, ``executorch``, ``torch``.
        version: of it, and of what decides with it (back end, memory layout).
        dtype: of the network.
        activations: bytes that are planned ahead for activations.
        weights: bytes of the constants, or None where they are not counted apart.
        scratch: bytes that kernels take on top while they run, or None where they are part of
            ``activations``.
        ops: bytes alive at each op, in the order in which they run, or None where unseen.
        peak: what is alive at the largest of them.
        note: what the number holds and does not hold.
    """

    planner: str
    version: str
    dtype: PlanType
    activations: int
    weights: int | None
    scratch: int | None
    ops: tuple[tuple[str, int], ...] | None
    peak: Moment | None
    note: str

    @property
    def total(self) -> int:
        """Bytes for activations and kernels' scratch together."""
        return self.activations + (self.scratch or 0)

    @property
    def lost(self) -> int | None:
        """Bytes of ``activations`` beyond the largest sum alive: gaps between buffers."""
        return None if self.peak is None else self.activations - self.peak.bytes


def largest(moments: Iterable[Moment]) -> Moment | None:
    """The first moment with the most bytes alive."""
    return max(moments, key=lambda m: m.bytes, default=None)


def by_op(moments: Sequence[Moment]) -> tuple[tuple[str, int], ...]:
    """(op, bytes alive) of each moment."""
    return tuple((m.op, m.bytes) for m in moments)
