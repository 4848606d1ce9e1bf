"""The hooks of the plugin devices_jetson."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from devices_jetson.boards import BOARDS, Board
from devices_jetson.cost_options import EnergyOptions
from devices_jetson.job_options import BoardOptions, ByHandOptions, TrtexecOptions
from devices_jetson.monitor_options import MonitorOptions
from devices_jetson.options import JetsonOptions
from ofa_plugins_core import (
    CostModelEntry,
    DeviceEntry,
    JobContext,
    JobEntry,
    MonitorEntry,
    UsageError,
    hookimpl,
)
from ofa_plugins_core.events import Listener
from ofa_plugins_core.interfaces import CostModel, Device, Monitor, Supernet

OFA_API = 1


@hookimpl
def ofa_devices() -> Iterable[DeviceEntry]:
    """One device a kind of board."""
    for board in BOARDS:
        summary = f"NVIDIA {board.title}, over ssh, on the board itself, or from a recording"
        yield DeviceEntry(board.name, summary, partial(_device, board), JetsonOptions)


def _device(board: Board, options: JetsonOptions) -> Device:
    from devices_jetson.device import Jetson

    return Jetson(board, options)


@hookimpl
def ofa_cost_models() -> Iterable[CostModelEntry]:
    """Energy of a pass."""
    yield CostModelEntry(
        "energy",
        "energy of a pass on a Jetson above idle, by a power rail (energy@jetson_… --measure)",
        "mJ",
        _unmeasured,
        EnergyOptions,
        qualified=True,
        measured=_energy,
    )


def _unmeasured(supernet: Supernet, options: EnergyOptions) -> CostModel:
    raise UsageError(
        "energy is only had by measuring it",
        advice=f"--cost energy@{options.qualifier or 'jetson_xavier_nx'} --measure",
    )


def _energy(
    supernet: Supernet, options: EnergyOptions, device: Device, listener: Listener
) -> CostModel:
    from devices_jetson.energy import energy_cost

    return energy_cost(supernet, options, device, listener)


@hookimpl
def ofa_monitors() -> Iterable[MonitorEntry]:
    """The board that a policy runs on."""
    yield MonitorEntry(
        "jetson",
        "use, clocks, heat and power rails of the Jetson that this runs on",
        _monitor,
        MonitorOptions,
    )


def _monitor(options: MonitorOptions) -> Monitor:
    from devices_jetson.monitor import JetsonMonitor

    return JetsonMonitor.found(options.root)


@hookimpl
def ofa_jobs() -> Iterable[JobEntry]:
    """jetson, jetson_by_hand, trtexec."""
    yield JobEntry(
        "jetson",
        "what a Jetson says of itself: model, release, power modes, clocks, power rails",
        _board,
        BoardOptions,
        "ofa run jetson --device jetson_xavier_nx --host user@board",
    )
    yield JobEntry(
        "jetson_by_hand",
        "a latency table of a board that no ssh reaches: files to copy there",
        _by_hand,
        ByHandOptions,
        "ofa run jetson_by_hand --supernet moofa_v3 --device jetson_nano --out nano",
    )
    yield JobEntry(
        "trtexec",
        "latency of exported networks by TensorRT on a Jetson",
        _trtexec,
        TrtexecOptions,
        "ofa run trtexec --onnx net.onnx --dtype fp16 --device jetson_xavier_nx --host user@board",
    )


def _board(context: JobContext, options: BoardOptions) -> Any:
    from devices_jetson.jobs import run_board

    return run_board(context, options)


def _by_hand(context: JobContext, options: ByHandOptions) -> Any:
    from devices_jetson.jobs import run_by_hand

    return run_by_hand(context, options)


def _trtexec(context: JobContext, options: TrtexecOptions) -> Any:
    from devices_jetson.jobs import run_trtexec

    return run_trtexec(context, options)
