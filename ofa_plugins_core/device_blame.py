"""Devices of plugins: what they raise, or wrongly give, names the device and its plugin."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from attrs import frozen

from ofa_plugins_core.blame import BUILTIN, Plugin, attempt
from ofa_plugins_core.errors import PluginError
from ofa_plugins_core.interfaces import Device, DeviceSession, LoadedWork, Work


@frozen(eq=False)
class Watched:
    """A device whose calls are guarded and whose answers are checked.

    Attributes:
        inner: the device. name: of it. plugin: that offers it, or None for one of the core's.
    """

    inner: Device
    name: str
    plugin: Plugin | None = None

    @property
    def label(self) -> str:
        """What messages call it."""
        named = f"device {self.name!r}"
        return named if self.plugin is None else f"{self.plugin.label}: {named}"

    def call(self, what: str, call: Callable[..., Any], *given: Any) -> Any:
        """Call into the device.

        Raises:
            OfaError: as it raised it.
            PluginError: anything else that it raised, with blame.
        """
        if self.plugin is None or self.plugin.name == BUILTIN:
            return call(*given)
        return attempt(self.plugin, f"device {self.name!r}: {what}", call, *given)

    def wrong(self, what: str, found: object, due: str) -> PluginError:
        """The error that says what it gave and what is due."""
        return PluginError(f"{self.label}: {what} gave {found!r:.80}; due is {due}")

    def describe(self) -> dict[str, str]:
        """See ``Device``."""
        found = self.call("describe()", self.inner.describe)
        sound = isinstance(found, Mapping) and all(
            isinstance(k, str) and isinstance(v, str) for k, v in found.items()
        )
        if not sound or not found:
            raise self.wrong("describe()", found, "names and texts, at least one")
        return dict(found)

    @contextmanager
    def session(self) -> Iterator[DeviceSession]:
        """See ``Device``; what the block raises is not the device's."""
        manager = self.call("session()", self.inner.session)
        entered = self.call("session()", manager.__enter__)
        try:
            yield WatchedSession(entered, self)
        except BaseException as error:
            leave = (type(error), error, error.__traceback__)
            if not self.call("leaving session()", manager.__exit__, *leave):
                raise
        else:
            self.call("leaving session()", manager.__exit__, None, None, None)


@frozen(eq=False)
class WatchedSession:
    """A session whose calls are guarded."""

    inner: DeviceSession
    device: Watched

    def load(self, work: Work) -> LoadedWork:
        """See ``DeviceSession``."""
        return WatchedWork(self.device.call("load()", self.inner.load, work), self.device)

    def conditions(self) -> dict[str, float]:
        """See ``DeviceSession``."""
        found = self.device.call("conditions()", self.inner.conditions)
        sound = isinstance(found, Mapping) and all(
            isinstance(k, str) and _is_number(v) for k, v in found.items()
        )
        if not sound:
            raise self.device.wrong("conditions()", found, "names and finite numbers")
        return {name: float(value) for name, value in found.items()}


@frozen(eq=False)
class WatchedWork:
    """Loaded work whose calls are guarded."""

    inner: LoadedWork
    device: Watched

    def times(self, passes: int) -> Sequence[float]:
        """See ``LoadedWork``."""
        found = self.device.call("times()", self.inner.times, passes)
        if not isinstance(found, Sequence) or isinstance(found, str) or len(found) > passes:
            raise self.device.wrong("times()", found, f"a list of at most {passes} numbers")
        odd = [time for time in found if not _is_number(time) or time < 0]
        if odd:
            raise self.device.wrong("times()", odd[0], "milliseconds of a pass")
        return found

    def release(self) -> None:
        """See ``LoadedWork``."""
        self.device.call("release()", self.inner.release)


def _is_number(value: object) -> bool:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    return good and math.isfinite(value)  # type: ignore[arg-type]


def unwatched(device: Device) -> Device:
    """The device itself, for a plugin that knows its own."""
    return device.inner if isinstance(device, Watched) else device
