"""Runtime policies on the levels that a search found: a short trace, looked at step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral
from typing import Any, Final

from ofa_plugins_core.composing.checking import demand
from ofa_plugins_core.interfaces import (
    Decision,
    Level,
    Observation,
    RuntimePolicy,
    StartingPolicy,
)
from ofa_plugins_core.jobs.results import Item

SLOWEST: Final = 50.0
"""Milliseconds of the most costly level: whatever the cost, it stands in for latency."""
STEPS: Final = 60
MOST_LEVELS: Final = 12


def levels_of(items: Sequence[Item], cost: str) -> list[Level]:
    """Networks of a front as levels, from fast to slow; [] where accuracies are unknown.

    Args:
        cost: that stands in for latency.
    """
    known = [(float(i.costs[cost].value), i.accuracy) for i in items]
    rated = sorted((c, float(a.value)) for c, a in known if a is not None)
    if not rated or rated[-1][0] <= 0:
        return []
    step = -(-len(rated) // MOST_LEVELS)
    scale = SLOWEST / rated[-1][0]
    return [Level(accuracy, scale * value) for value, accuracy in rated[::-1][::step][::-1]]


def trace(levels: Sequence[Level]) -> list[tuple[float, float]]:
    """(load, limit in ms) of each inference: quiet, a load, a tight limit, quiet again."""
    slow = levels[-1].latency
    quarter = STEPS // 4
    parts = ((1.0, 1.2 * slow), (2.5, 1.2 * slow), (1.0, 0.5 * slow), (1.0, 1.2 * slow))
    return [part for part in parts for _ in range(quarter)]


def drive(policy: RuntimePolicy, levels: Sequence[Level]) -> int:
    """Run a policy through the trace.

    Returns:
        How often it changed the level.

    Raises:
        WrongResultError: it decides for a level that there is not, or an action that is no number.
    """
    level = _checked(_first(policy, levels), levels)
    state, changes = policy.start(levels), 0
    for number, (load, limit) in enumerate(trace(levels)):
        readings = {"cpu_percent": 100 - 80 / load}
        seen = Observation(0.1 * number, load * levels[level].latency, limit, readings, level)
        state, answer = policy.decide(state, seen)
        before, level = level, _checked(answer, levels)
        changes += level != before
    return changes


def _first(policy: RuntimePolicy, levels: Sequence[Level]) -> int:
    return policy.initial(levels) if isinstance(policy, StartingPolicy) else len(levels) - 1


def _checked(answer: Any, levels: Sequence[Level]) -> int:
    level = answer.level if isinstance(answer, Decision) else answer
    whole = isinstance(level, Integral) and not isinstance(level, bool)
    demand(whole and 0 <= level < len(levels), f"level {level!r} of {len(levels)}")
    for name, value in answer.actions.items() if isinstance(answer, Decision) else ():
        demand(math.isfinite(value), f"{name} is to be set to {value!r}")
    return int(level)
