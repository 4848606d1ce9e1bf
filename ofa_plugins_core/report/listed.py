"""Figures and tables that a job's result brings along: any plugin's, in the page of its run.

A result may have ``"figures": [{"file": "plots/heat.svg", "caption": "…"}, …]``, files in the run's
folder, and ``"tables": [{"title": "…", "columns": ["…"], "rows": [["…"]]}, …]``; what is no such
list is left out. A title may have several lines; a table without columns is text alone.

With ``"verdicts": {"holds": 3, "differs": 1}`` the page begins with these counts; the tables with a
column ``verdict`` come next, and a title whose first line ends in ``: differs`` is a heading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.report.drawing import Figure
from ofa_plugins_core.report.results import Run

VERDICT: Final = "verdict"
"""Column of a table that tells the verdicts of many things."""


@frozen
class Listed:
    """A table of text; without columns its title alone, which may have several lines."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def figures_of(run: Run) -> list[Figure]:
    """SVG files of the run's folder that its result names, and that are there."""
    return [
        Figure(file, str(entry.get("caption", "")))
        for entry in _records(run.result, "figures")
        if (file := _within(run.folder, entry.get("file"))) is not None
    ]


def drawn_figures(run: Run, drawn: Iterable[tuple[str, str]]) -> list[Figure]:
    """What a job drew into the run's folder: (file in it, caption) each."""
    return [
        Figure(file, caption)
        for name, caption in drawn
        if (file := _within(run.folder, name)) is not None
    ]


def _within(folder: Path, name: object) -> Path | None:
    """A file of the folder; nothing outside of it, whatever a result from elsewhere says."""
    if not isinstance(name, str) or not name.endswith(".svg"):
        return None
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        return None
    file = folder / path
    return file if file.is_file() and file.resolve().is_relative_to(folder.resolve()) else None


def tables_of(result: Any) -> list[Listed]:
    """Tables of text that a result names."""
    return list(_tables(result))


def _tables(result: Any) -> Iterator[Listed]:
    for entry in _records(result, "tables"):
        columns, rows = entry.get("columns"), entry.get("rows")
        if not isinstance(columns, list) or not isinstance(rows, list):
            continue
        width = len(columns)
        whole = [row for row in rows if isinstance(row, list) and len(row) == width]
        yield Listed(
            str(entry.get("title", "")),
            tuple(map(str, columns)),
            tuple(tuple(map(str, row)) for row in whole),
        )


def verdicts_of(result: Any) -> dict[str, int]:
    """Verdict -> how many, as a result counts them; {} where it counts none."""
    found = result.get("verdicts") if isinstance(result, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, int) and not isinstance(v, bool)}


def overview_first(tables: Iterable[Listed]) -> list[Listed]:
    """Tables with verdicts of many things before those of one thing each; the verdict beside the
    name, where a narrow window shows it, too."""
    return [_verdict_second(t) for t in sorted(tables, key=lambda t: VERDICT not in t.columns)]


def _verdict_second(found: Listed) -> Listed:
    if VERDICT not in found.columns[1:]:
        return found
    at = found.columns.index(VERDICT, 1)
    order = [0, at, *(i for i in range(1, len(found.columns)) if i != at)]
    rows = tuple(tuple(row[i] for i in order) for row in found.rows)
    return Listed(found.title, tuple(found.columns[i] for i in order), rows)


def plain_facts(result: Mapping[str, Any]) -> dict[str, Any]:
    """What is left to say of a result with tables: names and values, lists of plain values."""
    return {key: value for key, value in result.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(v, str | int | float | bool | None) for v in value)
    return isinstance(value, str | int | float | bool | None)


def _records(result: Any, key: str) -> list[Mapping[str, Any]]:
    found = result.get(key) if isinstance(result, Mapping) else None
    return [v for v in found if isinstance(v, Mapping)] if isinstance(found, list) else []
