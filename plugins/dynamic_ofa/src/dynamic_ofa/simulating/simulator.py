"""A policy in a closed loop with a trace: what it decides changes how long the next image takes.

As published, an image begins when the one before it is done; where frames come at a rate, with the
next of them. Its latency is that of its level for the table, times the load at its start, times its
own noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from dynamic_ofa.governing import Governor
from dynamic_ofa.ledger import LAST, Inference, Switched
from dynamic_ofa.simulating.conditions import Conditions
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Decision, Observation

MOST: Final = 5_000_000
"""Inferences of a simulation: the bound of memory, not of time."""
CHUNK: Final = 4096
ROUNDING: Final = 1e-9
"""Of a frame: an image that ends so little after it, as sums are rounded, is in time for it."""


@frozen(kw_only=True)
class Pace:
    """How images follow each other.

    Attributes:
        every_s: frames come so often, seconds, from 0 s on. An image begins with the first one from
            when the image before it is done, or a gap is over; those that came meanwhile are left
            out, as in a live run. None: when the one before is done.
        jitter: standard deviation of the logarithm of latency from image to image.
        switch_ms: by which the first inference after a switch is longer.
        seed: of the noise.
    """

    every_s: float | None = None
    jitter: float = 0.0
    switch_ms: float = 0.0
    seed: int = 0

    def noise(self) -> Iterator[float]:
        """A factor of latency an image, its median 1: the same at each call."""
        generator = np.random.default_rng(self.seed)
        while True:
            yield from np.exp(self.jitter * generator.standard_normal(CHUNK)).tolist()


@frozen(eq=False, kw_only=True)
class Played:
    """A simulated run.

    Attributes:
        inferences: in the order of time. switches: the changes of level, in the same order.
        slowdowns: an inference's load times its noise, (inferences,).
        actions: actuator -> value that the policy set last; without effect here.
    """

    inferences: Sequence[Inference]
    switches: Sequence[Switched]
    slowdowns: NDArray[np.float64]
    actions: dict[str, float]


def play(
    governor: Governor,
    conditions: Conditions,
    pace: Pace,
    told: Callable[[float], Any] = lambda time: None,
) -> Played:
    """Run a policy through a trace.

    Args:
        told: is called now and then with the time reached, seconds.

    Raises:
        UsageError: the trace holds more inferences than can be kept.
        PluginError: the policy fails; with blame.
    """
    _check_count(fewest(governor, conditions, pace))
    run = _Loop(governor, conditions, pace)
    while run.time < conditions.duration_s:
        run.step()
        if len(run.inferences) % CHUNK == 0:
            _check_count(len(run.inferences))
            told(run.time)
    return Played(
        inferences=run.inferences,
        switches=switches_of(run.inferences, run.decided),
        slowdowns=np.array(run.slowdowns),
        actions=run.actions,
    )


@define(eq=False, init=False)
class _Loop:
    """What a simulation is at.

    Attributes:
        time: at which the next image begins, seconds. frame: its number, where there are frames.
        decided: number of an inference -> what was decided after it, where the level changed.
    """

    governor: Governor
    conditions: Conditions
    pace: Pace
    noise: Iterator[float]
    time: float
    frame: int
    before: int
    inferences: list[Inference]
    slowdowns: list[float]
    decided: dict[int, Decision]
    actions: dict[str, float]

    def __init__(self, governor: Governor, conditions: Conditions, pace: Pace) -> None:
        self.governor, self.conditions, self.pace = governor, conditions, pace
        self.noise, self.before = pace.noise(), governor.level
        self.time, self.frame = conditions.begins(0.0), 0
        self.inferences, self.slowdowns = [], []
        self.decided, self.actions = {}, {}

    def step(self) -> None:
        """One image, and what the policy makes of it."""
        level, held = self.governor.level, self.conditions.at(self.time)
        slowdown = held.factor * next(self.noise)
        switched = self.pace.switch_ms if level != self.before else 0.0
        latency = self.governor.levels[level].latency * slowdown + switched
        end, self.before = self.time + latency / 1000, level
        self.slowdowns.append(slowdown)
        self.inferences.append(
            Inference(
                time_s=end,
                level=level,
                latency_ms=latency,
                limit_ms=held.limit_ms,
                readings=held.readings,
            )
        )
        self._observe(Observation(end, latency, held.limit_ms, held.readings, level))
        self.time = self._next(end)

    def _next(self, end: float) -> float:
        """When the image after one that ends then begins; a frame holds one image at most."""
        every = self.pace.every_s
        if every is None:
            return self.conditions.begins(end)
        self.frame = max(self.frame + 1, _frame(end, every))
        time = self.frame * every
        while (later := self.conditions.begins(time)) > time:  # a gap: the first frame after it
            self.frame = _frame(later, every)
            time = max(later, self.frame * every)
        return time

    def _observe(self, seen: Observation) -> None:
        decision = self.governor.observe(seen)
        self.actions.update(decision.actions)
        if decision.level != seen.level:
            self.decided[len(self.inferences) - 1] = decision


def _frame(time: float, every: float) -> int:
    """Number of the first frame from a time on."""
    return math.ceil(time / every - ROUNDING)


def fewest(governor: Governor, conditions: Conditions, pace: Pace) -> float:
    """So many inferences the trace holds at least, but for noise: all of them at the slowest level.

    Known before the first one runs, so that what is too long need not be waited for.
    """
    slowest = max(level.latency for level in governor.levels)
    longest = slowest * max(held.factor for held in conditions.held) + pace.switch_ms
    return conditions.duration_s / max(longest / 1000, pace.every_s or 0.0)


def _check_count(count: float) -> None:
    if count > MOST:
        raise UsageError(
            f"the trace holds more than {MOST:,} inferences", advice="give it in parts"
        )


def switches_of(
    inferences: Sequence[Inference], decided: dict[int, Decision]
) -> tuple[Switched, ...]:
    """The lines of the event log.

    Args:
        decided: number of an inference -> what was decided after it, where the level changed.
    """
    late = np.cumsum([i.late for i in inferences])
    found, since = [], 0
    for number, decision in decided.items():
        seen = inferences[number]
        after = inferences[number + 1].latency_ms if number + 1 < len(inferences) else None
        at_level = inferences[max(since, number + 1 - LAST) : number + 1]
        found.append(
            Switched(
                time_s=seen.time_s,
                before=seen.level,
                after=decision.level,
                reason=decision.reason,
                latency_before_ms=sum(i.latency_ms for i in at_level) / len(at_level),
                latency_after_ms=after,
                late_share=float(late[number]) / (number + 1),
                actions=decision.actions,
            )
        )
        since = number + 1
    return tuple(found)
