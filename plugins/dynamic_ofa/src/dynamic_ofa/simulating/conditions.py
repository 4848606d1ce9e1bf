"""What holds at a time of a trace: load, limit and readings, looked up fast."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, Literal

from attrs import frozen

from dynamic_ofa.quantities import Limits
from dynamic_ofa.traces import Trace
from ofa_plugins_core.errors import InputError, UsageError

Gaps = Literal["refuse", "hold", "skip"]
STEP: Final = 0.05
"""Of the load: a smaller step, and whatever was sampled, drifts rather than changes."""


@frozen
class Held:
    """What holds: factor of latency, limit in ms, readings by name with unit."""

    factor: float
    limit_ms: float
    readings: Mapping[str, float]


@frozen(kw_only=True)
class Conditions:
    """A trace with the limits of a run.

    Attributes:
        times: from when on the elements of ``held`` hold, seconds; the first is 0.
        duration_s: no inference begins later.
        changes: times at which the load or the limit changed, seconds.
        left_out: (from, to) in seconds, where no inference begins.
    """

    times: tuple[float, ...]
    held: tuple[Held, ...]
    duration_s: float
    changes: tuple[float, ...] = ()
    left_out: tuple[tuple[float, float], ...] = ()

    def at(self, time: float) -> Held:
        """What holds at a time, in seconds."""
        return self.held[bisect_right(self.times, time) - 1]

    def begins(self, time: float) -> float:
        """The first time from this one on at which an inference may begin, in seconds."""
        for start, end in self.left_out:
            if start <= time < end:
                return end
        return time

    @property
    def limits(self) -> list[float]:
        """The different limits that hold at some time, ms, increasing."""
        return sorted({held.limit_ms for held in self.held})


def conditions_of(
    trace: Trace, limits: Limits | None, *, gaps: Gaps = "refuse", trace_limits: bool = True
) -> Conditions:
    """A trace with the limits of a run.

    Args:
        limits: hold where the trace sets none; None: it sets all of them.
        gaps: what to do where a sampled trace says nothing.
        trace_limits: the trace's limits come first.

    Raises:
        InputError: the trace has a gap, and it is not said what to do; or it lasts no time.
        UsageError: nobody sets a limit.
    """
    _check_gaps(trace, gaps)
    if trace.duration_s <= 0:
        raise InputError(f"the trace {trace.name!r} lasts {trace.duration_s:g} s: nothing can run")
    if limits is None and (not trace_limits or trace.moments[0].limit_ms is None):
        raise UsageError(
            f"the trace {trace.name!r} sets no limit from its start on",
            advice="give one, for example --limit '60 ms'",
        )
    steps = () if limits is None else limits.changes
    times = sorted({*(m.time_s for m in trace.moments), *steps})
    times = [time for time in times if time < trace.duration_s]
    held = _held(trace, times, limits, _own_limits(trace) if trace_limits else {})
    return Conditions(
        times=tuple(times),
        held=tuple(held),
        duration_s=trace.duration_s,
        changes=_changes(times, held, sampled=trace.interval_s is not None),
        left_out=_left_out(trace) if gaps == "skip" else (),
    )


def _held(
    trace: Trace, times: list[float], limits: Limits | None, own: Mapping[float, float]
) -> list[Held]:
    """What holds from each time on; the trace's own limit, once there is one."""
    found, limit = [], None
    for time in times:
        limit = own.get(time, limit)
        moment = trace.at(time)
        given = limits.at(time) if limit is None and limits is not None else limit
        assert given is not None  # the first moment was checked
        found.append(Held(moment.factor, given, moment.readings))
    return found


def _own_limits(trace: Trace) -> dict[float, float]:
    return {m.time_s: m.limit_ms for m in trace.moments if m.limit_ms is not None}


def _check_gaps(trace: Trace, gaps: Gaps) -> None:
    found = trace.gaps()
    if found and gaps == "refuse":
        start, end = found[0]
        more = f", and {len(found) - 1} more" if len(found) > 1 else ""
        raise InputError(
            f"the trace {trace.name!r} says nothing from {start:.4g} s to {end:.4g} s{more}: "
            f"it was sampled every {trace.interval_s:.3g} s",
            advice="--gaps hold takes what it said last, --gaps skip leaves the time out",
        )


def _left_out(trace: Trace) -> tuple[tuple[float, float], ...]:
    """What a sampled trace says holds for an interval."""
    step = trace.interval_s or 0.0
    return tuple((start + step, end) for start, end in trace.gaps())


def _changes(times: list[float], held: list[Held], sampled: bool) -> tuple[float, ...]:
    pairs = zip(times[1:], pairwise(held), strict=True)
    return tuple(time for time, (a, b) in pairs if _changed(a, b, sampled))


def _changed(before: Held, after: Held, sampled: bool) -> bool:
    load = abs(after.factor / before.factor - 1) > STEP
    return before.limit_ms != after.limit_ms or (load and not sampled)
