"""The hooks that a plugin may implement, each with an example.

A plugin is a module: it states ``OFA_API = 1``, is named by an entry point of the group
``ofa.plugins``, and implements any of these functions, marked with ``hookimpl``. Every hook is
collecting: it yields frozen records, and all plugins' records are offered side by side, by name.
A name that two plugins offer is withdrawn from both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pluggy

from ofa_plugins_core.entries import (
    ActuatorEntry,
    ClaimEntry,
    CostModelEntry,
    DeviceEntry,
    FittedPredictorEntry,
    JobEntry,
    LatencyPredictorEntry,
    MonitorEntry,
    PredictorEntry,
    ReductionEntry,
    RuntimePolicyEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    SupernetFamilyEntry,
    TrainingPlanEntry,
    WeightsEntry,
)

PROJECT: Final = "ofa"
ENTRY_POINT_GROUP: Final = "ofa.plugins"
API_VERSION: Final = 1

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ofa_supernets() -> Iterable[SupernetEntry]:
    """Offer supernets: their search space and torch-free geometry.

    Example::

        @hookimpl
        def ofa_supernets():
            yield SupernetEntry("my_net", "MBConv net for 96×96 images", build=build_my_net)
    """
    raise NotImplementedError


@hookspec
def ofa_supernet_families() -> Iterable[SupernetFamilyEntry]:
    """Offer kinds of supernets that users describe by a row of their own in YAML.

    Example::

        @hookimpl
        def ofa_supernet_families():
            yield SupernetFamilyEntry("my_blocks", "…", row=MyRow, build=build_from_row)
    """
    raise NotImplementedError


@hookspec
def ofa_reductions() -> Iterable[ReductionEntry]:
    """Offer smaller spaces, for every supernet that has what they drop: ``SUPERNET+NAME``.

    Example::

        @hookimpl
        def ofa_reductions():
            small = Reduction("small_kernels", drop=[Drop({"k": 7})], source="my device has no 7×7")
            yield ReductionEntry(small, "no 7×7 kernels")
    """
    raise NotImplementedError


@hookspec
def ofa_samplers() -> Iterable[SamplerEntry]:
    """Offer ways to draw architectures.

    Example::

        @hookimpl
        def ofa_samplers():
            yield SamplerEntry("corners", "smallest and largest networks", build=Corners)
    """
    raise NotImplementedError


@hookspec
def ofa_cost_models() -> Iterable[CostModelEntry]:
    """Offer costs. One that is priced block by block is searched exactly, without more work.

    Example::

        @hookimpl
        def ofa_cost_models():
            def build(supernet, options):
                price = lambda block: sum(op.weights for op in block.ops)
                return BlockCostModel("weights", "count", supernet, price, "sum")

            yield CostModelEntry("weights", "elements of all weights", "count", build)
    """
    raise NotImplementedError


@hookspec
def ofa_predictors() -> Iterable[PredictorEntry]:
    """Offer forms of accuracy predictors.

    Example::

        @hookimpl
        def ofa_predictors():
            yield PredictorEntry("forest", "random forest on genes", load=load_forest)
    """
    raise NotImplementedError


@hookspec
def ofa_fitted_predictors() -> Iterable[FittedPredictorEntry]:
    """Offer predictors that are fitted already, for one supernet and one data set each.

    Example::

        @hookimpl
        def ofa_fitted_predictors():
            yield FittedPredictorEntry(
                "additive",
                "my_net",
                "cifar10",
                files("my_plugin") / "my_net.json",
                origin="2,000 subnets measured by us; ofa run fit --supernet my_net --data …",
            )
    """
    raise NotImplementedError


@hookspec
def ofa_latency_predictors() -> Iterable[LatencyPredictorEntry]:
    """Offer forms of latency predictors; what is fitted becomes the cost ``latency@NAME``.

    Example::

        @hookimpl
        def ofa_latency_predictors():
            yield LatencyPredictorEntry("forest", "trees on ops", fit=fit_forest, load=load_forest)
    """
    raise NotImplementedError


@hookspec
def ofa_searchers() -> Iterable[SearcherEntry]:
    """Offer searchers.

    Example::

        @hookimpl
        def ofa_searchers():
            yield SearcherEntry("greedy", "shrinks the largest network", build=Greedy)
    """
    raise NotImplementedError


@hookspec
def ofa_runtime_policies() -> Iterable[RuntimePolicyEntry]:
    """Offer policies that choose a level while the load changes.

    Example::

        @hookimpl
        def ofa_runtime_policies():
            yield RuntimePolicyEntry("cautious", "always the fastest level", build=Cautious)
    """
    raise NotImplementedError


@hookspec
def ofa_monitors() -> Iterable[MonitorEntry]:
    """Offer readings of how a device is doing, for runtime policies and for event logs.

    Example::

        @hookimpl
        def ofa_monitors():
            yield MonitorEntry("fan", "speed of the fan", build=lambda options: Fan())
    """
    raise NotImplementedError


@hookspec
def ofa_actuators() -> Iterable[ActuatorEntry]:
    """Offer what a runtime policy may set beside the level: clocks, cores, threads.

    Example::

        @hookimpl
        def ofa_actuators():
            yield ActuatorEntry("fan_percent", "speed of the fan", build=lambda options: FanSpeed())
    """
    raise NotImplementedError


@hookspec
def ofa_devices() -> Iterable[DeviceEntry]:
    """Offer devices to measure and run on.

    Example::

        @hookimpl
        def ofa_devices():
            yield DeviceEntry("my_board", "my board over ssh", build=MyBoard, options=MyOptions)
    """
    raise NotImplementedError


@hookspec
def ofa_training_plans() -> Iterable[TrainingPlanEntry]:
    """Offer training plans: phases as data.

    Example::

        @hookimpl
        def ofa_training_plans():
            def build(supernet, options):
                phase = Phase(step="compound", epochs=100, base_lr=0.1, subnets=4, sandwich=True)
                finetune = Phase(step="finetune", epochs=10, base_lr=0.01)
                return Plan(
                    phases=(phase,),
                    teacher=supernet,
                    full=(phase,),
                    finetune=finetune,
                    source="My paper, 2026",
                )

            yield TrainingPlanEntry("one_shot", "everything at once", build)
    """
    raise NotImplementedError


@hookspec
def ofa_weights() -> Iterable[WeightsEntry]:
    """Offer published files of weights: their addresses, sizes and hashes, never the files.

    Example::

        @hookimpl
        def ofa_weights():
            yield WeightsEntry(
                "my_net_imagenet",
                supernet="my_net",
                layout="new",
                addresses=("https://example.org/my_net.safetensors",),
                sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                source="My paper, 2026",
            )
    """
    raise NotImplementedError


@hookspec
def ofa_claims() -> Iterable[ClaimEntry]:
    """Offer claims of a paper for ``ofa reproduce``: what comes out here, beside what it says.

    Example::

        @hookimpl
        def ofa_claims():
            def check(context, files):
                space = context.host.supernet("my_net").space
                return Checked([Comparison("networks", space.count(), 243)])

            yield ClaimEntry(
                "my_net_networks",
                "the space holds 243 networks at one image size",
                work="My paper",
                source="My paper (2026), section 3.1",
                check=check,
            )
    """
    raise NotImplementedError


@hookspec
def ofa_jobs() -> Iterable[JobEntry]:
    """Offer jobs: ``ofa run NAME``, with flags from the fields of the options class.

    Example::

        @hookimpl
        def ofa_jobs():
            yield JobEntry("rank", "rank architectures by cost", run=rank, options=RankOptions)
    """
    raise NotImplementedError


HOOKS: Final = {
    "ofa_supernets": SupernetEntry,
    "ofa_supernet_families": SupernetFamilyEntry,
    "ofa_reductions": ReductionEntry,
    "ofa_samplers": SamplerEntry,
    "ofa_cost_models": CostModelEntry,
    "ofa_predictors": PredictorEntry,
    "ofa_fitted_predictors": FittedPredictorEntry,
    "ofa_latency_predictors": LatencyPredictorEntry,
    "ofa_searchers": SearcherEntry,
    "ofa_runtime_policies": RuntimePolicyEntry,
    "ofa_monitors": MonitorEntry,
    "ofa_actuators": ActuatorEntry,
    "ofa_devices": DeviceEntry,
    "ofa_training_plans": TrainingPlanEntry,
    "ofa_weights": WeightsEntry,
    "ofa_claims": ClaimEntry,
    "ofa_jobs": JobEntry,
}
"""Hook -> the record that it yields."""

KINDS: Final = {
    "supernets": "ofa_supernets",
    "families": "ofa_supernet_families",
    "reductions": "ofa_reductions",
    "samplers": "ofa_samplers",
    "cost_models": "ofa_cost_models",
    "predictors": "ofa_predictors",
    "fitted_predictors": "ofa_fitted_predictors",
    "latency_predictors": "ofa_latency_predictors",
    "searchers": "ofa_searchers",
    "runtime_policies": "ofa_runtime_policies",
    "monitors": "ofa_monitors",
    "actuators": "ofa_actuators",
    "devices": "ofa_devices",
    "training_plans": "ofa_training_plans",
    "weights": "ofa_weights",
    "claims": "ofa_claims",
    "jobs": "ofa_jobs",
}
"""What ``ofa list KIND`` calls the offers of a hook."""

KIND_OF: Final = {hook: kind for kind, hook in KINDS.items()}
"""Hook -> what its offers are called."""

LABELS: Final = {
    "supernets": "supernet",
    "families": "family of supernets",
    "reductions": "smaller space",
    "samplers": "sampler",
    "cost_models": "cost",
    "predictors": "predictor",
    "fitted_predictors": "fitted predictor",
    "latency_predictors": "latency predictor",
    "searchers": "searcher",
    "runtime_policies": "policy",
    "monitors": "monitor",
    "actuators": "actuator",
    "devices": "device",
    "training_plans": "training plan",
    "weights": "file of weights",
    "claims": "claim",
    "jobs": "job",
}
"""What messages call one offer of a kind."""
