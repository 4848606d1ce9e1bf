"""A policy beside a switcher: it is shown each inference, by one thread at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from dynamic_ofa.governing import Governor, governor_of
from dynamic_ofa.quantities import Limits, read_limits
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Listener, Notice
from ofa_plugins_core.interfaces import Decision, Level, Observation, RuntimePolicy


class Stays:
    """The policy of a switcher that is given none: the level that is on."""

    def start(self, levels: Sequence[Level]) -> None:
        """It has no state."""

    def decide(self, state: None, observation: Observation) -> tuple[None, int]:
        """The level that ran."""
        return None, observation.level


class Deciding:
    """A governor for several threads, with limits and a clock.

    Args:
        governor: used by nobody else. limits: on latency.
        switch: turns a level on, nothing where it is on already; gives what that took, ms.
    """

    def __init__(self, governor: Governor, limits: Limits, switch: Callable[[int], float]) -> None:
        self._governor, self._limits, self._switch = governor, limits, switch
        self._turn, self._began = Lock(), time.monotonic()

    def observe(self, level: int, latency_ms: float) -> Decision:
        """Show the policy an inference that has just ended, and do what it says.

        An inference at another level than the one that was decided on began before the switch, in
        another thread: it says nothing about the level that is on, and is not shown.

        Raises:
            PluginError: the policy raised, or gave what is no level; with blame.
        """
        limit = self._limits.at(self._now() - latency_ms / 1000)  # the one that it began under
        with self._turn:  # while it switches, too: the last decision is the one that stays
            decision = self._decided(level, latency_ms, limit)
            self._switch(decision.level)  # not shown, too: a switch that failed is tried again
        return decision

    def _decided(self, level: int, latency_ms: float, limit: float) -> Decision:
        if level != self._governor.level:
            return Decision(self._governor.level)
        return self._governor.observe(Observation(self._now(), latency_ms, limit, {}, level))

    def switch(self, level: int) -> float:
        """Turn a level on that the policy has not decided on; it is shown what runs there.

        Returns:
            What it took, ms.
        """
        with self._turn:
            took = self._switch(level)
            self._governor.level = level
        return took

    def _now(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._began


def found_governor(
    context: JobContext,
    policy: str | RuntimePolicy | None,
    levels: Sequence[Level],
    start: int | None,
    limits: Limits | None = None,
) -> Governor:
    """A governor of a policy by name, of an object, or of one that stays.

    Args:
        limits: the first of them says at which level to begin, where the policy does not.

    Raises:
        UnknownNameError: nobody offers the policy.
        UsageError: there is no level ``start``.
    """
    first = None if limits is None else limits.at(0.0)
    if isinstance(policy, str):
        return governor_of(context, policy, levels, start=start, limit=first)
    given: RuntimePolicy = Stays() if policy is None else policy
    return Governor(given, levels, type(given).__name__, None, start, first)


def found_limits(
    limit: str | float | None,
    policy: object,
    levels: Sequence[Level],
    listener: Listener,
) -> Limits | None:
    """The limits of a policy, told where they are under the fastest level; None without a policy.

    Raises:
        UsageError: it does not read so, or there is a policy without a limit or the reverse.
    """
    if policy is None and limit is None:
        return None
    if policy is None or limit is None:
        given, lacking = ("limit", "policy") if policy is None else ("policy", "limit")
        raise UsageError(
            f"a {given} without a {lacking}", advice="give both: policy='hysteresis', limit='60 ms'"
        )
    found = read_limits(limit if isinstance(limit, str) else f"{limit:.9f}", "limit")
    if found.least < levels[0].latency:
        listener(
            Notice(
                f"the limit of {found.least:g} ms is under the fastest level's "
                f"{levels[0].latency:g} ms in the level table: expect most inferences to be late"
            )
        )
    return found
