"""The hooks of the plugin compofa."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from compofa import claims, networks, published
from compofa.population.options import PopulationOptions
from compofa.targets.options import TargetsOptions
from ofa_mit.plan_options import ShrinkingOptions
from ofa_mit.variants import MobileVariant, varied
from ofa_plugins_core import ClaimEntry, SupernetEntry, SupernetFamilyEntry, hookimpl
from ofa_plugins_core.entries import (
    FittedPredictorEntry,
    JobContext,
    JobEntry,
    TrainingPlanEntry,
    WeightsEntry,
)
from ofa_plugins_core.interfaces import Supernet, TrainingPlan

OFA_API = 1

FITTED: Final = Path(__file__).parent / "fitted"
"""Coefficients that ship; each file says which command makes it again."""


@hookimpl
def ofa_supernets() -> Iterable[SupernetEntry]:
    """CompOFA with fixed and with free kernels."""
    yield SupernetEntry(
        "compofa",
        "ofa_mbv3_w1.0, depth and expand ratio coupled, fixed kernels",
        partial(varied, networks.compofa),
        options=MobileVariant,
    )
    yield SupernetEntry(
        "compofa_elastic",
        "ofa_mbv3_w1.0, depth and expand ratio coupled, free kernels",
        partial(varied, networks.compofa_elastic),
        ("CompOFA", "compofa-elastic"),
        MobileVariant,
    )


@hookimpl
def ofa_supernet_families() -> Iterable[SupernetFamilyEntry]:
    """Rows of users' own with coupled dimensions."""
    yield SupernetFamilyEntry(
        "compound",
        "MBConv stages, expand ratio coupled to depth",
        networks.CompoundRow,
        networks.compound_supernet,
    )


@hookimpl
def ofa_fitted_predictors() -> Iterable[FittedPredictorEntry]:
    """The fit for free kernels, which for fixed kernels is an extrapolation as a whole."""
    for supernet in ("compofa_elastic", "compofa"):
        yield FittedPredictorEntry(
            "additive",
            supernet,
            "imagenet",
            FITTED / "additive-compofa_elastic-imagenet.json",
            "1,664 subnets with free kernels measured on ImageNet by MOOFA's authors",
            extrapolation=supernet == "compofa",
        )


@hookimpl
def ofa_training_plans() -> Iterable[TrainingPlanEntry]:
    """Compound training."""
    yield TrainingPlanEntry(
        "compofa",
        "a teacher, then depth and expand ratio at once (CompOFA)",
        build=_build_plan,
        options=ShrinkingOptions,
    )


def _build_plan(supernet: Supernet, options: ShrinkingOptions) -> TrainingPlan:
    from compofa.plans import compofa

    return compofa(supernet, options)


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """CompOFA's search, and its population beside another's."""
    yield JobEntry(
        "targets",
        "the best network under each latency of a list, from one enumeration where it is small",
        run=_run_targets,
        options=TargetsOptions,
        example="ofa run targets --supernet compofa --target note10 --lut note10=FOLDER "
        "--lut-as ofa_mbv3_w1.2",
        keeps_run=True,
    )
    yield JobEntry(
        "population",
        "measured networks of two supernets compared at equal latency, or another cost",
        run=_run_population,
        options=PopulationOptions,
        example="ofa run population --records compofa_elastic=FILE --records ofa_mbv3_w1.0=FILE "
        "--lut note10=FOLDER --lut-as ofa_mbv3_w1.2",
        keeps_run=True,
    )


def _run_targets(context: JobContext, options: TargetsOptions) -> Any:
    from compofa.targets.jobs import run_targets

    return run_targets(context, options)


def _run_population(context: JobContext, options: PopulationOptions) -> Any:
    from compofa.population.jobs import run_population

    return run_population(context, options)


@hookimpl
def ofa_claims() -> Iterable[ClaimEntry]:
    """What CompOFA's paper claims."""
    yield from claims.entries()


@hookimpl
def ofa_weights() -> Iterable[WeightsEntry]:
    """CompOFA's published checkpoints."""
    yield from published.entries()
