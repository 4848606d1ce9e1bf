"""The hooks of the plugin dynamic_ofa."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dynamic_ofa.levels.options import LevelsOptions
from dynamic_ofa.live.options import SwitchOptions
from dynamic_ofa.monitoring.options import CpuClockOptions
from dynamic_ofa.policies.options import GreedyOptions, HysteresisOptions, PublishedOptions
from dynamic_ofa.simulating.options import SimulateOptions
from ofa_plugins_core import (
    ActuatorEntry,
    ClaimEntry,
    JobContext,
    JobEntry,
    MonitorEntry,
    NoOptions,
    RuntimePolicyEntry,
    hookimpl,
)
from ofa_plugins_core.interfaces import Actuator, Monitor, RuntimePolicy
from ofa_plugins_core.jobs.torch_options import CHANGEABLE

OFA_API = 1


@hookimpl
def ofa_runtime_policies() -> Iterable[RuntimePolicyEntry]:
    """The published rules, and two others."""
    yield RuntimePolicyEntry(
        "dynamic_ofa",
        "the published rules: down when the mean of 20 is over the limit, up for accuracy alone",
        _published,
        PublishedOptions,
    )
    yield RuntimePolicyEntry(
        "greedy",
        "the most accurate level that would be in time at the load seen last",
        _greedy,
        GreedyOptions,
    )
    yield RuntimePolicyEntry(
        "hysteresis",
        "keeps latency inside a band below the limit; comes up again when load ends",
        _hysteresis,
        HysteresisOptions,
    )


def _published(options: PublishedOptions) -> RuntimePolicy:
    from dynamic_ofa.policies.published import Published

    return Published(options)


def _greedy(options: GreedyOptions) -> RuntimePolicy:
    from dynamic_ofa.policies.greedy import Greedy

    return Greedy(options)


def _hysteresis(options: HysteresisOptions) -> RuntimePolicy:
    from dynamic_ofa.policies.hysteresis import Hysteresis

    return Hysteresis(options)


@hookimpl
def ofa_monitors() -> Iterable[MonitorEntry]:
    """This machine's processor and memory, NVIDIA's GPUs."""
    yield MonitorEntry("processor", "use of processor and memory, clock (psutil)", _processor)
    yield MonitorEntry("nvidia", "use, memory, clock, heat of an NVIDIA GPU (NVML)", _nvidia)


def _processor(options: NoOptions) -> Monitor:
    from dynamic_ofa.monitoring.processor import Processor

    return Processor()


def _nvidia(options: NoOptions) -> Monitor:
    from dynamic_ofa.monitoring.nvidia import Nvidia

    return Nvidia.found()


@hookimpl
def ofa_actuators() -> Iterable[ActuatorEntry]:
    """Threads of torch, and the processor's clock limit where it can be written."""
    yield ActuatorEntry("threads", "threads of torch inside an operation", _threads)
    yield ActuatorEntry(
        "cpu_max_mhz",
        "upper limit of the processor's clock, by Linux's cpufreq",
        _cpu_clock,
        CpuClockOptions,
    )


def _threads(options: NoOptions) -> Actuator:
    from dynamic_ofa.monitoring.actuators import Threads

    return Threads.found()


def _cpu_clock(options: CpuClockOptions) -> Actuator:
    from dynamic_ofa.monitoring.actuators import CpuClock

    return CpuClock.found(options)


@hookimpl
def ofa_claims() -> Iterable[ClaimEntry]:
    """What Dynamic-OFA's paper and its published files claim."""
    from dynamic_ofa.claims import entries

    yield from entries()


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """levels, switch, simulate."""
    yield JobEntry(
        "levels",
        "a level table for run-time switching: candidates found, measured again, and chosen",
        _run_levels,
        LevelsOptions,
        example="ofa run levels --supernet moofa_v3 --cost flops --weights synthetic --out levels",
        keeps_run=True,
        changeable=CHANGEABLE,
    )
    yield JobEntry(
        "switch",
        "run images at levels that change with load and limit (ms), live on this machine",
        _run_switch,
        SwitchOptions,
        example="ofa run switch --levels moofa_v3 --policy hysteresis --limit '60 ms' --contend 2",
        keeps_run=True,
        changeable=("seconds", "count", "plot"),
    )
    yield JobEntry(
        "simulate",
        "a policy on a trace of load and limits: lateness, accuracy, switches, regret",
        _run_simulate,
        SimulateOptions,
        example="ofa run simulate --levels moofa_v3 --policy hysteresis --limit '60 ms' "
        "--trace contention",
        keeps_run=True,
    )


def _run_levels(context: JobContext, options: LevelsOptions) -> Any:
    from dynamic_ofa.levels.job import run_levels

    return run_levels(context, options)


def _run_switch(context: JobContext, options: SwitchOptions) -> Any:
    from dynamic_ofa.live.job import run_switch

    return run_switch(context, options)


def _run_simulate(context: JobContext, options: SimulateOptions) -> Any:
    from dynamic_ofa.simulating.job import run_simulate

    return run_simulate(context, options)
