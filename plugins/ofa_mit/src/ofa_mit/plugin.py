"""The hooks of the plugin ofa_mit."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, Final

from ofa_mit import claims, networks, published
from ofa_mit.mobile import MobileRow
from ofa_mit.options import EvolutionOptions
from ofa_mit.plan_options import SandwichOptions, ShrinkingOptions
from ofa_mit.residual import ResidualRow
from ofa_mit.specialised_options import SpecialisedOptions
from ofa_mit.variants import MobileVariant, ResidualVariant, varied
from ofa_plugins_core import ClaimEntry, SupernetEntry, SupernetFamilyEntry, hookimpl
from ofa_plugins_core.entries import (
    FittedPredictorEntry,
    JobContext,
    JobEntry,
    PredictorEntry,
    SearcherEntry,
    TrainingPlanEntry,
    WeightsEntry,
)
from ofa_plugins_core.interfaces import Predictor, Searcher, Supernet, TrainingPlan
from ofa_plugins_core.measured import FitTask, FittedFile

OFA_API = 1

FITTED: Final = Path(__file__).parent / "fitted"
"""Coefficients that ship; each file says which command makes it again."""


@hookimpl
def ofa_supernets() -> Iterable[SupernetEntry]:
    """The four published OFA supernets, and a small one."""
    yield SupernetEntry(
        "ofa_mbv3_w1.0",
        "MobileNetV3-like, width 1.0: elastic kernel, expand ratio, depth, resolution",
        partial(varied, networks.ofa_mbv3_w1_0),
        ("OFA", "ofa_mbv3_d234_e346_k357_w1.0"),
        MobileVariant,
    )
    yield SupernetEntry(
        "ofa_mbv3_w1.2",
        "MobileNetV3-like, width 1.2",
        partial(varied, networks.ofa_mbv3_w1_2),
        ("ofa_mbv3_d234_e346_k357_w1.2",),
        MobileVariant,
    )
    yield SupernetEntry(
        "ofa_proxyless_w1.3",
        "ProxylessNAS-like, width 1.3",
        partial(varied, networks.ofa_proxyless_w1_3),
        ("ofa_proxyless_d234_e346_k357_w1.3",),
        MobileVariant,
    )
    yield SupernetEntry(
        "ofa_resnet50",
        "ResNet-50D-like: elastic depth, expand ratio, width",
        partial(varied, networks.ofa_resnet50),
        ("ofa_resnet50_d=0+1+2_e=0.2+0.25+0.35_w=0.65+0.8+1.0",),
        ResidualVariant,
    )
    yield SupernetEntry(
        "ofa_small",
        "ours, not published: for pictures of few pixels, 0.1 million parameters",
        partial(varied, networks.ofa_small),
        options=MobileVariant,
    )


@hookimpl
def ofa_supernet_families() -> Iterable[SupernetFamilyEntry]:
    """The two builders, for rows of users' own."""
    yield SupernetFamilyEntry(
        "mbconv", "MBConv stages, as OFA's MobileNetV3", MobileRow, networks.mobile_supernet
    )
    yield SupernetFamilyEntry(
        "bottleneck", "bottleneck stages, as ResNet-50D", ResidualRow, networks.residual_supernet
    )


@hookimpl
def ofa_searchers() -> Iterable[SearcherEntry]:
    """The published search."""
    yield SearcherEntry(
        "evolution",
        "the published evolutionary search, with bounded tries",
        build=_build_evolution,
        options=EvolutionOptions,
        trial={"population": 20, "generations": 3},
    )


def _build_evolution(options: EvolutionOptions) -> Searcher:
    from ofa_mit.evolution import Evolution

    return Evolution(options)


@hookimpl
def ofa_predictors() -> Iterable[PredictorEntry]:
    """The published predictors, and networks like them on data of a user's own."""
    yield PredictorEntry(
        "mlp",
        "a small network: a published one (--predictor-weights FILE), or fitted with ofa run fit",
        load=_load_mlp,
        fit=_fit_mlp,
    )


def _load_mlp(
    supernet: Supernet, file: Path | None, entry: FittedPredictorEntry | None
) -> Predictor:
    from ofa_mit.predictors.mlp import load_mlp

    return load_mlp(supernet, file, entry)


def _fit_mlp(task: FitTask) -> FittedFile:
    from ofa_mit.predictors.fitting import fit_mlp

    return fit_mlp(task)


@hookimpl
def ofa_fitted_predictors() -> Iterable[FittedPredictorEntry]:
    """Fits for OFA's networks on ImageNet."""
    yield FittedPredictorEntry(
        "additive",
        "ofa_mbv3_w1.0",
        "imagenet",
        FITTED / "additive-ofa_mbv3_w1.0-imagenet.json",
        "2,088 subnets measured on ImageNet by MOOFA's authors",
    )
    distilled = "distilled from the OFA authors' published predictor: no measured accuracy in it"
    level = "at 224 it answers 3.2 to 3.6 points above ten of their fine-tuned specialised networks"
    for supernet, origin in (
        ("ofa_mbv3_w1.2", f"{distilled}; {level}"),
        ("ofa_resnet50", distilled),
    ):
        yield FittedPredictorEntry(
            "additive",
            supernet,
            "imagenet",
            FITTED / f"additive-{supernet}-imagenet.json",
            origin,
        )


@hookimpl
def ofa_training_plans() -> Iterable[TrainingPlanEntry]:
    """Progressive shrinking, and training all at once without a teacher."""
    yield TrainingPlanEntry(
        "ofa",
        "progressive shrinking: teacher; kernel, depth, expand ratio, width (Once-for-All)",
        build=_build_ofa,
        options=ShrinkingOptions,
    )
    yield TrainingPlanEntry(
        "sandwich",
        "all at once from fresh weights, the largest subnet teaches the others; epochs are ours",
        build=_build_sandwich,
        options=SandwichOptions,
    )


def _build_ofa(supernet: Supernet, options: ShrinkingOptions) -> TrainingPlan:
    from ofa_mit.plans import ofa

    return ofa(supernet, options)


def _build_sandwich(supernet: Supernet, options: SandwichOptions) -> TrainingPlan:
    from ofa_mit.plans import sandwich

    return sandwich(supernet, options)


@hookimpl
def ofa_claims() -> Iterable[ClaimEntry]:
    """What Once-for-All's paper claims."""
    yield from claims.entries()


@hookimpl
def ofa_weights() -> Iterable[WeightsEntry]:
    """The OFA authors' published files."""
    yield from published.entries()


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """Reading the published specialised networks."""
    yield JobEntry(
        "specialised",
        "published specialised networks as architectures, with device, latency and top-1",
        run=_run_specialised,
        options=SpecialisedOptions,
        example="ofa run specialised --folder FOLDER --supernet ofa_mbv3_w1.0 --json",
    )


def _run_specialised(context: JobContext, options: SpecialisedOptions) -> Any:
    from ofa_mit.specialised import run_specialised

    return run_specialised(context, options)
