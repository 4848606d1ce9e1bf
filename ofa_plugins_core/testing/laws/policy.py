"""Laws of runtime policies: (policy, levels, generator)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from numbers import Integral
from typing import Any, Final

import numpy as np
from attrs import evolve

from ofa_plugins_core.interfaces import (
    Decision,
    Level,
    Observation,
    RuntimePolicy,
    StartingPolicy,
)
from ofa_plugins_core.testing.laws import Law, demand, effects

Rng = np.random.Generator
STEPS: Final = 61
"""A prime: a state that goes round in circles is not back at its start by chance."""


def observations(levels: Sequence[Level], generator: Rng) -> list[Observation]:
    """A trace whose limit and load jump about, quiet and violent stretches included.

    Monitors come and go, as they do where one fails.
    """
    slow = max(level.latency for level in levels)
    latencies = slow * generator.uniform(0.1, 4.0, STEPS)
    limits = slow * generator.choice([0.2, 0.5, 1.0, 3.0], STEPS)
    return [
        Observation(0.1 * i, float(latency), float(limit), _readings(i))
        for i, (latency, limit) in enumerate(zip(latencies, limits, strict=True))
    ]


def _readings(number: int) -> dict[str, float]:
    cpu = {"cpu_percent": float(number % 101)} if number % 3 else {}
    return cpu | ({"memory_percent": float(97 - number)} if number % 2 else {})


def level_is_in_range(policy: RuntimePolicy, levels: Sequence[Level], generator: Rng) -> None:
    """Every decision is the number of a level, also where there is only one.

    Return a whole number from 0 to the number of levels less one; a table may have a single level.
    """
    for table in (levels, levels[:1]):
        state, level = policy.start(table), _first(policy, table)
        for seen in observations(table, generator):
            state, answer = policy.decide(state, evolve(seen, level=level))
            level = _level(answer, len(table))


def actions_are_numbers(policy: RuntimePolicy, levels: Sequence[Level], generator: Rng) -> None:
    """What it wants an actuator set to is a finite number, by the actuator's name.

    Give actions as finite numbers by the actuator's name.
    """
    state = policy.start(levels)
    for seen in observations(levels, generator):
        state, answer = policy.decide(state, seen)
        for name, value in answer.actions.items() if isinstance(answer, Decision) else ():
            demand(isinstance(name, str) and name != "", f"an actuator has a name, found {name!r}")
            demand(math.isfinite(value), f"{name}: a finite number is due, found {value!r}")


def _first(policy: RuntimePolicy, levels: Sequence[Level]) -> int:
    if not isinstance(policy, StartingPolicy):
        return len(levels) - 1
    return _level(policy.initial(levels), len(levels))


def _level(answer: int | Decision, count: int) -> int:
    level = answer.level if isinstance(answer, Decision) else answer
    demand(isinstance(level, Integral), f"a level is a whole number, found {level!r}")
    demand(0 <= level < count, f"level {level} of {count}")
    return int(level)


def decides_purely(policy: RuntimePolicy, levels: Sequence[Level], generator: Rng) -> None:
    """The same state and observation give the same answer, however often they are asked.

    Keep in the state what you remember, nothing in the policy itself.
    """
    state = policy.start(levels)
    for seen in observations(levels, generator):
        kept = deepcopy(state)
        first = policy.decide(state, seen)
        again = policy.decide(kept, seen)
        demand(first[1] == again[1], f"asked twice at {seen.time:.1f} s: {first[1]}, {again[1]}")
        _same_afterwards(policy, first[0], again[0], seen)
        state = first[0]


def _same_afterwards(policy: RuntimePolicy, one: Any, other: Any, seen: Observation) -> None:
    """States have no equality of their own: compare what they decide next."""
    nexts = policy.decide(deepcopy(one), seen)[1], policy.decide(deepcopy(other), seen)[1]
    demand(nexts[0] == nexts[1], f"two states that must be one decide {nexts[0]} and {nexts[1]}")


def state_is_not_changed(policy: RuntimePolicy, levels: Sequence[Level], generator: Rng) -> None:
    """A state that is kept decides later what it would have decided at once.

    Return a new state (attrs.evolve), and never write into the one that you are given.
    """
    seen = observations(levels, generator)
    start = policy.start(levels)
    first = _decisions(policy, start, seen)
    demand(_decisions(policy, start, seen) == first, "deciding changed the state it was given")


def starts_afresh(policy: RuntimePolicy, levels: Sequence[Level], generator: Rng) -> None:
    """A second start knows nothing of the first run.

    Make the whole state in start().
    """
    seen = observations(levels, generator)
    first = _decisions(policy, policy.start(levels), seen)
    demand(_decisions(policy, policy.start(levels), seen) == first, "the second run differs")


def used(policy: RuntimePolicy, levels: Sequence[Level], generator: Rng) -> None:
    """As jobs use it."""
    _decisions(policy, policy.start(levels), observations(levels, generator))


no_other_randomness = effects.no_other_randomness(used)


def _decisions(policy: RuntimePolicy, state: Any, seen: Sequence[Observation]) -> list[int]:
    out = []
    for observation in seen:
        state, answer = policy.decide(state, observation)
        out.append(answer.level if isinstance(answer, Decision) else int(answer))
    return out


LAWS: Final[tuple[Law, ...]] = (
    decides_purely,  # first: others compare two runs, too
    level_is_in_range,
    actions_are_numbers,
    state_is_not_changed,
    starts_afresh,
    no_other_randomness,
)
