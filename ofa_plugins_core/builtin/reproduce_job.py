"""The job ``reproduce`` as an entry; what it runs is imported when it runs."""

from __future__ import annotations

from typing import Any

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs.reproduce_options import ReproduceOptions


def entry() -> JobEntry:
    """reproduce."""
    return JobEntry(
        "reproduce",
        "what the papers claim, checked: ours beside the published figures, with a verdict each",
        run=_reproduce,
        options=ReproduceOptions,
        example="ofa run reproduce --claims CompOFA --material FOLDER",
        changeable=("claims", "material", "given", "verdict"),
    )


def _reproduce(context: JobContext, given: ReproduceOptions) -> Any:
    from ofa_plugins_core.jobs.reproducing import run_reproduce

    return run_reproduce(context, given)
