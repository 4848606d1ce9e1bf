"""MOOFA's table 1 beside the authors' own records: networks that they drew and measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from moofa.claims.figures import BOUNDS, TABLE, short
from ofa_plugins_core import Checked, Comparison, InputError, JobContext
from ofa_plugins_core.jobs.records import measured, read_records

LABEL: Final = {"ofa_mbv3_w1.0": 0.4, "compofa_elastic": 0.6, "moofa_v3": 0.4}
"""Supernet -> points: one standard error of a label of its file, as an estimate of ImageNet's
top-1."""
BETTER: Final = (
    "the authors' own records hold a more accurate network within the bound than their search "
    "found; whether by the search or by how accuracy was measured is not published"
)


@frozen
class Best:
    """Of the measured networks within a bound.

    Attributes:
        networks: within it.
        top1: of the most accurate, percent; None where there is no network.
    """

    networks: int
    top1: float | None


def best_measured(context: JobContext, supernet: str, file: Path) -> dict[int, Best]:
    """Bound -> the most accurate measured network within it, of one file.

    Peak memory is by our closed form (``moofa_peak_memory``): a file need not say it.

    Raises:
        InputError: the file is broken, or has no network within any bound.
    """
    named = context.host.supernet(supernet)
    data = measured(named.space, read_records(file))
    moved = named.at(data.space.resolutions)
    peaks = context.host.cost_model("peak_memory").build(moved).evaluate(data.genes)
    within = {bound: data.top1[peaks <= bound] for bound in BOUNDS}
    if not len(within[BOUNDS[-1]]):
        raise InputError(f"{file} holds no network of at most {BOUNDS[-1]:,} items")
    return {
        bound: Best(len(top1), float(top1.max()) if len(top1) else None)
        for bound, top1 in within.items()
    }


def column_ofa(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """MIT OFA."""
    return _column(context, files, "ofa_mbv3_w1.0")


def column_compofa(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """CompOFA."""
    return _column(context, files, "compofa_elastic")


def column_moofa(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """MOOFA."""
    return _column(context, files, "moofa_v3")


def _column(context: JobContext, files: Mapping[str, Path], supernet: str) -> Checked:
    """The best under each bound; a bound without a measured network is shown alone."""
    found = best_measured(context, supernet, files[f"records_{supernet}"])
    return Checked(
        [
            Comparison(
                f"{short(cell.bound)}: best of {found[cell.bound].networks:,} measured networks",
                found[cell.bound].top1,
                cell.top1,
                "%",
                "measured",
                "at most" if found[cell.bound].networks else "shown",
                within=LABEL[supernet],
                why=BETTER if found[cell.bound].networks else "none of the records is within it",
            )
            for cell in TABLE[supernet]
        ],
        "Measured by the authors, of networks that they drew: samples, so that a better network "
        f"may be missing from them. Tolerance: {LABEL[supernet]:g} points, one standard error of "
        "a label of this file.",
    )
