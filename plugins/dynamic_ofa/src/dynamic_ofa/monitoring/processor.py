"""How busy this machine is, by psutil: every system that Python runs on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import psutil  # type: ignore[import-untyped]

MEGABYTE: Final = 1e6
IDLE: Final = ("idle", "iowait")
INSIDE_OTHERS: Final = ("guest", "guest_nice")
"""Times that Linux counts as the user's, too."""


class Processor:
    """Use of processor and memory, of all programs, and this process' memory.

    Readings: ``cpu_percent`` of all cores since the last reading, ``memory_percent``,
    ``process_memory_mb`` (resident, 10⁶ bytes), and where the system says so ``clock_mhz`` (mean of
    the cores) and ``load_1min`` (processes that run or wait, mean of a minute).

    Whichever thread reads: psutil's own ``cpu_percent`` begins anew in each, with a 0.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before, self._percent = psutil.cpu_times(), 0.0

    def read(self) -> Mapping[str, float]:
        """Readings now; the first one's use is since it was made."""
        found = {
            "cpu_percent": self._use(),
            "memory_percent": float(psutil.virtual_memory().percent),
            "process_memory_mb": self._process.memory_info().rss / MEGABYTE,
        }
        found |= _where_said("clock_mhz", lambda: psutil.cpu_freq().current)
        return found | _where_said("load_1min", lambda: psutil.getloadavg()[0])

    def _use(self) -> float:
        """Percent since the call before; as told then where the system's count stood still."""
        now = psutil.cpu_times()
        spent = {n: max(0.0, getattr(now, n) - getattr(self._before, n)) for n in now._fields}
        total = sum(s for name, s in spent.items() if name not in INSIDE_OTHERS)
        if total > 0:
            idle = sum(spent.get(name, 0.0) for name in IDLE)
            self._before, self._percent = now, 100 * (1 - idle / total)
        return self._percent


def _where_said(name: str, ask: Callable[[], Any]) -> dict[str, float]:
    """A reading that some systems do not have: in a container, or not on Linux."""
    with suppress(OSError, AttributeError, NotImplementedError, RuntimeError):
        value = float(ask())
        if math.isfinite(value) and (value > 0 or name == "load_1min"):
            return {name: value}
    return {}
