"""The seams that meet a supernet and nothing else: samplers, smaller spaces, training plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from ofa_plugins_core.composing.bench import Bench, TrialHost
from ofa_plugins_core.composing.cells import Answer
from ofa_plugins_core.composing.checking import demand
from ofa_plugins_core.composing.matrix import Pair
from ofa_plugins_core.composing.trying import outcome_of
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.jobs.choosing import sampler_of
from ofa_plugins_core.jobs.options import PricedOptions

DRAWS: Final = 20
Trial: TypeAlias = Callable[[Bench, Any, Supernet], None]


def pairs_of(bench: Bench, supernets: tuple[str, ...]) -> Iterator[Pair]:
    """Every sampler, smaller space and training plan on every supernet that is no smaller space."""
    for kind, trial in _TRIALS.items():
        for entry in bench.host.entries(kind):
            for name in supernets:
                yield Pair(
                    kind=kind,
                    name=entry.name,
                    supernet=name,
                    answer=_tried(bench, trial, entry, name),
                )


def _tried(bench: Bench, trial: Trial, entry: Any, name: str) -> Answer:
    def call() -> Answer:
        trial(bench, entry, bench.host.supernet(name))
        return Answer(outcome="works")

    answer, failure = outcome_of(bench, call)
    return failure if answer is None else answer


def _sampler(bench: Bench, entry: Any, supernet: Supernet) -> None:
    context = JobContext(TrialHost(bench.host))
    sampler = sampler_of(context, entry, supernet, PricedOptions(supernet=supernet.name))
    drawn = sampler.sample(DRAWS, np.random.default_rng(bench.seed))
    demand(len(drawn) == DRAWS, f"{len(drawn)} networks, where {DRAWS} were asked for")
    demand((drawn < supernet.space.sizes).all(), "networks outside the space")
    demand(np.array_equal(drawn, supernet.space.canonical(drawn)), "not in canonical form")


def _reduction(bench: Bench, entry: Any, supernet: Supernet) -> None:
    smaller = bench.host.supernet(f"{supernet.name}+{entry.name}")
    fewer, all_of = smaller.space.count(), supernet.space.count()
    demand(0 < fewer < all_of, f"{fewer:,} networks, of {all_of:,}")


def _plan(bench: Bench, entry: Any, supernet: Supernet) -> None:
    demand(entry.build(supernet).phases, "it has no phase")


_TRIALS: Final[Mapping[str, Trial]] = {
    "samplers": _sampler,
    "reductions": _reduction,
    "training_plans": _plan,
}
