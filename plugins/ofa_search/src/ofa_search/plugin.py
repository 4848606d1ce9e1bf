"""The hooks of the plugin ofa_search."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ofa_plugins_core.entries import (
    FittedPredictorEntry,
    PredictorEntry,
    SearcherEntry,
)
from ofa_plugins_core.hookspecs import hookimpl
from ofa_plugins_core.interfaces import Predictor, Searcher, Supernet
from ofa_plugins_core.measured import FitTask, FittedFile
from ofa_search.options import ExactOptions, ExhaustiveOptions, Nsga2Options

OFA_API = 1


@hookimpl
def ofa_predictors() -> Iterable[PredictorEntry]:
    """The additive predictor."""
    yield PredictorEntry(
        "additive",
        "one term a choice under a link with diminishing returns; searched exactly",
        load=_load_additive,
        fit=_fit_additive,
    )


def _load_additive(
    supernet: Supernet, file: Path | None, entry: FittedPredictorEntry | None
) -> Predictor:
    from ofa_search.additive.loading import load_additive

    return load_additive(supernet, file, entry)


def _fit_additive(task: FitTask) -> FittedFile:
    from ofa_search.additive.fitting import fit_additive

    return fit_additive(task)


@hookimpl
def ofa_searchers() -> Iterable[SearcherEntry]:
    """exact, exhaustive, nsga2."""
    yield SearcherEntry(
        "exact",
        "proven optimal networks and fronts, from tables instead of one network at a time",
        build=_build_exact,
        options=ExactOptions,
        exact=True,
    )
    yield SearcherEntry(
        "exhaustive",
        "tries every network of a small space, whatever its costs and predictor",
        build=_build_exhaustive,
        options=ExhaustiveOptions,
        exact=True,
    )
    yield SearcherEntry(
        "nsga2",
        "NSGA-II by pymoo, for what is not separable",
        build=_build_nsga2,
        options=Nsga2Options,
        trial={"population": 20, "generations": 3},
    )


def _build_exact(options: ExactOptions) -> Searcher:
    from ofa_search.exact.searcher import Exact

    return Exact(options)


def _build_exhaustive(options: ExhaustiveOptions) -> Searcher:
    from ofa_search.exhaustive import Exhaustive

    return Exhaustive(options)


def _build_nsga2(options: Nsga2Options) -> Searcher:
    from ofa_search.nsga2 import Nsga2

    return Nsga2(options)
