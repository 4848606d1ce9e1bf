"""Claims about the spaces themselves: how many blocks, how they are forced, what smaller ones drop.

Nothing here needs a file of anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from block_profile.claims.figures import KERNELS, RATIOS, SUPERNET, label, listed
from block_profile.profiling.rows import row_plans, wanted_rows
from block_profile.profiling.specs import Catalogue
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.interfaces import Supernet

BLOCKS: Final = {"ofa_mbv3_w1.2": 180, "ofa_proxyless_w1.3": 189, "ofa_resnet50": 169}
"""Supernet -> its blocks, each at each place."""

FIVE: Final = {
    "npu": ({label(ratio, 7) for ratio in RATIOS}, "4, 4, 4, 4, 4"),
    "note10": ({label(3, 7), label(4, 7)}, "3, 4, 4, 4, 4"),
    "gpu": ({label(3, 3), label(3, 7), label(4, 3)}, "4, 3, 4, 3, 3"),
    "cpu": (set[str](), "3, 3, 3, 4, 4"),
    "max_accuracy": ({label(3, k) for k in KERNELS} | {label(4, 3)}, "4, 4, 4, 4, 4"),
}
"""Smaller space -> what it drops at every place, and the greatest depth of each unit."""


def combinations(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Each block at each place that can hold it."""
    return Checked(
        [
            Comparison(name, len(Catalogue.of(context.host.supernet(name).geometry()).blocks()), n)
            for name, n in BLOCKS.items()
        ]
    )


def forced(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """In which share of a row's networks the forced block is, by the published code's rule."""
    whole = Catalogue.of(context.host.supernet(SUPERNET).geometry())
    shares: dict[int, list[float]] = {}
    for plan in row_plans(wanted_rows(whole, (), False), whole.space, "paper", None):
        for demand in plan.forcing.demands:
            if demand.forced.layer is not None:
                chance = plan.forcing.chance(whole.space)
                shares.setdefault(demand.forced.layer, []).append(chance)
    why = "the published code raises a depth only where it is below the layer's number: one too few"
    return Checked(
        [
            Comparison(
                f"layer {layer}: share of networks that have it",
                round(min(chances), 4),
                1,
                why=why,
            )
            for layer, chances in sorted(shares.items())
        ],
        "Exact probabilities, the same in every unit. The published figures were made by this "
        "rule, which understates what blocks in late layers cost and gain; --rule strict has every "
        "forced block in every network.",
    )


def five(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Which blocks and depths the named spaces leave, looked up in the spaces themselves."""
    whole = context.host.supernet(SUPERNET)
    rows: list[Comparison] = []
    for name, (dropped, depths) in FIVE.items():
        small = context.host.supernet(f"{SUPERNET}+{name}")
        gone, deepest = dropped_of(whole, small), ", ".join(map(str, _deepest(small)))
        found = ((f"{name}: dropped everywhere", gone, listed(dropped) or "–"),
                 (f"{name}: greatest depths", deepest, depths))  # fmt: skip
        rows.extend(Comparison(*row, kind="published") for row in found)
    said = "They were chosen by hand; here they are data as published, on any such supernet."
    return Checked(rows, said)


def dropped_of(whole: Supernet, small: Supernet) -> str:
    """Blocks that the small space has at none of its places; those at some are named apart."""
    known = _labels(whole)
    gone = [known[place] - labels for place, labels in _labels(small).items()]
    everywhere = set.intersection(*gone)
    elsewhere = set.union(*gone) - everywhere
    said = listed(everywhere) or "–"
    return f"{said}; at some places {listed(elsewhere)}" if elsewhere else said


def _labels(supernet: Supernet) -> dict[tuple[int | None, int | None], set[str]]:
    """(unit, layer) -> the blocks that may stand there."""
    found: dict[tuple[int | None, int | None], set[str]] = {}
    for demand in Catalogue.of(supernet.geometry()).blocks():
        block = demand.forced
        found.setdefault((block.unit, block.layer), set()).add(block.label)
    return found


def _deepest(supernet: Supernet) -> list[int]:
    genes = supernet.space.genes
    return [int(max(gene.options)) for gene in genes if gene.name.startswith("d[")]
