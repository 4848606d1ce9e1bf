"""Greedy: the most accurate level that would be in time at the load seen last."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from attrs import evolve, frozen

from dynamic_ofa.policies.options import GreedyOptions
from ofa_plugins_core.interfaces import Decision, Level, Observation


@frozen(kw_only=True)
class GreedyState:
    """What it remembers.

    Attributes:
        levels: from fast to slow.
        ratios: of the last inferences, latency / their level's for the table.
    """

    levels: tuple[Level, ...]
    ratios: tuple[float, ...] = ()


@frozen
class Greedy:
    """The policy ``greedy``: it starts at the most accurate level and follows every change."""

    options: GreedyOptions = GreedyOptions()

    def start(self, levels: Sequence[Level]) -> GreedyState:
        """Nothing was seen."""
        return GreedyState(levels=tuple(levels))

    def decide(self, state: GreedyState, observation: Observation) -> tuple[GreedyState, Decision]:
        """The most accurate level that is predicted to be in time, the fastest where none is."""
        ratio = observation.latency / state.levels[observation.level].latency
        ratios = (*state.ratios, ratio)[-self.options.window :]
        slowdown = median(ratios)
        most = observation.limit / (slowdown * (1 + self.options.margin))
        level = best_within(state.levels, most)
        late = state.levels[level].latency > most
        reason = "" if level == observation.level else _reason(level, slowdown, observation, late)
        return evolve(state, ratios=ratios), Decision(level, reason)


def best_within(levels: Sequence[Level], most: float) -> int:
    """Number of the most accurate level of at most so many ms for the table, else of the fastest.

    Of equally accurate ones it is the fastest.
    """
    fitting = [n for n, level in enumerate(levels) if level.latency <= most]
    return max(fitting, key=lambda n: (levels[n].accuracy, -n), default=0)


def _reason(level: int, slowdown: float, seen: Observation, late: bool) -> str:
    """Why it is another level than the last one's."""
    which = "the fastest, and none is" if late else "the most accurate one"
    return (
        f"inferences take {slowdown:.3g} times what the table says: level {level} is {which} "
        f"within {seen.limit:.4g} ms"
    )
