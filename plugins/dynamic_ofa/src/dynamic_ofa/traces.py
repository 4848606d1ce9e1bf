"""Traces: how loaded a device was, and how fast it had to be, over time.

JSON lines: the first says what the trace is, each other is a moment. What a moment says holds until
the next one.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal

from attrs import evolve, field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError

FORMAT: Final = "ofa-trace"
VERSION: Final = 1
FACTORS: Final = (1e-3, 1e3)
LONGEST: Final = 1e7
"""Seconds of a trace: some four months."""
GAP: Final = 3.0
"""Sampling intervals without a moment that are a gap."""


@frozen(kw_only=True)
class Moment:
    """What holds from a time on.

    Attributes:
        time_s: since the start, seconds.
        factor: an inference takes so many times what its level took for the table.
        limit_ms: on latency; None: the limit before, or the run's own.
        readings: of monitors, by name with unit.
        level, latency_ms: of a recorded inference.
    """

    time_s: float
    factor: float = 1.0
    limit_ms: float | None = None
    readings: Mapping[str, float] = field(factory=dict)
    level: int | None = None
    latency_ms: float | None = None

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for numbers that make no sense."""
        if not 0 <= self.time_s < math.inf:
            raise ValueError(f"time_s: 0 or more, found {self.time_s}")
        if not FACTORS[0] <= self.factor <= FACTORS[1]:
            raise ValueError(f"factor: {FACTORS[0]:g} to {FACTORS[1]:g}, found {self.factor:g}")
        if self.limit_ms is not None and not 0 < self.limit_ms < math.inf:
            raise ValueError(f"limit_ms: more than 0, found {self.limit_ms}")


@frozen(kw_only=True)
class Trace:
    """Moments in the order of time.

    Attributes:
        name, about: for people. kind: constructed, or recorded on a device.
        duration_s: its end, seconds.
        interval_s: between moments of a trace that was sampled; None: moments are changes.
        moments: the first at 0 s.
    """

    name: str
    kind: Literal["constructed", "recorded"]
    duration_s: float
    moments: tuple[Moment, ...] = ()
    about: str = ""
    interval_s: float | None = None

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for an interval that makes no sense."""
        if self.interval_s is not None and not 0 < self.interval_s < math.inf:
            raise ValueError(f"interval_s: more than 0, found {self.interval_s}")

    def at(self, time: float) -> Moment:
        """What holds at a time, in seconds."""
        return self.moments[max(0, bisect_right(self.moments, time, key=lambda m: m.time_s) - 1)]

    def gaps(self) -> list[tuple[float, float]]:
        """(from, to) in seconds, where a sampled trace says nothing for several intervals."""
        if self.interval_s is None:
            return []
        times = [*(m.time_s for m in self.moments), self.duration_s]
        return [(a, b) for a, b in pairwise(times) if b - a > GAP * self.interval_s]


def write_trace(path: Path, trace: Trace) -> None:
    """Write a trace.

    Raises:
        InputError: it cannot be written.
    """
    head = {"format": FORMAT, "version": VERSION, **plain(evolve(trace, moments=()))}
    head.pop("moments")
    lines = [head, *(_said(moment) for moment in trace.moments)]
    runs.write(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def _said(moment: Moment) -> dict[str, Any]:
    """Without what it leaves open."""
    return {k: v for k, v in plain(moment).items() if v not in (None, {})}


def read_trace(path: Path) -> Trace:
    """Read a trace.

    Raises:
        InputError: it is missing or broken; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # text may hold other line ends
    except FileNotFoundError as error:
        raise InputError(f"no trace {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    found = {n: _parsed(path, n, line) for n, line in enumerate(lines, 1) if line.strip()}
    first = min(found, default=1)
    head = _head(path, first, found.pop(first, {}))
    moments = {
        number: structure(line, Moment, f"{path}, line {number}", InputError)
        for number, line in found.items()
    }
    _check(path, head, moments, first + 1)
    return evolve(head, moments=tuple(moments.values()))


def _head(path: Path, number: int, found: dict[str, Any]) -> Trace:
    if found.pop("format", None) != FORMAT:
        raise InputError(f"{path}, line {number}: a trace begins with its format, {FORMAT!r}")
    if (version := found.pop("version", None)) != VERSION:
        raise InputError(f"{path} is of version {version!r}; this program reads {VERSION}")
    return structure(found, Trace, f"{path}, line {number}", InputError)


def _parsed(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}, line {number}: no JSON: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}, line {number}: a mapping is due, found {found!r:.60}")
    return found


def _check(path: Path, head: Trace, moments: Mapping[int, Moment], after_head: int) -> None:
    """Moments by the number of their line."""
    first = min(moments, default=after_head)
    if not moments or moments[first].time_s != 0:
        raise InputError(f"{path}, line {first}: the first moment is at time_s 0")
    for (_, one), (number, two) in pairwise(moments.items()):
        if two.time_s <= one.time_s:
            raise InputError(f"{path}, line {number}: {two.time_s} s does not come after the last")
    if not moments[max(moments)].time_s <= head.duration_s < math.inf:
        raise InputError(f"{path}: duration_s {head.duration_s} is before the last moment")
