"""The hooks of the plugin devices_jetson."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from devices_jetson.boards import BOARDS, Board
from devices_jetson.options import JetsonOptions
from ofa_plugins_core import DeviceEntry, hookimpl
from ofa_plugins_core.interfaces import Device

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
