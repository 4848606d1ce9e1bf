"""Monitors read beside the run, actuators set by a policy: neither may ever hold up or break it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Event, Thread
from types import TracebackType
from typing import Any, Final, Self

from attrs import frozen

from ofa_plugins_core.blame import Plugin, attempt
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import OfaError
from ofa_plugins_core.events import Listener, Notice
from ofa_plugins_core.interfaces import Actuator, Monitor
from ofa_plugins_core.jobs.choosing import entry_options

NONE: Final = "none"
PATIENCE_S: Final = 2.0
"""How long the beginning and the end of a run wait for a monitor that hangs."""


@frozen(eq=False)
class Named:
    """A monitor or an actuator with its name, and the plugin that offers it, for blame."""

    name: str
    what: Monitor | Actuator
    plugin: Plugin | None = None

    def call(self, method: str, *given: Any) -> Any:
        """Call a method of it.

        Raises:
            OfaError: as it raised it, or a PluginError with blame for anything else.
        """
        bound = getattr(self.what, method)
        if self.plugin is None:
            return bound(*given)
        return attempt(self.plugin, f"{self.name}: {method}()", bound, *given)


def monitors_of(context: JobContext, names: str | None) -> list[Named]:
    """Monitors by name, separated by commas; None: the automatic ones that this machine has.

    Raises:
        UnknownNameError: nobody offers one; with the nearest known names.
        UsageError: one that was asked for has nothing to read here.
    """
    if names is not None:
        return [_built(context, "monitors", name) for name in _listed(names)]
    found = []
    for entry in context.host.entries("monitors"):
        try:
            if entry.automatic:
                found.append(_built(context, "monitors", entry.name))
        except OfaError as error:
            if error.exit_code != 2:  # 2: there is nothing to read on this machine
                context.listener(Notice(f"carried on without the monitor: {error.message}"))
    return found


def actuators_of(context: JobContext, names: str | None) -> list[Named]:
    """Actuators by name, separated by commas; None: none.

    Raises:
        UnknownNameError: nobody offers one; with the nearest known names.
        UsageError: one cannot be set here.
    """
    return [_built(context, "actuators", name) for name in _listed(names or NONE)]


def _listed(names: str) -> list[str]:
    words = [word.strip() for word in names.split(",")]
    return [word for word in dict.fromkeys(words) if word and word != NONE]


def _built(context: JobContext, kind: str, name: str) -> Named:
    host = context.host
    entry = host.monitor(name) if kind == "monitors" else host.actuator(name)
    owner = getattr(host, "owner", None)
    plugin = None if owner is None else owner(kind, name)
    return Named(name, entry.build(entry_options(context, entry)), plugin)


class Watch:
    """Reads monitors in a thread of its own; ``latest`` never waits for it.

    A monitor that raises is told once, its readings leave, and the others go on. Notices are told
    in the thread that asks for readings, so a listener needs no lock.

    Args:
        monitors: with their names.
        every: seconds between readings.
    """

    def __init__(self, monitors: Sequence[Named], every: float, listener: Listener) -> None:
        self._monitors, self._every, self._listener = list(monitors), every, listener
        self._read: dict[str, Mapping[str, float]] = {}
        self._untold: deque[str] = deque()
        self._begun, self._over = Event(), Event()
        self._asked = monitors[0].name if monitors else ""
        self._thread: Thread | None = None

    def __enter__(self) -> Self:
        """Have a thread read them, and wait for their first readings, but not for ever."""
        if self._monitors:
            self._thread = Thread(target=self._go_on, name="monitors", daemon=True)
            self._thread.start()
            self._await_first()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End the thread; one that hangs in a monitor is left behind."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)
        self._tell()

    def latest(self) -> dict[str, float]:
        """The last readings of every monitor that still answers, by name with unit."""
        self._tell()
        return {
            name: value for found in tuple(self._read.values()) for name, value in found.items()
        }

    def _await_first(self) -> None:
        try:
            answered = self._begun.wait(PATIENCE_S)
        except BaseException:  # Ctrl-C: nobody will ask for readings, nor end the thread
            self._over.set()
            raise
        if not answered:
            said = f"the monitor {self._asked} has not answered within {PATIENCE_S:g} s"
            self._listener(Notice(f"{said}: the run begins without its readings"))

    def _go_on(self) -> None:
        self._all()
        self._begun.set()
        while self._monitors and not self._over.wait(self._every):
            self._all()

    def _all(self) -> None:
        for monitor in tuple(self._monitors):
            self._asked = monitor.name
            try:
                self._read = {**self._read, monitor.name: _sound(monitor.call("read"))}
            except Exception as error:  # whatever a monitor raises, the run goes on
                self._leave(monitor, error)

    def _leave(self, monitor: Named, error: Exception) -> None:
        self._monitors.remove(monitor)
        self._read = {k: v for k, v in self._read.items() if k != monitor.name}
        self._untold.append(
            f"carried on without the monitor {monitor.name}, which failed: {_said(error)}"
        )

    def _tell(self) -> None:
        while self._untold:
            self._listener(Notice(self._untold.popleft()))


def _said(error: Exception) -> str:
    return error.message if isinstance(error, OfaError) else f"{type(error).__name__}: {error}"


def _sound(found: Any) -> dict[str, float]:
    """Readings as finite numbers by name.

    Raises:
        ValueError: they are something else.
    """
    if not isinstance(found, Mapping):
        raise ValueError(f"readings are a mapping, found {found!r:.60}")
    values = {str(name): float(value) for name, value in found.items()}
    odd = next((name for name, value in values.items() if not math.isfinite(value)), None)
    if odd is not None:
        raise ValueError(f"{odd} is {values[odd]}")
    return values


class Settings:
    """Sets actuators as a policy decides, and puts back in the end what was there before.

    What a policy asks for and nobody can do is told once, and the run goes on.

    Args:
        actuators: with their names.
    """

    def __init__(self, actuators: Sequence[Named], listener: Listener) -> None:
        self._actuators = {a.name: a for a in actuators}
        self._listener = listener
        self._before: dict[str, float] = {}
        self._now: dict[str, float] = {}
        self._told: set[str] = set()
        self._stuck: list[str] = []

    def __enter__(self) -> Self:
        """Nothing is set yet."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Put everything back, the last that was set first; also when Ctrl-C comes meanwhile."""
        stopped: KeyboardInterrupt | None = None
        while self._before:
            try:
                self._put_back(next(reversed(self._before)))
            except KeyboardInterrupt as again:
                stopped = again
        for message in self._stuck:  # not before: a listener may fail, as on a lost terminal
            self._listener(Notice(message))
        if stopped is not None:
            raise stopped

    def apply(self, actions: Mapping[str, float]) -> dict[str, float]:
        """Set what a decision names, where it is not set so already; what of it was set."""
        due = {name: value for name, value in actions.items() if self._now.get(name) != value}
        done = {name: value for name, value in due.items() if self._set(name, value)}
        self._now.update(done)
        return done

    def _set(self, name: str, value: float) -> bool:
        if name not in self._actuators:
            self._tell(name, f"the policy sets {name}, which --actuators does not name: left alone")
            return False
        actuator = self._actuators[name]
        try:
            if name not in self._before:
                self._before[name] = float(actuator.call("get"))
            actuator.call("set", value)
        except Exception as error:  # whatever an actuator raises, the run goes on
            self._tell(name, f"{name} was not set: {_said(error)}")
            return False
        return True

    def _put_back(self, name: str) -> None:
        """Its old value; one that cannot be put back is told with it, in the end."""
        value = self._before[name]
        try:
            self._actuators[name].call("set", value)
        except Exception as error:  # the others have to be put back all the same
            self._stuck.append(f"{name} could not be put back to {value:g}: {_said(error)}")
        del self._before[name]

    def _tell(self, name: str, message: str) -> None:
        if name not in self._told:
            self._told.add(name)
            self._listener(Notice(message))
