"""A third party's plugin: it is type-checked against the installed wheels, never run or shipped.

What is wrong on purpose is marked: were the packages' types not to reach this file, nothing would
be wrong with these lines, and the marks would be the error.
"""

from __future__ import annotations

from collections.abc import Iterable

from compofa import coupled
from moofa import memory_constant_widths
from ofa_plugins_core import CostModelEntry, Host, Measurement, NoOptions, hookimpl
from ofa_plugins_core.geometry import Block
from ofa_plugins_core.interfaces import CostModel, Supernet
from ofa_plugins_core.pricing import BlockCostModel

OFA_API = 1


def build(supernet: Supernet, options: NoOptions) -> CostModel:
    """A cost of a third party."""

    def price(block: Block) -> int:
        return sum(op.weights for op in block.ops)

    return BlockCostModel("weights", "count", supernet, price, "sum")


@hookimpl
def ofa_cost_models() -> Iterable[CostModelEntry]:
    """A hook that is implemented as it should be."""
    yield CostModelEntry("weights", "elements of all weights", "count", build)
    yield CostModelEntry("weights", 1, "count", build)  # type: ignore[arg-type]


def wrong(host: Host, found: Measurement) -> None:
    """Mistakes that types have to find."""
    host.supernet(3)  # type: ignore[arg-type]
    found.value = 1.0  # type: ignore[misc]
    coupled(3, [1])  # type: ignore[arg-type]
    memory_constant_widths("no number")  # type: ignore[arg-type]
