"""The job ``memory`` as an entry; what it runs is imported when it runs."""

from __future__ import annotations

from typing import Any

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.errors import MissingExtraError
from ofa_plugins_core.jobs.memory_options import MemoryOptions


def entry() -> JobEntry:
    """memory."""
    return JobEntry(
        "memory",
        "peak memory: every definition beside what real planners allot, explained by op",
        run=_memory,
        options=MemoryOptions,
        example="ofa run memory --supernet moofa_v3 --largest",
    )


def _memory(context: JobContext, given: MemoryOptions) -> Any:
    from ofa_plugins_core.jobs.memory import run_memory
    from ofa_plugins_core.report.canvas import can_draw

    if given.plot is not None and not can_draw():  # now, not after everything is planned
        raise MissingExtraError("--plot", "ofa-plugins-core", "plot")
    result = run_memory(context, given)
    if given.plot is not None:
        from ofa_plugins_core.report import history_chart

        history_chart(result.found[0].history, f"{result.supernet}: liveness", given.plot)
    return result
