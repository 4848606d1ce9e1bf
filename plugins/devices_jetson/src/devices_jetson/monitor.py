"""How the board that this program runs on is doing, from the kernel's files; needs no root."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from devices_jetson import sysfs
from devices_jetson.boards import Board, detect, is_tegra
from devices_jetson.reading import whole
from ofa_plugins_core.errors import UsageError

Texts: TypeAlias = dict[str, str]

TREE: Final = ("proc/device-tree/model", "proc/device-tree/compatible")
GPU_LOAD: Final = tuple(
    f"sys/class/devfreq/*{name}*/device/load" for name in ("gpu", "gp10b", "gv11b", "ga10b")
)
"""Per mille of the GPU's time; named as ``sysfs.gpu_mhz`` knows the GPUs of Tegra."""
STATE: Final = (
    "sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq",
    "sys/class/devfreq/*/cur_freq",
    "sys/class/thermal/thermal_zone*/type",
    "sys/class/thermal/thermal_zone*/temp",
)
RAILS: Final = (
    "sys/class/hwmon/hwmon*/in*_label",
    "sys/bus/i2c/drivers/ina3221x/*/*/rail_name_*",
)


class JetsonMonitor:
    """Reads clocks, temperatures, the GPU's use and power rails of this very board.

    Readings, as far as the board has them: ``cpu_mhz`` (the fastest core's), ``gpu_mhz``,
    ``gpu_percent``, a sensor's ``NAME_celsius``, a rail's ``NAME_watts`` in small letters, and
    ``board_watts``, the rail of the whole board, where it has one.

    Args:
        root: of the file system. board: which it is; None: a Tegra that is not known.
    """

    def __init__(self, root: Path, board: Board | None) -> None:
        self._root, self._board = root, board
        self._sensors = sysfs.sensors(_texts(root, RAILS))

    @classmethod
    def found(cls, root: Path) -> JetsonMonitor:
        """The board that this is.

        Raises:
            UsageError: this machine is no Jetson.
        """
        model, compatible = (_texts(root, [path]).get(f"/{path}", "") for path in TREE)
        board = detect(model, compatible)
        if board is None and not is_tegra(compatible):
            raise UsageError("this machine is no Jetson", advice="leave jetson out of --monitors")
        return cls(root, board)

    def read(self) -> Mapping[str, float]:
        """Readings now; what is switched off is left out."""
        found = sysfs.conditions(_texts(self._root, STATE))
        loads = [whole(text) for text in _texts(self._root, GPU_LOAD).values()]
        if loads and loads[0] is not None:
            found["gpu_percent"] = loads[0] / 10
        return {**found, **self._watts()}

    def _watts(self) -> Mapping[str, float]:
        found = {}
        for sensor in self._sensors:
            files = [path for path in (sensor.power, sensor.volts, sensor.amperes) if path]
            power = sensor.milliwatts(_texts(self._root, [path.lstrip("/") for path in files]))
            if power is not None:
                found[f"{sysfs.plain_name(sensor.rail)}_watts"] = power / 1000
                if self._board is not None and sensor.rail == self._board.total:
                    found["board_watts"] = power / 1000
        return found


def _texts(root: Path, patterns: Iterable[str]) -> Texts:
    """Path on the board -> text; what cannot be read, as a sensor switched off, is left out."""
    found = {}
    for pattern in patterns:
        for path in sorted(root.glob(pattern)):
            try:
                found[f"/{path.relative_to(root)}"] = path.read_text("utf-8", "replace")
            except OSError:
                continue
    return found
