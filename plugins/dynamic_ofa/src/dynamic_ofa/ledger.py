"""What a run at changing levels came to, live or simulated: inferences, switches, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from attrs import field, frozen

from ofa_plugins_core.interfaces import Level

LAST: Final = 20
"""Inferences in the mean latency before a switch."""

UNITS: Final = {
    "seconds": "s",
    "late": "",
    "settled_late": "",
    "accuracy": "%",
    "value": "%",
    "latency_ms": "ms",
    "energy_mj": "mJ",
}
"""Of the figures of ``Scores``; counts and shares have none."""


@frozen(kw_only=True)
class Inference:
    """One inference.

    Attributes:
        time_s: at its end, seconds since the start.
        level: number of the level that ran, all of it.
        latency_ms: of the inference. limit_ms: that held.
        readings: of monitors, by name with unit.
    """

    time_s: float
    level: int
    latency_ms: float
    limit_ms: float
    readings: Mapping[str, float] = field(factory=dict)

    @property
    def late(self) -> bool:
        """Whether it took longer than the limit."""
        return self.latency_ms > self.limit_ms


@frozen(kw_only=True)
class Switched:
    """One change of level: a line of the event log.

    Attributes:
        time_s: seconds since the start.
        before, after: numbers of levels.
        reason: of the policy.
        latency_before_ms: mean of the inferences at the level before, the last 20 at most.
        latency_after_ms: of the first inference at the level after; None: none came.
        late_share: of all inferences before it that were over the limit.
        took_ms: the switch itself; None where it is not known.
        actions: actuator -> value, set with it.
    """

    time_s: float
    before: int
    after: int
    reason: str
    latency_before_ms: float
    latency_after_ms: float | None
    late_share: float
    took_ms: float | None = None
    actions: Mapping[str, float] = field(factory=dict)


@frozen(kw_only=True)
class Scores:
    """What a run came to.

    Attributes:
        inferences: count. seconds: length of the run. switches: count.
        late: share of inferences over the limit, 0 to 1.
        settled_late: the same among those that ended ``settle_s`` or more after the start and
            after each change of the limit or the load; None: there were none.
        accuracy: mean of the levels' accuracies over inferences, percent.
        value: mean of accuracy over inferences, those over the limit counting 0, percent.
        latency_ms: mean. shares: of inferences, a number a level.
        energy_mj: mean of an inference; None where a level's is not known.
    """

    inferences: int
    seconds: float
    switches: int
    late: float
    settled_late: float | None
    accuracy: float
    value: float
    latency_ms: float
    shares: tuple[float, ...]
    energy_mj: float | None = None


def scored(
    inferences: Sequence[Inference],
    levels: Sequence[Level],
    *,
    changes: Sequence[float] = (),
    settle_s: float = 2.0,
) -> Scores:
    """Score a run of one inference or more.

    Args:
        changes: times in seconds at which load or limit changed, the start not among them.
        settle_s: after each change, and the start, that may pass until things have settled.
    """
    count = len(inferences)
    shares = [sum(i.level == n for i in inferences) / count for n in range(len(levels))]
    accuracies = [levels[i.level].accuracy for i in inferences]
    in_time = [a for a, i in zip(accuracies, inferences, strict=True) if not i.late]
    starts = (0.0, *changes)
    settled = [i for i in inferences if all(not t <= i.time_s < t + settle_s for t in starts)]
    energies = [levels[i.level].energy for i in inferences]
    known = [e for e in energies if e is not None]
    return Scores(
        inferences=count,
        seconds=inferences[-1].time_s,
        switches=sum(a.level != b.level for a, b in pairwise(inferences)),
        late=sum(i.late for i in inferences) / count,
        settled_late=sum(i.late for i in settled) / len(settled) if settled else None,
        accuracy=sum(accuracies) / count,
        value=sum(in_time) / count,
        latency_ms=sum(i.latency_ms for i in inferences) / count,
        shares=tuple(shares),
        energy_mj=sum(known) / count if len(known) == count else None,
    )
