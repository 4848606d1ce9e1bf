"""A policy at work: it is shown each inference, and says at which level the next one runs."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

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


class Governor:
    """Holds a policy's state and the level that is on. Not for several threads at once.

    Args:
        policy: pure; the state is kept here.
        levels: from fast to slow.
        name: of the policy, for messages. plugin: that offers it, for blame.
        start: number of the first level; None: the policy's choice, else the most accurate one.

    Attributes:
        level: number of the level that is on.

    Raises:
        UsageError: there is no such level.
        PluginError: the policy raised, or gave what is no level; with blame.
    """

    def __init__(
        self,
        policy: RuntimePolicy,
        levels: Sequence[Level],
        name: str,
        plugin: Plugin | None = None,
        start: int | None = None,
    ) -> None:
        self.levels, self.name = tuple(levels), name
        self._policy, self._plugin = policy, plugin
        self._state = self._call("start()", policy.start, self.levels)
        if start is not None and not 0 <= start < len(self.levels):
            raise UsageError(
                f"there is no level {start}: the table has {len(self.levels)}",
                advice=f"take 0 (the fastest) to {len(self.levels) - 1}",
            )
        self.level = self._initial() if start is None else start

    def observe(self, observation: Observation) -> Decision:
        """Show the policy an inference; its decision, with the level that is on from now on.

        Raises:
            PluginError: the policy raised, or gave what is no level; with blame.
        """
        found = self._call("decide()", self._policy.decide, self._state, observation)
        if not isinstance(found, tuple) or len(found) != 2:
            raise self._wrong("decide()", found, "a state and a level")
        self._state, answer = found
        decision = answer if isinstance(answer, Decision) else Decision(self._level(answer))
        self.level = self._level(decision.level)
        return decision

    def _initial(self) -> int:
        if not isinstance(self._policy, StartingPolicy):
            return len(self.levels) - 1
        return self._level(self._call("initial()", self._policy.initial, self.levels))

    def _level(self, found: Any) -> int:
        if not isinstance(found, Integral) or not 0 <= int(found) < len(self.levels):
            due = f"the number of a level, 0 to {len(self.levels) - 1}"
            raise self._wrong("decide()", found, due)
        return int(found)

    def _wrong(self, what: str, found: object, due: str) -> PluginError:
        label = "" if self._plugin is None else f"{self._plugin.label}: "
        return PluginError(f"{label}policy {self.name!r}: {what} gave {found!r:.60}; due is {due}")

    def _call(self, what: str, call: Any, *given: Any) -> Any:
        if self._plugin is None:
            return call(*given)
        return attempt(self._plugin, f"policy {self.name!r}: {what}", call, *given)


def governor_of(
    context: JobContext,
    name: str,
    levels: Sequence[Level],
    *,
    start: int | None = None,
    given: dict[str, Any] | None = None,
) -> Governor:
    """A governor with a policy by name, and the options that the user set for it.

    Args:
        given: values of the job's own flags, by the policy's option; None where not given.

    Raises:
        UnknownNameError: nobody offers the policy; with the nearest known names.
        UsageError: an option makes no sense, or there is no level ``start``.
    """
    entry = context.host.runtime_policy(name)
    policy = entry.build(entry_options(context, entry, given))
    owner = getattr(context.host, "owner", None)
    plugin = None if owner is None else owner("runtime_policies", name)
    return Governor(policy, levels, name, plugin, start)
