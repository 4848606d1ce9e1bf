"""The hooks of the core's own plugin."""

from __future__ import annotations

from collections.abc import Iterable

from ofa_plugins_core.builtin import costs, jobs, latency, random_search, samplers
from ofa_plugins_core.entries import CostModelEntry, JobEntry, SamplerEntry, SearcherEntry
from ofa_plugins_core.hookspecs import hookimpl

OFA_API = 1


@hookimpl
def ofa_cost_models() -> Iterable[CostModelEntry]:
    """Computed costs, and latency from tables."""
    yield from costs.entries()
    yield latency.entry()


@hookimpl
def ofa_samplers() -> Iterable[SamplerEntry]:
    """uniform."""
    yield samplers.entry()


@hookimpl
def ofa_searchers() -> Iterable[SearcherEntry]:
    """random."""
    yield random_search.entry()


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """search, cost, predict, sample."""
    yield from jobs.entries()
