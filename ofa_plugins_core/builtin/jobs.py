"""The core's jobs as entries; what they run is imported when they run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.jobs import options


def entries() -> Iterator[JobEntry]:
    """search, cost, predict, sample."""
    yield JobEntry(
        "search",
        "the best network under bounds, a sweep of bounds, or the whole front",
        run=_search,
        options=options.SearchOptions,
        example="ofa run search --supernet moofa_v3 --cost peak_memory "
        "--constraint 'peak_memory<=400k'",
        keeps_run=True,
    )


def _search(context: JobContext, given: options.SearchOptions) -> Any:
    from ofa_plugins_core.jobs.search import run_search

    return run_search(context, given)
