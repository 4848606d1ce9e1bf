"""A policy at work: it is shown each inference, and says at which level the next one runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Final

from ofa_plugins_core.blame import Plugin, attempt
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import PluginError, UsageError
from ofa_plugins_core.interfaces import (
    Decision,
    Level,
    Observation,
    RuntimePolicy,
    StartingPolicy,
)
from ofa_plugins_core.jobs.choosing import entry_options

DECIDE: Final = "decide()"
INITIAL: Final = "initial()"


class Governor:
    """Holds a policy's state and the level that is on. Not for several threads at once.

    Args:
        policy: pure; the state is kept here.
        levels: from fast to slow.
        name: of the policy, for messages. plugin: that offers it, for blame.
        start: number of the first level; None: the policy's choice, else the most accurate one.
        limit: on latency at first, ms: where nobody chooses, levels that take longer for the
            table are no first ones.

    Attributes:
        level: number of the level that is on.

    Raises:
        UsageError: there is no such level.
        PluginError: the policy raised, or gave what is no level or decision; with blame.
    """

    def __init__(
        self,
        policy: RuntimePolicy,
        levels: Sequence[Level],
        name: str,
        plugin: Plugin | None = None,
        start: int | None = None,
        limit: float | None = None,
    ) -> None:
        self.levels, self.name = tuple(levels), name
        self._policy, self._plugin = policy, plugin
        self._state = self._call("start()", policy.start, self.levels)
        if start is not None and not 0 <= start < len(self.levels):
            raise UsageError(
                f"there is no level {start}: the table has {len(self.levels)}",
                advice=f"take 0 (the fastest) to {len(self.levels) - 1}",
            )
        self.level = self._initial(limit) if start is None else start

    def observe(self, observation: Observation) -> Decision:
        """Show the policy an inference; its decision, with the level that is on from now on.

        Returns:
            A whole number, text and finite floats, whatever kinds of them the policy took.

        Raises:
            PluginError: the policy raised, or gave what is no level or decision; with blame.
        """
        found = self._call(DECIDE, self._policy.decide, self._state, observation)
        if not isinstance(found, tuple) or len(found) != 2:
            raise self._wrong(DECIDE, found, "a state and a level")
        self._state, answer = found
        decision = self._decision(answer)
        self.level = decision.level
        return decision

    def _initial(self, limit: float | None) -> int:
        if not isinstance(self._policy, StartingPolicy):
            every = range(len(self.levels))
            fitting = [n for n in every if limit is None or self.levels[n].latency <= limit]
            return max(fitting, key=lambda n: self.levels[n].accuracy, default=0)
        found = self._call(INITIAL, self._policy.initial, self.levels)
        return self._level(INITIAL, found)

    def _decision(self, answer: Any) -> Decision:
        if not isinstance(answer, Decision):
            return Decision(self._level(DECIDE, answer))
        if not isinstance(answer.reason, str):
            raise self._wrong(DECIDE, answer.reason, "a reason in words")
        level = self._level(DECIDE, answer.level)
        return Decision(level, str(answer.reason), self._actions(answer.actions))

    def _level(self, what: str, found: Any) -> int:
        if not isinstance(found, Integral) or not 0 <= int(found) < len(self.levels):
            due = f"the number of a level, 0 to {len(self.levels) - 1}"
            raise self._wrong(what, found, due)
        return int(found)

    def _actions(self, found: Any) -> dict[str, float]:
        """As plain numbers: they are compared, logged and written as JSON."""
        given = self._call(DECIDE, dict, found) if isinstance(found, Mapping) else None
        if given is None or not all(isinstance(k, str) and _finite(v) for k, v in given.items()):
            raise self._wrong(DECIDE, found, "actions, each a name with a finite number")
        return {str(name): float(value) for name, value in given.items()}

    def _wrong(self, what: str, found: object, due: str) -> PluginError:
        label = "" if self._plugin is None else f"{self._plugin.label}: "
        return PluginError(f"{label}policy {self.name!r}: {what} gave {found!r:.60}; due is {due}")

    def _call(self, what: str, call: Any, *given: Any) -> Any:
        if self._plugin is None:
            return call(*given)
        return attempt(self._plugin, f"policy {self.name!r}: {what}", call, *given)


def _finite(value: object) -> bool:
    try:
        return isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # a whole number that no float holds
        return False


def governor_of(
    context: JobContext,
    name: str,
    levels: Sequence[Level],
    *,
    start: int | None = None,
    given: dict[str, Any] | None = None,
    limit: float | None = None,
) -> Governor:
    """A governor with a policy by name, and the options that the user set for it.

    Args:
        start, limit: as ``Governor`` takes them.
        given: values of the job's own flags, by the policy's option; None where not given.

    Raises:
        UnknownNameError: nobody offers the policy; with the nearest known names.
        UsageError: an option makes no sense, or there is no level ``start``.
    """
    entry = context.host.runtime_policy(name)
    policy = entry.build(entry_options(context, entry, given))
    owner = getattr(context.host, "owner", None)
    plugin = None if owner is None else owner("runtime_policies", name)
    return Governor(policy, levels, name, plugin, start, limit)
