"""Claims about the published latency tables of the board, from a user's copies of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from dynamic_ofa.claims.figures import CPU
from dynamic_ofa.claims.offline import levels_of
from dynamic_ofa.levels.published import SUPERNET
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.correlations import pearson, spearman
from ofa_plugins_core.events import silent
from ofa_plugins_core.interfaces import CostModel, Problem, Supernet
from ofa_plugins_core.jobs.choosing import cost_models
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.table_flaws import CopiedRows, FallingSums, NoisyRows, find_flaws
from ofa_plugins_core.tables import TableFolder

BOARD: Final = {"GPU": "jetson_gpu_tables", "CPU": "jetson_cpu_tables"}
"""Processor -> the material that holds its tables."""
CLOSE: Final = 0.1
"""Share by which a sum may be off what was measured and still tell it."""

FULL: Final = (160, 176, 192, 208, 224)
NARROW: Final = (208, 212, 216, 220)
"""Image sizes of the published search: with a floor on accuracy, and without."""


def gpu_sums(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Sums of the table's rows beside what the authors measured of the same networks."""
    levels = levels_of(files["nets_6"], "nets_6").levels
    supernet = context.host.supernet(SUPERNET)
    priced = priced_by(context, supernet, files[BOARD["GPU"]])
    sums = priced.evaluate([dict(row.arch) for row in levels])
    measured = np.array([row.latency.value for row in levels])
    ratio = measured / sums
    why = (
        "the order is right and the milliseconds are not: six rows of each image size are the "
        "Note10's, and under which conditions either was measured is not said"
    )
    pairs = enumerate(zip(sums.tolist(), measured.tolist(), strict=True))
    return Checked(
        [
            Comparison("measured ÷ summed, most", float(ratio.max()), None, within=CLOSE, why=why,
                       against=1.0, beside="a sum that is the latency"),
            Comparison("measured ÷ summed, least", float(ratio.min()), None, relation="shown"),
            Comparison("rank correlation (Spearman)", spearman(sums, measured), None,
                       relation="shown"),
            Comparison("correlation (Pearson)", pearson(sums, measured), None, relation="shown"),
            *(
                Comparison(f"level {n}: sum beside measured", mine, theirs, "ms", "predicted",
                           "shown")
                for n, (mine, theirs) in pairs
            ),
        ],
        f"Sums of jetson_gpu's rows for the six networks of nets_6; {CLOSE:.0%} off would hold.",
    )  # fmt: skip


def copied(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Rows of the board's tables that are another device's, bit for bit."""
    rows = [
        row
        for processor, material in BOARD.items()
        for row in _flaws(processor, TableFolder.open(files[material], material))
    ]
    return Checked(
        rows,
        "The Note10's rows are recognised by fingerprints of the published ones; no Note10 table "
        "is needed.",
    )


def cpu_search(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The least latency by the CPU's table, proven, beside the figure's fastest CPU level."""
    supernet = context.host.supernet(SUPERNET)
    path = files[BOARD["CPU"]]
    spaces = {
        "narrow space": (narrow(supernet), "below it the published search draws for ever"),
        "full space": (
            supernet.at(FULL),
            "the shipped table is not what the figure's levels were found by",
        ),
    }
    fastest = CPU[0][1]
    return Checked(
        [
            Comparison(
                f"{name}: least latency of a network",
                least(context, space, path),
                fastest,
                "ms",
                "predicted",
                "at most",
                why=why,
            )
            for name, (space, why) in spaces.items()
        ],
        "Narrow, without a floor on accuracy: kernels 5 and 7, ratios 4 and 6, depths 3 and 4, 208 "
        "to 220 pixels. Full: 160 to 224. Proven least, by the table's sums.",
    )


def priced_by(context: JobContext, supernet: Supernet, path: Path) -> CostModel:
    """Latency as sums of a table's rows.

    Raises:
        InputError: the table is broken, or lacks rows.
    """
    options = PricedOptions(supernet=supernet.name, lut=(f"board={path}",))
    (model,) = cost_models(context, options, supernet, ["latency"]).values()
    return model


def least(context: JobContext, supernet: Supernet, path: Path) -> float:
    """The least latency of a network, ms, found exactly.

    Raises:
        UnknownNameError: no plugin searches exactly.
        InputError: the table is broken, or lacks rows.
        KeyboardInterrupt: the user stopped it.
    """
    model = priced_by(context, supernet, path)
    problem = Problem(supernet, {"latency": model}, objective="latency")
    searcher = context.host.searcher("exact").build()
    found = searcher.search(problem, np.random.default_rng(context.seed), silent)
    if found.interrupted:
        raise KeyboardInterrupt
    return float(model.evaluate(found.genes)[0])


def narrow(supernet: Supernet) -> Supernet:
    """The space that the published search has where no accuracy is asked for."""
    depths = [gene.name for gene in supernet.space.genes if gene.name.startswith("d[")]
    reduction = Reduction(
        "narrow",
        drop=(Drop({"k": 3}), Drop({"e": 3})),
        keep=tuple(Keep(name, (3, 4)) for name in depths),
        source="Dynamic-OFA's published search without a floor on accuracy",
    )
    return reduced(supernet.at(NARROW), reduction)


def _flaws(processor: str, folder: TableFolder) -> Iterator[Comparison]:
    found = find_flaws([folder])
    rows = sum(len(folder.table(size).rows) for size in folder.sizes)
    copies = [flaw for flaw in found if isinstance(flaw, CopiedRows)]
    yield Comparison(
        f"{processor}: rows of {rows:,} that are another device's",
        sum(len(flaw.rows) for flaw in copies),
        None,
        against=0,
        beside="a table measured on the board",
        why=f"bit for bit those of {_named([flaw.other for flaw in copies])}",
    )
    for flaw in found:
        if isinstance(flaw, NoisyRows):
            what = f"{processor}: standard deviation of an elastic row, share of its mean, median"
            yield Comparison(what, flaw.typical, None, relation="shown")
        if isinstance(flaw, FallingSums):
            what = f"{processor}: of {flaw.total} steps to a larger image, sums that fall"
            yield Comparison(what, len(flaw.steps), None, relation="shown")


def _named(names: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(names)) or "no other"
