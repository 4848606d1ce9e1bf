"""What the kernel says in files: clocks, temperatures, power rails. Files: path -> text.

Paths are absolute, as on the board. A file that does not hold what it should is left out: a sensor
that is switched off answers with an error, and a clock may be gone with its core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from attrs import frozen

from devices_jetson.reading import not_understood, whole

Files: TypeAlias = Mapping[str, str]

_GPU: Final = re.compile(r"gpu|gp10b|gv11b|ga10b")
"""In the name of the devfreq node of a board's GPU: Tegra X1, X2, Xavier, Orin."""

_OFF: Final = -100.0
"""Degrees below which a sensor is not there: one that is switched off shows −256."""


def cpu_list(text: str) -> tuple[int, ...]:
    """Numbers of cores, as in ``/sys/devices/system/cpu/online``: ``0-3,5``.

    Raises:
        InputError: it is no such list.
    """
    found: list[int] = []
    for part in text.strip("\0 \t\r\n").split(","):
        match = re.fullmatch(r"([0-9]{1,4})(?:-([0-9]{1,4}))?", part, re.ASCII)
        if match is None:
            raise not_understood("list of cores", text, "numbers and ranges such as 0-3,5")
        found += range(int(match[1]), int(match[2] or match[1]) + 1)
    return tuple(dict.fromkeys(found))


def _numbered(files: Files, pattern: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Whole numbers in files whose path fits: (the pattern's groups, number)."""
    compiled = re.compile(pattern, re.ASCII)
    for path in sorted(files):
        match = compiled.fullmatch(path)
        number = whole(files[path]) if match else None
        if match and number is not None:
            yield match.groups(), number


def core_mhz(files: Files, what: str = "scaling_cur_freq") -> dict[int, float]:
    """Core -> MHz, of one file of its cpufreq folder."""
    pattern = rf"/sys/devices/system/cpu/cpu([0-9]{{1,4}})/cpufreq/{re.escape(what)}"
    return {int(core): khz / 1e3 for (core,), khz in _numbered(files, pattern)}


def gpu_mhz(files: Files, what: str = "cur_freq") -> float | None:
    """The GPU's clock in MHz, of one file of its devfreq folder; None where there is none."""
    pattern = rf"/sys/class/devfreq/([^/]+)/{re.escape(what)}"
    found = [hz / 1e6 for (node,), hz in _numbered(files, pattern) if _GPU.search(node)]
    return found[0] if found else None


def celsius(files: Files) -> dict[str, float]:
    """Sensor -> degrees; sensors that are switched off are left out."""
    degrees = _numbered(files, r"/sys/class/thermal/(thermal_zone[0-9]{1,3})/temp")
    found = {}
    for (zone,), thousandths in degrees:
        kind = files.get(f"/sys/class/thermal/{zone}/type", "").strip("\0 \t\r\n")
        if kind and thousandths / 1e3 > _OFF:
            found[kind] = thousandths / 1e3
    return found


def conditions(files: Files) -> dict[str, float]:
    """What may change while a board measures: ``cpu_mhz``, ``gpu_mhz``, ``cpu_celsius``, ….

    Of several cores the fastest counts. Names of sensors lose what they share (``-therm``).
    """
    found: dict[str, float] = {}
    cores = core_mhz(files)
    if cores:
        found["cpu_mhz"] = max(cores.values())
    gpu = gpu_mhz(files)
    if gpu is not None:
        found["gpu_mhz"] = gpu
    for sensor, degrees in celsius(files).items():
        found[f"{plain_name(sensor)}_celsius"] = degrees
    return found


def plain_name(sensor: str) -> str:
    """``CPU-therm`` and ``cpu-thermal`` are both ``cpu``."""
    found = re.sub(r"[-_]therm(al)?$", "", sensor.lower())
    return re.sub(r"[^a-z0-9]+", "_", found).strip("_") or "sensor"


@frozen
class Sensor:
    """A channel of an INA3221 power monitor.

    Attributes:
        rail: its name on the board, for example ``VDD_IN``.
        power: file with mW, or None where it has to be worked out.
        volts, amperes: files with mV and mA, or None.
    """

    rail: str
    power: str | None = None
    volts: str | None = None
    amperes: str | None = None

    def milliwatts(self, files: Files) -> float | None:
        """Power now; None where its files do not say."""
        if self.power is not None:
            found = whole(files.get(self.power, ""))
            return None if found is None else float(found)
        volts, amperes = (
            whole(files.get(self.volts or "", "")),
            whole(files.get(self.amperes or "", "")),
        )
        return None if volts is None or amperes is None else volts * amperes / 1e3


def sensors(files: Files) -> tuple[Sensor, ...]:
    """Power rails that the kernel lets be read, by their labels.

    JetPack 5 and 6: hwmon (``in1_label``, ``in1_input`` in mV, ``curr1_input`` in mA); JetPack 4:
    iio (``rail_name_0``, ``in_power0_input`` in mW).
    """
    found = []
    for path in sorted(files):
        rail = files[path].strip("\0 \t\r\n")
        hwmon = re.fullmatch(r"(/sys/class/hwmon/hwmon[0-9]{1,3})/in([0-9])_label", path, re.ASCII)
        iio = re.fullmatch(r"(/sys/bus/i2c/\S+)/rail_name_([0-9])", path, re.ASCII)
        if not rail or re.search(r"\s|^NC$", rail):  # "sum of shunt voltages", not connected
            continue
        if hwmon:
            folder, number = hwmon.groups()
            volts, amperes = f"{folder}/in{number}_input", f"{folder}/curr{number}_input"
            found.append(Sensor(rail, volts=volts, amperes=amperes))
        elif iio:
            found.append(Sensor(rail, power=f"{iio[1]}/in_power{iio[2]}_input"))
    return tuple(found)
