"""ofa-plugins: Once-for-All supernets as plugins. The names here are public.

They are loaded when first asked for: ``ofa --help`` needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ofa_plugins_core.claims import Checked, Comparison, Material
    from ofa_plugins_core.entries import (
        ActuatorEntry,
        ClaimEntry,
        CostModelEntry,
        DeviceEntry,
        FittedPredictorEntry,
        JobContext,
        JobEntry,
        LatencyPredictorEntry,
        MonitorEntry,
        NoOptions,
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
    from ofa_plugins_core.errors import (
        InfeasibleError,
        InputError,
        OfaError,
        PluginError,
        UsageError,
    )
    from ofa_plugins_core.hookspecs import hookimpl
    from ofa_plugins_core.host import Host
    from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyTask
    from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
    from ofa_plugins_core.values import Arch, Constraint, Measurement, SearchSpace

__all__ = [
    "ActuatorEntry",
    "Arch",
    "Checked",
    "ClaimEntry",
    "Comparison",
    "Constraint",
    "CostModelEntry",
    "DeviceEntry",
    "Drop",
    "FittedPredictorEntry",
    "Host",
    "InfeasibleError",
    "InputError",
    "JobContext",
    "JobEntry",
    "Keep",
    "Labelled",
    "LatencyFit",
    "LatencyPredictorEntry",
    "LatencyTask",
    "Material",
    "Measurement",
    "MonitorEntry",
    "NoOptions",
    "OfaError",
    "PluginError",
    "PredictorEntry",
    "Reduction",
    "ReductionEntry",
    "RuntimePolicyEntry",
    "SamplerEntry",
    "SearchSpace",
    "SearcherEntry",
    "SupernetEntry",
    "SupernetFamilyEntry",
    "TrainingPlanEntry",
    "UsageError",
    "WeightsEntry",
    "hookimpl",
]

_ROOMS = {
    "claims": ("Checked", "Comparison", "Material"),
    "errors": ("InfeasibleError", "InputError", "OfaError", "PluginError", "UsageError"),
    "values": ("Arch", "Constraint", "Measurement", "SearchSpace"),
    "hookspecs": ("hookimpl",),
    "host": ("Host",),
    "latency_fits": ("Labelled", "LatencyFit", "LatencyTask"),
    "reduction.data": ("Drop", "Keep", "Reduction"),
}
_PLACES = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'entries')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
