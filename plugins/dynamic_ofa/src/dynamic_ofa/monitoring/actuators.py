"""What a policy may set on this machine: threads of torch, the limit of the processor's clock."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from dynamic_ofa.monitoring.options import CpuClockOptions
from ofa_plugins_core.errors import MissingExtraError, UsageError

FOLDERS: Final = "sys/devices/system/cpu/cpu[0-9]*/cpufreq"
LIMIT: Final = "scaling_max_freq"
STEP_MHZ: Final = 100
"""Between the values of a processor that does not list its clocks."""


class Threads:
    """Threads of torch inside an operation, of the thread that sets them.

    Args:
        torch: the module.
        cores: that this process may use.
    """

    unit = "threads"

    def __init__(self, torch: Any, cores: int) -> None:
        self._torch = torch
        counts = {*range(1, cores + 1), int(torch.get_num_threads())}
        self.values: Sequence[float] = tuple(float(count) for count in sorted(counts))

    @classmethod
    def found(cls) -> Threads:
        """Those of this process.

        Raises:
            MissingExtraError: torch is not installed.
        """
        try:
            import torch
        except ModuleNotFoundError as error:
            extra = ("the actuator threads", "ofa-plugins-dynamic-ofa", "torch")
            raise MissingExtraError(*extra) from error
        return cls(torch, _cores())

    def get(self) -> float:
        """How many there are."""
        return float(self._torch.get_num_threads())

    def set(self, value: float) -> None:
        """Have so many from the next operation on.

        Raises:
            UsageError: it is none of ``values``.
        """
        refuse_unknown("threads", value, self.values)
        self._torch.set_num_threads(int(value))


def _cores() -> int:
    """Cores that this process may use: a container has fewer than the machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def refuse_unknown(name: str, value: float, values: Sequence[float]) -> None:
    """Refuse a value that an actuator cannot be set to.

    Raises:
        UsageError: it is none of ``values``.
    """
    if value not in values:
        known = ", ".join(f"{v:g}" for v in values)
        raise UsageError(f"{name} cannot be set to {value:g}: it takes {known}")


class CpuClock:
    """The upper limit of the clock of every core, by Linux's cpufreq; MHz.

    Cores may have had different limits: what ``get`` gave at first puts back each core's own.

    Args:
        files: of each core's limit, in kHz. texts: what they held.
        values: MHz, increasing.
    """

    unit = "MHz"

    def __init__(self, files: Sequence[Path], values: Sequence[float]) -> None:
        self._before: Mapping[Path, str] = {file: file.read_text() for file in files}
        self._first = self.get()
        self.values: Sequence[float] = tuple(sorted({*values, self._first}))

    @classmethod
    def found(cls, options: CpuClockOptions) -> CpuClock:
        """That of this machine.

        Raises:
            UsageError: it has no cpufreq, or this user may not write it.
        """
        files = sorted(folder / LIMIT for folder in options.root.glob(FOLDERS))
        files = [file for file in files if file.is_file()]
        advice = "leave cpu_max_mhz out of --actuators"
        if not files:
            raise UsageError("this machine lets nobody limit the processor's clock", advice=advice)
        denied = next((file for file in files if not os.access(file, os.W_OK)), None)
        if denied is not None:
            raise UsageError(f"no permission to write {denied}", advice=f"run as root, or {advice}")
        try:
            return cls(files, _clocks(files[0].parent))
        except (OSError, ValueError) as error:
            raise UsageError(f"the processor's clock cannot be read: {error}") from error

    def get(self) -> float:
        """The limit now, of the core that has the highest."""
        return max(int(file.read_text()) / 1000 for file in self._before)

    def set(self, value: float) -> None:
        """Limit every core's clock.

        Raises:
            UsageError: it is none of ``values``, or the system refuses; then all is as before.
        """
        refuse_unknown("cpu_max_mhz", value, self.values)
        before = {file: file.read_text() for file in self._before}
        wanted = {file: f"{round(1000 * value)}\n" for file in self._before}
        try:
            _write(self._before if value == self._first else wanted)
        except OSError as error:
            with suppress(OSError):
                _write(before)
            raise UsageError(
                f"the system refuses to limit the processor's clock to {value:g} MHz: "
                f"{error.strerror or error}"
            ) from error


def _write(texts: Mapping[Path, str]) -> None:
    for file, text in texts.items():
        file.write_text(text)


def _clocks(folder: Path) -> list[float]:
    """Clocks of a core in MHz: as it lists them, or steps between its ends."""
    listed = folder / "scaling_available_frequencies"
    if listed.is_file() and (words := listed.read_text().split()):
        return [int(word) / 1000 for word in words]
    low, high = (int((folder / f"cpuinfo_{end}_freq").read_text()) for end in ("min", "max"))
    return [float(mhz) for mhz in (*range(low // 1000, high // 1000, STEP_MHZ), high // 1000)]
