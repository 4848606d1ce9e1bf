"""Hysteresis: keeps a quantile of latency within a band below the limit, and is quiet inside it.

What counts is how much longer inferences take than their levels did for the table: a quantile of
the last of these ratios says what any level would take now, so that going down needs no trying.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from dynamic_ofa.policies.greedy import best_within
from dynamic_ofa.policies.options import HysteresisOptions
from ofa_plugins_core.interfaces import Decision, Level, Observation

MOST_PATIENCE: Final = 32
"""Times ``dwell``, where steps up do not hold."""


@frozen(kw_only=True)
class HysteresisState:
    """What it remembers.

    Attributes:
        levels: from fast to slow.
        ratios: of the last inferences, latency / their level's for the table; sorted by time.
        level: the one that is on; None before the first observation.
        room: observations in a row at which the step up would have been in time.
        since: observations since the last switch. rose: it was a step up.
        patience: times ``dwell`` that there has to be room before a step up.
        place: of the actuator's value among the values; None before it was set.
    """

    levels: tuple[Level, ...]
    ratios: tuple[float, ...]
    level: int | None = None
    room: int = 0
    since: int = 0
    rose: bool = False
    patience: int = 1
    place: int | None = None


@frozen
class Hysteresis:
    """The policy ``hysteresis``: down at once and as far as needed, up one level at a time."""

    options: HysteresisOptions = HysteresisOptions()

    def start(self, levels: Sequence[Level]) -> HysteresisState:
        """Until enough was seen, the table is believed."""
        return HysteresisState(levels=tuple(levels), ratios=(1.0,) * self.options.window)

    def decide(
        self, state: HysteresisState, observation: Observation
    ) -> tuple[HysteresisState, Decision]:
        """The level that is on, one above it, or any below it."""
        level = observation.level if state.level is None else state.level
        ratio = observation.latency / state.levels[observation.level].latency
        ratios = (*state.ratios[1:], ratio)
        slowdown = _quantile(ratios, self.options.quantile)
        seen = evolve(state, ratios=ratios, level=level, since=state.since + 1)
        if slowdown * state.levels[level].latency > self.options.high * observation.limit:
            return self._late(seen, level, slowdown, observation)
        return self._in_time(seen, level, slowdown, observation)

    def _late(
        self, state: HysteresisState, level: int, slowdown: float, seen: Observation
    ) -> tuple[HysteresisState, Decision]:
        """Down as far as needed; at the fastest level it is up to the actuator."""
        most = self.options.high * seen.limit / slowdown
        target = min(level, best_within(state.levels[: level + 1], most))
        if target == level:
            return self._set(evolve(state, room=0), level, self._raised(state))
        quick = state.rose and state.since <= 4 * self.options.dwell * state.patience
        patience = min(2 * state.patience, MOST_PATIENCE) if quick else 1
        after = evolve(state, level=target, room=0, since=0, rose=False, patience=patience)
        predicted = slowdown * state.levels[level].latency
        reason = (
            f"{100 * self.options.quantile:.3g} % of inferences take up to {predicted:.4g} ms; "
            f"the limit is {seen.limit:.4g} ms"
        )
        return self._set(after, target, None, reason)

    def _in_time(
        self, state: HysteresisState, level: int, slowdown: float, seen: Observation
    ) -> tuple[HysteresisState, Decision]:
        """One level up, or at the top one value of the actuator down, after a while with room."""
        most = self.options.low * seen.limit
        above = level + 1 < len(state.levels)
        if above:
            room = slowdown * state.levels[level + 1].latency <= most
        else:
            room = slowdown * state.levels[level].latency * self._cost_of_lowering(state) <= most
        state = evolve(state, room=state.room + 1 if room else 0)
        if state.room < self.options.dwell * state.patience:
            return self._set(state, level, None)
        if not above:
            return self._set(evolve(state, room=0), level, self._lowered(state))
        count = state.room
        after = evolve(state, level=level + 1, room=0, since=0, rose=True)
        reason = f"{count} times in a row level {level + 1} would have stayed under {most:.4g} ms"
        return self._set(after, level + 1, None, reason)

    # ---------------------------------------------------------------- the actuator

    def _raised(self, state: HysteresisState) -> int | None:
        """The next value; not before the last one had time to show."""
        if state.place is None or state.since < self.options.window:
            return None
        return state.place + 1 if state.place + 1 < len(self.options.values) else None

    def _lowered(self, state: HysteresisState) -> int | None:
        return state.place - 1 if state.place else None

    def _cost_of_lowering(self, state: HysteresisState) -> float:
        """Latency grows in proportion at most; without a lower value it is not to be done."""
        if not state.place:
            return math.inf
        values = self.options.values
        return values[state.place] / values[state.place - 1]

    def _set(
        self, state: HysteresisState, level: int, place: int | None, reason: str = ""
    ) -> tuple[HysteresisState, Decision]:
        """The decision, with the actuator's value where it changes or was never set."""
        name, actions = self.options.actuator, dict[str, float]()
        if name is not None and state.place is None:
            place = 0
        if name is not None and place is not None:
            actions = {name: self.options.values[place]}
            reason = reason or _why_set(name, state.place, place)
            since = state.since if state.place is None else 0
            state = evolve(state, place=place, since=since)
        return state, Decision(level, reason, actions)


def _why_set(name: str, before: int | None, after: int) -> str:
    if before is None:
        return f"{name} begins at its first value"
    if after > before:
        return f"late at the fastest level: {name} goes up"
    return f"room at the most accurate level: {name} goes down"


def _quantile(values: Sequence[float], part: float) -> float:
    """The smallest of the values that so much of them do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]
