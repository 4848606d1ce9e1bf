"""The job ``lut`` as an entry; what it runs is imported when it runs."""

from __future__ import annotations

from typing import Any

from ofa_plugins_core.builtin.evaluate_job import drawn, in_a_folder
from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs.lut_options import LutOptions


def entry() -> JobEntry:
    """lut."""
    return JobEntry(
        "lut",
        "a latency table of your device: every block of a supernet timed, and held against "
        "whole networks",
        run=_lut,
        options=LutOptions,
        example="ofa run lut --supernet moofa_v3 --device cpu",
        keeps_run=True,
        changeable=("install", "show"),
    )


def _lut(context: JobContext, given: LutOptions) -> Any:
    from ofa_plugins_core.jobs.lut.result import LutResult
    from ofa_plugins_core.jobs.lut.run import run_lut
    from ofa_plugins_core.report.canvas import can_draw

    in_a_folder(context, "a latency table")
    result = run_lut(context, given)
    if not isinstance(result, LutResult) or context.out is None or not can_draw():
        return result
    if (table := result.table) is not None and table.networks:
        from ofa_plugins_core.report.tables import table_plot

        file = context.out / "plots" / "networks.svg"
        drawn(context, lambda: table_plot(table, file))
    return result
