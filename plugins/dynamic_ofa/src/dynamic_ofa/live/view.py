"""A live run as it goes: a panel on a terminal, else a line of progress now and then."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Mapping, Sequence
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from attrs import frozen

from dynamic_ofa.ledger import Inference, Switched
from ofa_plugins_core.events import Listener, Progress
from ofa_plugins_core.interfaces import Level

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

REDRAWN_S: Final = 0.125
TOLD_S: Final = 1.0
EVENTS: Final = 4
BAR: Final = 32
"""Characters of a bar; the limit, or 100 %, is at three quarters of it."""
LIMIT_AT: Final = 24


@frozen(kw_only=True)
class Shown:
    """What is shown after an inference.

    Attributes:
        last: the inference. late_share: of all so far, 0 to 1.
        done, total: seconds, or inferences, as ``unit`` says.
        contended: the second load works.
    """

    last: Inference
    late_share: float
    done: float
    total: float
    unit: str
    contended: bool = False


class View(Protocol):
    """Shows a run while it goes."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Leave the terminal as it was."""

    def show(self, shown: Shown) -> None:
        """An inference is done."""

    def switched(self, event: Switched) -> None:
        """The level has changed, or an actuator."""


def view_of(listener: Listener, levels: Sequence[Level], title: str) -> View:
    """A panel where stderr is a terminal, else lines through the listener."""
    if not sys.stderr.isatty():
        return Lines(listener, levels)
    from rich.console import Console

    return Panels(Console(stderr=True, highlight=False, emoji=False), levels, title)


class Lines:
    """Progress, for a listener: once a second."""

    def __init__(self, listener: Listener, levels: Sequence[Level]) -> None:
        self._listener, self._levels, self._next = listener, levels, 0.0

    def __enter__(self) -> Self:
        """Nothing to begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to leave."""

    def show(self, shown: Shown) -> None:
        """Tell how far it is."""
        if (now := monotonic()) >= self._next:
            self._next = now + TOLD_S
            note = sentence(shown, self._levels)
            self._listener(Progress(shown.unit, int(shown.done), round(shown.total), note))

    def switched(self, event: Switched) -> None:
        """It is in the event log."""


def sentence(shown: Shown, levels: Sequence[Level]) -> str:
    """``level 3 (77.5 %), 52.1 ms of 60 ms, 2 % late, second load``."""
    last = shown.last
    words = [
        f"level {last.level} ({levels[last.level].accuracy:.1f} %)",
        f"{last.latency_ms:.1f} ms of {last.limit_ms:g} ms",
        f"{100 * shown.late_share:.0f} % late",
    ]
    return ", ".join([*words, *(["second load"] if shown.contended else [])])


def event_line(event: Switched) -> str:
    """``12.3 s  3 → 2 in 0.4 ms: mean of 20 over the limit``."""
    took = "" if event.took_ms is None else f" in {event.took_ms:.2f} ms"
    moved = f"{event.before} → {event.after}{took}"
    said = f"level {event.after}" if event.before == event.after else moved
    actions = ", ".join(f"{name} = {value:g}" for name, value in event.actions.items())
    reason = "; ".join(words for words in (event.reason, actions) if words)
    return f"{event.time_s:7.2f} s  {said}" + (f": {reason}" if reason else "")


class Panels:
    """A panel that is redrawn in place some times a second."""

    def __init__(self, console: Console, levels: Sequence[Level], title: str) -> None:
        from rich.live import Live

        self._levels, self._title, self._next = levels, title, 0.0
        self._events: deque[str] = deque(maxlen=EVENTS)
        self._shown: Shown | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        """Take the terminal's last lines; what others print goes above them."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give them back."""
        self._live.stop()

    def show(self, shown: Shown) -> None:
        """Redraw, unless it was redrawn just now."""
        self._shown = shown
        if (now := monotonic()) >= self._next:
            self._next = now + REDRAWN_S
            self._live.update(self._panel(shown), refresh=True)

    def switched(self, event: Switched) -> None:
        """One more line among the last events."""
        self._events.append(event_line(event))

    def _panel(self, shown: Shown) -> Any:
        from rich.console import Group
        from rich.panel import Panel
        from rich.text import Text

        events = [Text(line, no_wrap=True, overflow="ellipsis") for line in self._events]
        blank = [Text("") for _ in range(EVENTS - len(events))]
        body = Group(_rows(shown, self._levels), Text(""), *events, *blank)
        return Panel(body, title=self._title, title_align="left", padding=(0, 1))


def _rows(shown: Shown, levels: Sequence[Level]) -> Table:
    from rich.table import Table
    from rich.text import Text

    last, table = shown.last, Table.grid(padding=(0, 2))
    level = "".join("■" if n == last.level else "·" for n in range(len(levels)))
    said = f"{last.level} (0 to {len(levels) - 1}), accuracy {levels[last.level].accuracy:.1f} %"
    colour = "red" if last.late else "green"
    bar = Text(latency_bar(last.latency_ms, last.limit_ms), style=colour)
    table.add_row("level", Text(level, style="bold"), said)
    table.add_row("latency", bar, f"{last.latency_ms:.1f} ms, limit {last.limit_ms:g} ms")
    for name, value in _loads(last.readings).items():
        note = " with the second load" if shown.contended and name.startswith("cpu") else ""
        table.add_row(
            name.removesuffix("_percent"), latency_bar(value, 100), f"{value:.0f} %{note}"
        )
    far = f"{shown.done:.0f} of {shown.total:.0f} {shown.unit}"
    table.add_row("late", f"{100 * shown.late_share:.1f} % of inferences so far", far)
    return table


def _loads(readings: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in readings.items() if name.endswith("_percent")}


def latency_bar(value: float, limit: float) -> str:
    """A bar with a mark where the limit is: ``██████     |``."""
    full = min(BAR, round(LIMIT_AT * value / limit))
    cells = ["█"] * full + [" "] * (BAR - full)
    cells[LIMIT_AT] = "|"
    return "".join(cells)
