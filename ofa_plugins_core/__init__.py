"""ofa-plugins: Once-for-All supernets as plugins. The names here are public."""

from ofa_plugins_core.entries import (
    CostModelEntry,
    DeviceEntry,
    FittedPredictorEntry,
    JobContext,
    JobEntry,
    NoOptions,
    PredictorEntry,
    RuntimePolicyEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    SupernetFamilyEntry,
    TrainingPlanEntry,
)
from ofa_plugins_core.errors import InfeasibleError, InputError, OfaError, PluginError, UsageError
from ofa_plugins_core.hookspecs import hookimpl
from ofa_plugins_core.host import Host
from ofa_plugins_core.values import Arch, Constraint, Measurement, SearchSpace

__all__ = [
    "Arch",
    "Constraint",
    "CostModelEntry",
    "DeviceEntry",
    "FittedPredictorEntry",
    "Host",
    "InfeasibleError",
    "InputError",
    "JobContext",
    "JobEntry",
    "Measurement",
    "NoOptions",
    "OfaError",
    "PluginError",
    "PredictorEntry",
    "RuntimePolicyEntry",
    "SamplerEntry",
    "SearchSpace",
    "SearcherEntry",
    "SupernetEntry",
    "SupernetFamilyEntry",
    "TrainingPlanEntry",
    "UsageError",
    "hookimpl",
]
