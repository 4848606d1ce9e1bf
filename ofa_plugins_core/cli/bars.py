"""Bars of progress on a terminal, one for each thing that is going on; loaded when one is needed.

Drawn when an event comes, not by a thread: nothing disturbs what is being timed, and processes that
are forked meanwhile hold no lock of it.
"""

from __future__ import annotations

import time
from typing import Final

from attrs import define, field
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from ofa_plugins_core import events

BETWEEN: Final = 0.1
"""Seconds between two pictures."""
MOST: Final = 5
"""Bars at once; the one that has been silent longest makes room."""


@define(eq=False)
class _Bar:
    task: TaskID
    done: int
    touched: float
    stale: bool = False


@define(eq=False)
class Bars:
    """The bars: outer things first, as they were first told; finished ones leave.

    A thing that goes on belongs to those before it that are not finished. Where one of them has
    moved twice and the inner one not at all, the inner one was given up, and leaves.
    """

    _progress: Progress
    _bars: dict[str, _Bar] = field(factory=dict)
    _drawn: float = 0.0

    @classmethod
    def on(cls, console: Console) -> Bars:
        """Begin below what the console has written so far."""
        progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=_cell(None)),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[amount]}", markup=False, justify="right"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False, table_column=_cell(1)),
            console=console,
            expand=True,
            transient=True,
            auto_refresh=False,
            speed_estimate_period=3600.0,  # networks may take minutes each
            redirect_stdout=False,  # results go there, wherever it leads
        )
        progress.start()
        return cls(progress)

    def show(self, event: events.Progress) -> None:
        """Move a bar; a new one comes last."""
        bar = self._bars.get(event.what)
        if bar is not None and event.done > bar.done:
            self._advance(event.what)
        finished = 0 < event.total <= event.done
        if not finished:
            self._move(bar, event)
        elif bar is not None:
            self._drop(event.what)
        self._draw(finished)

    def note(self, message: str) -> None:
        """Write a line above the bars."""
        self._progress.console.print(Text(message), soft_wrap=True)

    def close(self) -> None:
        """Wipe all bars."""
        self._progress.stop()

    def _move(self, bar: _Bar | None, event: events.Progress) -> None:
        amount, note = worded(event)
        total = event.total or None  # None: nobody knows; the bar swings
        if bar is None:
            self._make_room()
            task = self._progress.add_task(
                event.what, total=total, completed=event.done, amount=amount, note=note
            )
            self._bars[event.what] = _Bar(task, event.done, time.monotonic())
            return
        if event.done < bar.done:  # it begins again, and so does its clock
            self._progress.reset(bar.task)
        self._progress.update(bar.task, total=total, completed=event.done, amount=amount, note=note)
        bar.done, bar.touched, bar.stale = event.done, time.monotonic(), False

    def _advance(self, what: str) -> None:
        names = list(self._bars)
        for name in names[names.index(what) + 1 :]:
            inner = self._bars[name]
            if inner.stale:
                self._drop(name)
            inner.stale = True

    def _make_room(self) -> None:
        if len(self._bars) >= MOST:
            self._drop(min(self._bars, key=lambda name: self._bars[name].touched))

    def _drop(self, what: str) -> None:
        self._progress.remove_task(self._bars.pop(what).task)

    def _draw(self, now: bool) -> None:
        if now or time.monotonic() - self._drawn >= BETWEEN:
            self._progress.refresh()
            self._drawn = time.monotonic()


def _cell(ratio: int | None) -> Column:
    """A cell of one line; with a ratio it takes what room the others leave, and no more."""
    return Column(no_wrap=True, overflow="ellipsis", ratio=ratio)


def worded(event: events.Progress) -> tuple[str, str]:
    """How far it is, and the note: bytes in megabytes."""
    if event.note != "bytes":
        total = f"/{event.total:,}" if event.total else ""
        return f"{event.done:,}{total}", event.note
    total = f"/{event.total / 1e6:.1f}" if event.total else ""
    return f"{event.done / 1e6:.1f}{total} MB", ""
