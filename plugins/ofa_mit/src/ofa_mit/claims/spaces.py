"""Sizes of Once-for-All's space and of its supernets."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Final

from ofa_plugins_core import Checked, Comparison, JobContext, PluginError
from ofa_plugins_core.chain import largest
from ofa_plugins_core.interfaces import SeparableCost, Supernet

CHECKPOINTS: Final = {"ofa_mbv3_w1.0": 7_678_880, "ofa_mbv3_w1.2": 10_715_752}
"""Supernet -> parameters in its published checkpoint, kernel matrices included."""


def networks(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The space counts its own networks: distinct ones, at one image size."""
    supernet = context.host.supernet("ofa_mbv3_w1.0")
    count, sizes = supernet.space.count(), len(supernet.resolutions)
    return Checked(
        [
            Comparison("networks, one image size", count, 2 * 10**19, within=5 * 10**18),
            Comparison("image sizes", sizes, 25),
        ],
        "Networks that differ in unused blocks alone are counted once; published to one digit.",
    )


def parameters(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The largest network's parameters, and the matrices that make smaller kernels."""
    found = {name: stored(context, name) for name in CHECKPOINTS}
    million = found["ofa_mbv3_w1.0"] / 1e6
    return Checked(
        [
            Comparison("of ofa_mbv3_w1.0", million, 7.7, "million", within=0.05),
            *(Comparison(f"of {n}", count, CHECKPOINTS[n]) for n, count in found.items()),
        ],
        "Those of the largest network, which all others are parts of, and the kernel matrices.",
    )


def stored(context: JobContext, name: str) -> int:
    """Parameters that a supernet stores."""
    supernet = context.host.supernet(name)
    entry = context.host.cost_model("params")
    cost = entry.build(supernet, entry.options())
    if not isinstance(cost, SeparableCost):
        raise PluginError("params is no sum of tables: another plugin's cost stands in its place")
    most, _ = largest(supernet.space, cost.separable(supernet.resolutions[-1]))
    return int(most) + _matrices(supernet)


def _matrices(supernet: Supernet) -> int:
    """Parameters that turn each slot's kernel into the next smaller one: k² by k² each."""
    space = supernet.space
    kernels = next(d.entries for d in space.dimensions if d.key == "ks")
    slots = [sorted(space.genes[e].options, reverse=True) for e in kernels if isinstance(e, int)]
    return sum(int(small) ** 4 for options in slots for _, small in pairwise(options))
