"""MOOFA's widths, and the memory of its networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from moofa.networks import MoofaRow
from ofa_mit.claims.searching import fit_of, searched
from ofa_plugins_core import Checked, Comparison, InfeasibleError, JobContext, PluginError
from ofa_plugins_core.chain import smallest as smallest_of
from ofa_plugins_core.claims import Relation
from ofa_plugins_core.interfaces import SeparableCost, Supernet
from ofa_plugins_core.jobs.cost import HistoryCost
from ofa_plugins_core.separable import Separable

WIDTHS: Final = "3, 8, 24, 96, 288, 360, 384, 392, 392"
LARGEST: Final = 696_192
SMALLEST_V1: Final = 448_512
TOO_LITTLE: Final = "peak_memory<=400k"
STAGES: Final = 5


def widths(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The schedule, from width 24 at 56 pixels on."""
    row = MoofaRow(e=(2, 3, 4)).network()
    found = (row.stem, row.first, *row.widths, row.final_expand, row.feature_mix)
    return Checked([Comparison("widths", ", ".join(map(str, found)), WIDTHS)])


def constant(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Items of each stage, of the largest networks at 224 pixels."""
    stages = _stages(context, "moofa_v3", 4)
    spread = {e: _spread(_stages(context, "moofa_v3", e)) for e in (2, 3)}
    ofa = _spread(_stages(context, "ofa_mbv3_w1.0", 6))
    why = "where depthwise needs more than expand the published step is an approximation"
    shown: Relation = "shown"
    return Checked(
        [
            Comparison("the largest network at 224 px", max(stages.values()), LARGEST, "items"),
            *(
                Comparison(f"of that, {stage}", items, None, "items", relation=shown)
                for stage, items in stages.items()
            ),
            Comparison(
                "most / least of a stage",
                _spread(stages),
                None,
                relation=shown,
                why=why,
                against=1,
                beside="what constant would be",
            ),
            Comparison("the same with e = 3", spread[3], None, relation=shown),
            Comparison("the same with e = 2", spread[2], None, relation=shown),
            Comparison("the same of OFA's largest network", ofa, None, relation=shown),
        ],
        "The paper says constant, and gives no tolerance: only the largest network is judged.",
    )


def _stages(context: JobContext, name: str, expand: int) -> dict[str, int]:
    """Stage -> items of the convolution that needs most, with one expand ratio and 7×7 kernels."""
    supernet = context.host.supernet(name).at([224])
    cost = context.host.cost_model("peak_memory").build(supernet)
    if not isinstance(cost, HistoryCost):
        raise PluginError("peak_memory has no history: another plugin's cost stands in its place")
    slots = 4 * STAGES
    arch = {"ks": [7] * slots, "e": [expand] * slots, "d": [4] * STAGES, "image_size": 224}
    found: dict[str, int] = {}
    for block, _, items in cost.history(arch):
        if block.startswith("stage"):
            stage = block.partition(" block")[0]
            found[stage] = max(found.get(stage, 0), items)
    return found


def _spread(stages: Mapping[str, int]) -> float:
    return max(stages.values()) / min(stages.values())


def smallest(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """What a search under 400k says of V1, and the least of each supernet."""
    least = {name: _least(context, name) for name in ("moofa_v1", "moofa_v2", "moofa_v3")}
    return Checked(
        [
            Comparison(
                "what the search says that V1 reaches", _refused(context), SMALLEST_V1, "items"
            ),
            Comparison("least of V1, any image size", least["moofa_v1"], SMALLEST_V1, "items"),
            Comparison("least of V2", least["moofa_v2"], None, "items", relation="shown"),
            Comparison("least of V3", least["moofa_v3"], None, "items", relation="shown"),
        ],
        "The published search draws until networks fit, and does not end here; ours says so at "
        "once, with the least that can be reached.",
    )


def _refused(context: JobContext) -> int | None:
    """The least that the search says; None where it finds a network."""
    try:
        searched(
            context,
            supernet="moofa_v1",
            cost=("peak_memory",),
            constraint=(TOO_LITTLE,),
            predictor_weights=fit_of(context, "moofa_v1", "imagenette"),
            predictor="additive",
        )
    except InfeasibleError as error:
        return int(error.smallest["peak_memory"])
    return None


def _least(context: JobContext, name: str) -> int:
    supernet = context.host.supernet(name)
    tables = peak_tables(context, supernet)
    return min(int(smallest_of(supernet.space, table)[0]) for table in tables.values())


def peak_tables(context: JobContext, supernet: Supernet) -> dict[int, Separable]:
    """Image size -> peak memory as tables."""
    cost = context.host.cost_model("peak_memory").build(supernet)
    if not isinstance(cost, SeparableCost):
        raise PluginError("peak_memory has no tables: another plugin's cost stands in its place")
    return {size: cost.separable(size) for size in supernet.resolutions}
