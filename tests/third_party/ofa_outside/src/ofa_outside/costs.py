"""Costs of moving data: one separable, one not."""

from __future__ import annotations

from typing import Any

from attrs import field, frozen
from numpy import maximum
from numpy.typing import NDArray

from ofa_plugins_core import NoOptions
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import Archs, Supernet
from ofa_plugins_core.pricing import BlockCostModel
from ofa_plugins_core.values import Kind

BYTES = 4


def _moved(block: Block) -> int:
    return BYTES * sum(op.inputs + op.outputs + op.weights for op in block.ops)


def _macs(block: Block) -> int:
    return sum(op.macs for op in block.ops)


def traffic(supernet: Supernet, options: NoOptions) -> BlockCostModel:
    """Bytes read and written as fp32, each op's tensors once: a sum over blocks."""
    return BlockCostModel("traffic", "bytes", supernet, _moved, "sum", source="fp32, no caches")


@frozen
class RooflineOptions:
    """Options of ``roofline``."""

    gmacs: float = field(default=100.0, metadata={"help": "10**9 multiply-accumulates a second"})
    gbytes: float = field(default=10.0, metadata={"help": "10**9 bytes a second"})


@frozen(eq=False)
class Roofline:
    """The longer of two sums: no sum and no maximum of blocks, so it has no tables."""

    compute: BlockCostModel
    memory: BlockCostModel
    options: RooflineOptions
    name: str = "roofline"
    unit: str = "ms"
    kind: Kind = "computed"
    source: str | None = "roofline of a whole network"

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) milliseconds."""
        computing = self.compute.evaluate(archs) / (1e6 * self.options.gmacs)
        moving = self.memory.evaluate(archs) / (1e6 * self.options.gbytes)
        longer: NDArray[Any] = maximum(computing, moving)
        return longer


def roofline(supernet: Supernet, options: RooflineOptions) -> Roofline:
    """The roofline on a supernet."""
    compute = BlockCostModel("macs", "MACs", supernet, _macs, "sum")
    return Roofline(compute, traffic(supernet, NoOptions()), options)
