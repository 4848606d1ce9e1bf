"""A policy in a closed loop with a trace: what it decides changes how long the next image takes.

As published, an image begins when the one before it is done. Its latency is that of its level for
the table, times the load at its start, times its own noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from dynamic_ofa.governing import Governor
from dynamic_ofa.ledger import Inference, Switched
from dynamic_ofa.simulating.conditions import Conditions
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Decision, Observation

MOST: Final = 5_000_000
"""Inferences of a simulation: the bound of memory, not of time."""
LAST: Final = 20
"""Inferences in the mean latency before a switch."""
CHUNK: Final = 4096


@frozen(kw_only=True)
class Pace:
    """How images follow each other.

    Attributes:
        every_s: an image comes so often, seconds; None: when the one before is done.
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
    levels, noise = governor.levels, pace.noise()
    inferences: list[Inference] = []
    slowdowns: list[float] = []
    decided: dict[int, Decision] = {}
    actions: dict[str, float] = {}
    time, frame, before = conditions.begins(0.0), 0, governor.level
    while time < conditions.duration_s:
        held, level = conditions.at(time), governor.level
        slowdown = held.factor * next(noise)
        late = pace.switch_ms if level != before else 0.0
        latency = levels[level].latency * slowdown + late
        end = time + latency / 1000
        seen = Observation(end, latency, held.limit_ms, held.readings, level)
        inferences.append(
            Inference(
                time_s=end,
                level=level,
                latency_ms=latency,
                limit_ms=held.limit_ms,
                readings=held.readings,
            )
        )
        slowdowns.append(slowdown)
        decision = governor.observe(seen)
        actions.update(decision.actions)
        if decision.level != level:
            decided[len(inferences) - 1] = decision
        before, frame = level, frame + 1
        time = end if pace.every_s is None else max(frame * pace.every_s, end)
        time = conditions.begins(time)
        if frame % CHUNK == 0:
            _check_count(frame)
            told(time)
    switches = switches_of(inferences, decided)
    return Played(
        inferences=inferences,
        switches=switches,
        slowdowns=np.array(slowdowns),
        actions=actions,
    )


def _check_count(count: int) -> None:
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
