"""The hooks of the plugin block_profile."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from block_profile.latency.options import (
    BoostingOptions,
    LabelOptions,
    LinearOptions,
    SequenceOptions,
)
from block_profile.profiling.options import CHANGEABLE, ProfileOptions
from block_profile.reducing.options import CHANGEABLE as CONTEST_CHANGEABLE
from block_profile.reducing.options import ContestOptions, MutationOptions, ReduceOptions
from ofa_plugins_core import (
    ClaimEntry,
    JobContext,
    JobEntry,
    LatencyPredictorEntry,
    ReductionEntry,
    SearcherEntry,
    hookimpl,
)
from ofa_plugins_core.interfaces import Searcher, Supernet
from ofa_plugins_core.latency_fits import LatencyFit, LatencyPredictor, LatencyTask

OFA_API = 1


@hookimpl
def ofa_claims() -> Iterable[ClaimEntry]:
    """What block profiling's paper claims."""
    from block_profile.claims import entries

    yield from entries()


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """profile, reduce, contest, label."""
    yield JobEntry(
        "profile",
        "what each block choice at each place costs and gains, end to end",
        _run_profile,
        ProfileOptions,
        example="ofa run profile --supernet moofa_v3 --metrics accuracy,peak_memory --exact",
        keeps_run=True,
        changeable=CHANGEABLE,
        draw=_draw_profile,
    )
    yield JobEntry(
        "reduce",
        "a smaller space from a profile: what is dropped, and why",
        _run_reduce,
        ReduceOptions,
        example="ofa run reduce --profile runs/profile-… --cost peak_memory --random-control",
        keeps_run=True,
    )
    yield JobEntry(
        "contest",
        "search a smaller space, the whole one and a random one, often, and compare",
        _run_contest,
        ContestOptions,
        example="ofa run contest --supernet moofa_v3+NAME --cost peak_memory --repeats 20",
        keeps_run=True,
        changeable=CONTEST_CHANGEABLE,
    )
    yield JobEntry(
        "label",
        "latencies of drawn networks, by a table or measured: what a predictor is fitted to",
        _run_label,
        LabelOptions,
        example="ofa run label --supernet moofa_v3 --device cpu --measure --n 300 --out bench.csv",
        keeps_run=True,
    )


def _run_label(context: JobContext, options: LabelOptions) -> Any:
    from block_profile.latency.label import run_label

    return run_label(context, options)


def _run_profile(context: JobContext, options: ProfileOptions) -> Any:
    from block_profile.profiling.job import run_profile

    return run_profile(context, options)


def _draw_profile(folder: Path) -> Iterable[tuple[str, str]]:
    from block_profile.profiling.pictures import draw_profile
    from block_profile.profiling.profile import read_profile

    return draw_profile(read_profile(folder), folder)


def _run_reduce(context: JobContext, options: ReduceOptions) -> Any:
    from block_profile.reducing.job import run_reduce

    return run_reduce(context, options)


def _run_contest(context: JobContext, options: ContestOptions) -> Any:
    from block_profile.reducing.contest import run_contest

    return run_contest(context, options)


@hookimpl
def ofa_searchers() -> Iterable[SearcherEntry]:
    """The search that profiles' authors run on reduced spaces."""
    yield SearcherEntry(
        "unit_mutation",
        "adds, removes or swaps a block in each unit of the best networks, as published",
        _unit_mutation,
        MutationOptions,
        trial={"first": 20, "rounds": 3, "children": 20},
    )


def _unit_mutation(options: MutationOptions) -> Searcher:
    from block_profile.reducing.mutation import UnitMutation

    return UnitMutation(options)


@hookimpl
def ofa_reductions() -> Iterable[ReductionEntry]:
    """The published smaller spaces of OFA's MobileNetV3."""
    from block_profile.reducing.published import ENTRIES

    yield from ENTRIES


@hookimpl
def ofa_latency_predictors() -> Iterable[LatencyPredictorEntry]:
    """The published sequence model, and what it has to beat."""
    yield LatencyPredictorEntry(
        "sequence",
        "a recurrent network over the row of blocks, as published; needs torch to be fitted",
        fit=_fit_sequence,
        load=_load_sequence,
        options=SequenceOptions,
        trial={"epochs": 2, "hidden": 16, "embedding": 16, "threads": 1},
    )
    yield LatencyPredictorEntry(
        "linear",
        "a weighted sum of a network's ops (ridge regression); needs nothing else to be fitted",
        fit=_fit_linear,
        load=_load_linear,
        options=LinearOptions,
        baseline=True,
    )
    yield LatencyPredictorEntry(
        "boosting",
        "gradient boosting on counts of ops; needs scikit-learn to be fitted",
        fit=_fit_boosting,
        load=_load_boosting,
        options=BoostingOptions,
        trial={"trees": 20},
        baseline=True,
    )


def _fit_sequence(task: LatencyTask, options: SequenceOptions) -> LatencyFit:
    from block_profile.latency.training import fit_sequence

    return fit_sequence(task, options)


def _load_sequence(supernet: Supernet, fit: LatencyFit) -> LatencyPredictor:
    from block_profile.latency.sequence import load_sequence

    return load_sequence(supernet, fit)


def _fit_linear(task: LatencyTask, options: LinearOptions) -> LatencyFit:
    from block_profile.latency.linear import fit_linear

    return fit_linear(task, options)


def _load_linear(supernet: Supernet, fit: LatencyFit) -> LatencyPredictor:
    from block_profile.latency.linear import load_linear

    return load_linear(supernet, fit)


def _fit_boosting(task: LatencyTask, options: BoostingOptions) -> LatencyFit:
    from block_profile.latency.boosting import fit_boosting

    return fit_boosting(task, options)


def _load_boosting(supernet: Supernet, fit: LatencyFit) -> LatencyPredictor:
    from block_profile.latency.boosting import load_boosting

    return load_boosting(supernet, fit)
