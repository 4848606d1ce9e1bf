"""The hooks of the plugin outside."""

from __future__ import annotations

from collections.abc import Iterable

from ofa_outside import costs, rank
from ofa_outside.climb import Climb, ClimbOptions
from ofa_plugins_core import CostModelEntry, JobEntry, SearcherEntry, WeightsEntry, hookimpl

OFA_API = 1


@hookimpl
def ofa_cost_models() -> Iterable[CostModelEntry]:
    """One that is searched exactly, and one that is not a sum of blocks."""
    yield CostModelEntry("traffic", "bytes read and written by all ops", "bytes", costs.traffic)
    yield CostModelEntry(
        "roofline",
        "time of computing or of moving, whichever is longer",
        "ms",
        costs.roofline,
        costs.RooflineOptions,
    )


@hookimpl
def ofa_searchers() -> Iterable[SearcherEntry]:
    """Hill climbing."""
    yield SearcherEntry("climb", "hill climbing from many starts", Climb, ClimbOptions)


@hookimpl
def ofa_weights() -> Iterable[WeightsEntry]:
    """Weights of another plugin's supernet."""
    yield WeightsEntry(
        "moofa_v3_outside",
        supernet="moofa_v3",
        layout="new",
        page="https://example.org/moofa_v3_outside",
        source="trained outside",
    )


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """``ofa run shortlist``."""
    yield JobEntry(
        "shortlist",
        "rank random networks of a supernet by a cost",
        run=rank.run,
        options=rank.RankOptions,
        example="ofa run shortlist --supernet moofa_v3 --cost traffic",
    )
