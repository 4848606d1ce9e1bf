"""The hooks of the core's own plugin."""

from __future__ import annotations

from collections.abc import Iterable

from ofa_plugins_core.builtin import (
    costs,
    devices,
    fit_job,
    jobs,
    latency,
    reproduce_job,
    samplers,
    torch_jobs,
)
from ofa_plugins_core.builtin.options import RandomOptions
from ofa_plugins_core.entries import (
    CostModelEntry,
    DeviceEntry,
    JobEntry,
    SamplerEntry,
    SearcherEntry,
)
from ofa_plugins_core.hookspecs import hookimpl
from ofa_plugins_core.interfaces import Searcher

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
    yield SearcherEntry(
        "random",
        "the best of uniform random draws: a baseline",
        build=_build_random,
        options=RandomOptions,
        trial={"draws": 200},
    )


def _build_random(options: RandomOptions) -> Searcher:
    from ofa_plugins_core.builtin.random_search import RandomSearch

    return RandomSearch(options)


@hookimpl
def ofa_devices() -> Iterable[DeviceEntry]:
    """cpu, cuda, onnxruntime."""
    yield from devices.entries()


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """search, cost, predict, sample; fit; those on networks in torch; reproduce."""
    yield from jobs.entries()
    yield fit_job.entry()
    yield from torch_jobs.entries()
    yield reproduce_job.entry()
