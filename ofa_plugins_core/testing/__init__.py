"""The kit for plugin authors: suites to subclass, toys to test on. Needs the extra [testing].

from ofa_plugins_core.testing import CostModelSuite, toy_supernet
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ofa_plugins_core.testing.installing import in_process, installed
    from ofa_plugins_core.testing.suites import (
        ActuatorSuite,
        CostModelSuite,
        DeviceSuite,
        ElasticModuleSuite,
        LatencyPredictorSuite,
        MonitorSuite,
        PredictorSuite,
        ReductionSuite,
        RuntimePolicySuite,
        SamplerSuite,
        SearcherSuite,
        SupernetSuite,
        TrainingPlanSuite,
        networks,
    )
    from ofa_plugins_core.testing.toy_device import ToyDevice
    from ofa_plugins_core.testing.toys import (
        TOY_LEVELS,
        ToyPolicy,
        ToyPredictor,
        ToySupernet,
        everything,
        toy_cost,
        toy_plan,
        toy_problem,
        toy_supernet,
    )
    from ofa_plugins_core.testing.whole import PluginSuite

__all__ = [
    "TOY_LEVELS",
    "ActuatorSuite",
    "CostModelSuite",
    "DeviceSuite",
    "ElasticModuleSuite",
    "LatencyPredictorSuite",
    "MonitorSuite",
    "PluginSuite",
    "PredictorSuite",
    "ReductionSuite",
    "RuntimePolicySuite",
    "SamplerSuite",
    "SearcherSuite",
    "SupernetSuite",
    "ToyDevice",
    "ToyPolicy",
    "ToyPredictor",
    "ToySupernet",
    "TrainingPlanSuite",
    "everything",
    "in_process",
    "installed",
    "networks",
    "toy_cost",
    "toy_plan",
    "toy_problem",
    "toy_supernet",
]


def __getattr__(name: str) -> Any:
    """Load on first use: the pytest plugin lives in this package and has to be light."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    room = "suites" if name.endswith("Suite") or name == "networks" else "toys"
    room = "installing" if name in ("installed", "in_process") else room
    room = {"ToyDevice": "toy_device", "PluginSuite": "whole"}.get(name, room)
    try:
        return getattr(import_module(f"{__name__}.{room}"), name)
    except ModuleNotFoundError as error:
        if error.name not in ("hypothesis", "pytest"):
            raise
    raise ImportError(f"{name} needs the extra [testing]: pip install 'ofa-plugins-core[testing]'")
