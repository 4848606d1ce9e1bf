"""What a command prints: JSON alone on stdout; tables, progress and notices on stderr."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, TypeAlias

from ofa_plugins_core.events import Event, Notice, Progress

if TYPE_CHECKING:  # a search with --json needs none of them
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ofa_plugins_core.cli.bars import Bars

Rows: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A table: its title, its column names, its rows of text."""

MOST_ROWS: Final = 21
"""Of a table: a sweep of the default length is shown whole."""

QUIET_SECONDS: Final = 10.0
"""Between lines of progress where stderr is no terminal."""
MOST_TOLD: Final = 3
"""Things in such a line: those that began last."""

FIRST_SECONDS: Final = 0.5
"""Before bars of progress are shown on a terminal."""

PIPED: Final = 160
"""Columns where the output is no terminal, unless COLUMNS says otherwise."""


def console() -> Console:
    """For people: on stderr."""
    from rich.console import Console

    wide = width(sys.stderr)
    return Console(stderr=True, highlight=False, emoji=False, markup=False, width=wide)


def width(stream: TextIO) -> int | None:
    """Columns to write; None: as the terminal, or COLUMNS, says."""
    return None if stream.isatty() or os.environ.get("COLUMNS", "").isdigit() else PIPED


def write_json(value: Any) -> None:
    """JSON on stdout: a list is written a line an element, anything else as one line."""
    for line in json_lines(value):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def json_lines(value: Any) -> Iterator[str]:
    """A line an element of a list; one line for anything else."""
    for line in value if isinstance(value, list) else [value]:
        yield json.dumps(line, ensure_ascii=False)


def write_tables(
    tables: Iterable[Rows],
    most_rows: int | None = None,
    styles: Mapping[str, str] | None = None,
    wrapped: bool = False,
) -> None:
    """Tables on stderr; long ones are shortened, and say so.

    Args:
        styles: word -> how it looks where it is a whole cell, or ends a line of a title after a
            colon.
        wrapped: titles are sentences, broken between words.
    """
    shown, most, looks = console(), most_rows or MOST_ROWS, styles or {}
    for title, columns, rows in tables:
        if title:
            shown.print(_title(title, looks), soft_wrap=not wrapped)
        if len(rows) > most:
            columns, rows, count = ["row", *columns], shortened(rows, most), len(rows)
            shown.print(f"{count} rows, {most} of them shown; all with --json or in front.csv")
        if columns:
            shown.print(_table(columns, rows, looks))


def _title(text: str, styles: Mapping[str, str]) -> Text:
    from rich.text import Text

    title = Text(text)
    for word, style in styles.items():
        title.highlight_regex(rf"(?m)(?<=: ){re.escape(word)}$", style)
    return title


def shortened(rows: Sequence[Sequence[str]], most: int) -> list[Sequence[str]]:
    """Evenly spaced rows, the first and the last among them, each with its number before it.

    So nobody takes what is left out for what was not found.
    """
    last = len(rows) - 1
    numbers = [round(i * last / (most - 1)) for i in range(most)]
    return [[f"{n + 1}", *rows[n]] for n in numbers]


def _table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], styles: Mapping[str, str]
) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown = list(rows)
    for number, column in enumerate(columns):
        figures = all(_is_figure(row[number]) for row in shown)
        side: Literal["left", "right"] = "right" if figures else "left"
        cells = (column, *(row[number] for row in shown)) if figures else ()
        least = max((len(line) for cell in cells for line in cell.splitlines()), default=None)
        table.add_column(column, justify=side, no_wrap=figures, overflow="fold", min_width=least)
    for row in shown:
        table.add_row(*(Text(cell, styles.get(cell, "")) for cell in row))
    return table


def _is_figure(cell: str) -> bool:
    return not cell or cell[0].isdigit() or cell[0] in "-?"


class Teller:
    """A listener that tells events on stderr: bars on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._moving = sys.stderr.isatty()
        self._last = time.monotonic()
        self._latest: dict[str, Progress] = {}
        self._bars: Bars | None = None

    def __call__(self, event: Event) -> None:
        """Tell one event."""
        if isinstance(event, Notice):
            self._notice(f"note: {event.message}")
        elif isinstance(event, Progress):
            self._progress(event)

    def _notice(self, line: str) -> None:
        if self._bars is not None:
            self._bars.note(line)
        else:
            sys.stderr.write(f"{line}\n")

    def _progress(self, event: Progress) -> None:
        if self._bars is not None:
            self._bars.show(event)
            return
        self._latest[event.what] = event
        now = time.monotonic()
        if now - self._last < (FIRST_SECONDS if self._moving else QUIET_SECONDS):
            return
        self._last = now
        if self._moving:
            self._begin()
        else:
            self._line()

    def _begin(self) -> None:
        """Show bars from now on; what is short is over before they are even loaded."""
        from ofa_plugins_core.cli.bars import Bars

        self._bars = Bars.on(console())
        for event in self._latest.values():
            self._bars.show(event)
        self._latest.clear()

    def _line(self) -> None:
        told = list(self._latest.values())[-MOST_TOLD:]
        line = "; ".join(f"{e.what} {e.done}/{e.total} {e.note}".rstrip() for e in told)
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
        self._latest.clear()

    def close(self) -> None:
        """Wipe the bars."""
        if self._bars is not None:
            self._bars.close()
            self._bars = None
        self._latest.clear()
        self._last = time.monotonic()
