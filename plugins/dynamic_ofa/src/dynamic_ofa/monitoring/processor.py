"""How busy this machine is, by psutil: every system that Python runs on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import psutil  # type: ignore[import-untyped]

MEGABYTE: Final = 1e6


class Processor:
    """Use of processor and memory, of all programs, and this process' memory.

    Readings: ``cpu_percent`` of all cores since the last reading, ``memory_percent``,
    ``process_memory_mb`` (resident, 10⁶ bytes), and where the system says so ``clock_mhz`` (mean of
    the cores) and ``load_1min`` (processes that run or wait, mean of a minute).
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        psutil.cpu_percent(None)  # use is told since the call before: the first one says nothing

    def read(self) -> Mapping[str, float]:
        """Readings now; the first one's use is since it was made."""
        found = {
            "cpu_percent": float(psutil.cpu_percent(None)),
            "memory_percent": float(psutil.virtual_memory().percent),
            "process_memory_mb": self._process.memory_info().rss / MEGABYTE,
        }
        found |= _where_said("clock_mhz", lambda: psutil.cpu_freq().current)
        return found | _where_said("load_1min", lambda: psutil.getloadavg()[0])


def _where_said(name: str, ask: Callable[[], Any]) -> dict[str, float]:
    """A reading that some systems do not have: in a container, or not on Linux."""
    with suppress(OSError, AttributeError, NotImplementedError, RuntimeError):
        value = float(ask())
        if math.isfinite(value) and (value > 0 or name == "load_1min"):
            return {name: value}
    return {}
