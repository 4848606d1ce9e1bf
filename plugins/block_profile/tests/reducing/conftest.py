"""Profiles made by hand, the toy's host, and jobs run on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from block_profile.profiling.profile import (
    FILE,
    RANDOM,
    Forced,
    Metric,
    Profile,
    Row,
    Statistic,
    profile_text,
)
from block_profile.reducing.options import ContestOptions, MutationOptions, ReduceOptions
from ofa_plugins_core import (
    Host,
    JobContext,
    PredictorEntry,
    ReductionEntry,
    SearcherEntry,
    SupernetEntry,
)
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.testing import in_process
from ofa_plugins_core.testing.toys import ToyPredictor, toy_supernet

METRICS = {
    "accuracy": Metric("accuracy", "%", "predicted", better="higher"),
    "latency@note10": Metric("latency@note10", "ms", "published"),
    "params": Metric("params", "count", "computed"),
}

PUBLISHED = {
    "accuracy": (77.51, 77.54, 77.58, 77.44, 77.48, 77.49, 77.43, 77.43, 77.42),
    "latency@note10": (42.12, 42.66, 43.41, 41.46, 41.82, 42.31, 41.14, 41.41, 41.81),
}
"""Means of e6 | e4 | e3 with k3, k5, k7 as published (Mills et al., CIKM 2021; Note10 at 224)."""


def statistic(mean: float, sd: float = 0.0) -> Statistic:
    return Statistic(mean, sd, None, None, None, None, mean - 3 * sd, mean + 3 * sd)


@pytest.fixture
def profile_of() -> Callable[..., Profile]:
    """A profile from (unit, layer, kernel, expand) -> metric -> mean; depths: (unit, depth) -> …"""

    def make(
        blocks: Mapping[tuple[int, int, int, int], Mapping[str, float]],
        depths: Mapping[tuple[int, int], Mapping[str, float]] | None = None,
        sd: float = 0.0,
        **changes: object,
    ) -> Profile:
        names = list(next(iter(blocks.values())))
        statistics = {name: statistic(0.0, sd) for name in names}
        kept = "sampled" if sd else "exact"
        rows = [Row(RANDOM, (), None, 1.0, **{"sampled": {}, kept: statistics})]
        forced = [
            (Forced("block", u, n, f"{u}.{n}", {"k": k, "e": e}, True, f"MBConv{e}_{k}x{k}"), means)
            for (u, n, k, e), means in blocks.items()
        ] + [
            (Forced("depth", u, None, f"d[{u}]", {"depth": d}, True, f"depth {d}"), means)
            for (u, d), means in (depths or {}).items()
        ]
        for one, means in forced:
            values = {name: statistic(mean, sd) for name, mean in means.items()}
            rows.append(Row(one.label, (one,), None, 1.0, **{"sampled": {}, kept: values}))
        fields = {"supernet": "toy", "networks": 400, "draws": "independent", **changes}
        return Profile(
            rule="strict",
            archs=100 if sd else 0,
            seed=0,
            resolutions=(32, 64),
            metrics=tuple(METRICS[n] for n in names),
            rows=tuple(rows),
            **fields,
        )

    return make


@pytest.fixture
def published(profile_of) -> Profile:
    """The published means, as of one place."""
    pairs = [(e, k) for e in (6, 4, 3) for k in (3, 5, 7)]
    return profile_of(
        {(0, 0, k, e): {n: v[i] for n, v in PUBLISHED.items()} for i, (e, k) in enumerate(pairs)}
    )


@pytest.fixture
def toy_host() -> Host:
    """With the toy, its predictor, the mutation by unit, and a smaller space of the toy."""
    from block_profile.reducing.mutation import UnitMutation

    small = Reduction("small", drop=(Drop({"k": 3, "e": 2}),), depth=(2, 1))
    short = MutationOptions(first=20, rounds=3, children=30)
    plugin = in_process(
        "toys",
        ofa_supernets=[SupernetEntry("toy", "…", toy_supernet)],
        ofa_predictors=[PredictorEntry("toy", "…", lambda s, file, fit: ToyPredictor(s.space))],
        ofa_searchers=[SearcherEntry("mutation_here", "…", lambda o: UnitMutation(short))],
        ofa_reductions=[ReductionEntry(small, "…")],
    )
    return Host.discover(extra={"toys": plugin})


@pytest.fixture
def reduce(toy_host: Host, tmp_path: Path) -> Callable:
    """Runs the job on a profile; options by keyword, ``seed`` and ``told`` of the run."""
    from block_profile.reducing.job import run_reduce

    def run(profile, out=None, seed=0, told=None, **options):
        file = tmp_path / FILE
        file.write_text(profile_text(profile), encoding="utf-8")
        listener = (lambda event: None) if told is None else told.append
        context = JobContext(toy_host, listener, seed, out)
        return run_reduce(context, ReduceOptions(profile=file, **options))

    return run


@pytest.fixture
def contest(toy_host: Host) -> Callable:
    """Runs the job on the toy's smaller space; ``out``, ``seed``, ``resume`` of the run."""
    from block_profile.reducing.contest import run_contest

    def run(out=None, seed=0, resume=False, listener=lambda event: None, **options):
        context = JobContext(toy_host, listener, seed, out, resume)
        usual = {
            "supernet": "toy+small",
            "predictor": "toy",
            "searcher": "mutation_here",
            "repeats": 3,
        }
        return run_contest(context, ContestOptions(**{**usual, **options}))

    return run
