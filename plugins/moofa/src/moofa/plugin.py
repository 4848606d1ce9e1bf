"""The hooks of the plugin moofa."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from moofa import claims, networks, published
from moofa.balanced import BalancedOptions, balanced
from moofa.importing.options import ImportOptions
from ofa_mit.plan_options import ShrinkingOptions
from ofa_mit.variants import MobileVariant, varied
from ofa_plugins_core import ClaimEntry, SupernetEntry, SupernetFamilyEntry, hookimpl
from ofa_plugins_core.entries import (
    FittedPredictorEntry,
    JobContext,
    JobEntry,
    SamplerEntry,
    TrainingPlanEntry,
    WeightsEntry,
)
from ofa_plugins_core.interfaces import Supernet, TrainingPlan

OFA_API = 1

FITTED: Final = Path(__file__).parent / "fitted"
"""Coefficients that ship; each file says which command makes it again."""


@hookimpl
def ofa_supernets() -> Iterable[SupernetEntry]:
    """MOOFA's ablation V1 and V2, and its network V3."""
    yield SupernetEntry(
        "moofa_v1",
        "memory-constant widths, e = 3, 4, 6",
        partial(varied, networks.moofa_v1),
        ("MOOFA_V1",),
        MobileVariant,
    )
    yield SupernetEntry(
        "moofa_v2",
        "memory-constant widths, e = 1, 1.5, 2",
        partial(varied, networks.moofa_v2),
        ("MOOFA_V2",),
        MobileVariant,
    )
    yield SupernetEntry(
        "moofa_v3",
        "memory-constant widths, e = 2, 3, 4: the paper's network",
        partial(varied, networks.moofa_v3),
        ("MOOFA_V3", "mc_ofa"),
        MobileVariant,
    )


@hookimpl
def ofa_supernet_families() -> Iterable[SupernetFamilyEntry]:
    """Rows of users' own on the memory-constant schedule."""
    yield SupernetFamilyEntry(
        "memory_constant",
        "MBConv stages with widths from MOOFA's schedule",
        networks.MoofaRow,
        networks.moofa_supernet,
    )


@hookimpl
def ofa_samplers() -> Iterable[SamplerEntry]:
    """Balanced draws, as for MOOFA's data sets."""
    yield SamplerEntry(
        "balanced",
        "as many networks in each of several ranges of a cost (MOOFA)",
        balanced,
        BalancedOptions,
        cost="cost",
    )


@hookimpl
def ofa_fitted_predictors() -> Iterable[FittedPredictorEntry]:
    """Fits on ImageNet, and on Imagenette for the ablation."""
    for supernet, dataset, count in (
        ("moofa_v3", "imagenet", "2,080"),
        ("moofa_v1", "imagenette", "1,520"),
        ("moofa_v2", "imagenette", "832"),
        ("moofa_v3", "imagenette", "1,856"),
    ):
        yield FittedPredictorEntry(
            "additive",
            supernet,
            dataset,
            FITTED / f"additive-{supernet}-{dataset}.json",
            f"{count} subnets measured on {dataset} by MOOFA's authors",
        )


@hookimpl
def ofa_training_plans() -> Iterable[TrainingPlanEntry]:
    """Progressive shrinking with MOOFA's numbers."""
    yield TrainingPlanEntry(
        "moofa",
        "progressive shrinking at lower learning rates (MOOFA)",
        build=_build_plan,
        options=ShrinkingOptions,
    )


def _build_plan(supernet: Supernet, options: ShrinkingOptions) -> TrainingPlan:
    from moofa.plans import moofa

    return moofa(supernet, options)


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """Reading the published configurations."""
    yield JobEntry(
        "import-config",
        "MOOFA's config.yaml as configurations for our jobs, and what has no counterpart",
        run=_run_import,
        options=ImportOptions,
        example="ofa run import-config --file config.yaml --out ours",
        keeps_run=True,
    )


def _run_import(context: JobContext, options: ImportOptions) -> Any:
    from moofa.importing.configurations import run_import

    return run_import(context, options)


@hookimpl
def ofa_claims() -> Iterable[ClaimEntry]:
    """What MOOFA's paper claims."""
    yield from claims.entries()


@hookimpl
def ofa_weights() -> Iterable[WeightsEntry]:
    """Where MOOFA's checkpoints were published."""
    yield from published.entries()
