"""A run in a few lines, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from ofa_plugins_core.report.listed import VERDICT, tables_of, verdicts_of
from ofa_plugins_core.report.origin import data_set, run_name, supernet_name
from ofa_plugins_core.report.points import UNMEASURED, points_of, unmeasured
from ofa_plugins_core.report.results import Run, SearchRecord
from ofa_plugins_core.report.searched import EMPTY, front_cells, front_columns, proof, thinning
from ofa_plugins_core.runs import FRONT

Rows: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A table: its title, its column names, its rows of text."""


MOST_ROWS: Final = 21
"""Of a table on the terminal; the page shows more."""


def summary_of(runs: Sequence[Run]) -> list[Rows]:
    """One run with its tables; of several a line each."""
    return summary(runs[0]) if len(runs) == 1 else [_lines(runs)]


def _lines(runs: Sequence[Run]) -> Rows:
    columns = ("run", "job", "supernet", "networks", "best top-1", "of")
    return (f"{len(runs)} runs compared", columns, [_line(run) for run in runs])


def _line(run: Run) -> tuple[str, ...]:
    points = points_of(run)
    known = [p.accuracy for p in points if p.accuracy is not None]
    best = max(known, key=lambda m: m.value, default=None)
    said = "" if best is None else f"{best.value:.2f} %, {best.kind}"
    behind = ", no measured one behind it" if unmeasured(points) else ""
    names = (run_name(run), run.job, supernet_name(run))
    return (*names, f"{len(points):,}", f"{said}{behind}", data_set(run))


def summary(run: Run) -> list[Rows]:
    """What it was and what came out, as tables that are not long: the page shows more."""
    front = run.folder / FRONT
    where = f", all in {front}" if front.is_file() else ""
    return [_shortened(rows, f"more on the page{where}") for rows in _whole(run)]


def _shortened(found: Rows, where: str) -> Rows:
    title, columns, rows = found
    if len(rows) <= MOST_ROWS or VERDICT in columns:
        return found
    said = f"{len(rows):,} rows, {MOST_ROWS} of them here; {where}"
    numbers = [round(i * (len(rows) - 1) / (MOST_ROWS - 1)) for i in range(MOST_ROWS)]
    kept = [[f"{n + 1:,}", *rows[n]] for n in numbers]
    return ("\n".join(filter(None, [title, said])), ["row", *columns], kept)


def _whole(run: Run) -> list[Rows]:
    finished = run.about.get("finished", "?")
    lines = [f"ofa run {run.job} · finished {finished} · {run.folder}"]
    if run.search is None:
        facts = run.result if isinstance(run.result, dict) else {}
        if listed := tables_of(facts):
            counts = verdicts_of(facts)
            shown = [t for t in listed if VERDICT in t.columns] if counts else listed
            return [("\n".join(lines), (), ()), *((t.title, t.columns, t.rows) for t in shown)]
        plain = [(k, str(v)) for k, v in facts.items() if isinstance(v, str | int | float | bool)]
        return [("\n".join(lines), ("", ""), plain), *_lists(facts)]
    title = "\n".join([*lines, *_sentences(run.search)])
    if not run.search.points:
        return [(title, (), ())]
    columns = [f"{name}\n{small}".strip() for name, small in front_columns(run.search)]
    rows = [front_cells(run.search, p, decimals=1) for p in run.search.points]
    return [(title, columns, rows)]


def _lists(facts: Mapping[str, Any]) -> list[Rows]:
    """Lists of records as tables of what is plain in them: phases of a training, for example."""
    found: list[Rows] = []
    for name, value in facts.items():
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            continue
        columns = [
            key
            for key in dict.fromkeys(k for v in value for k in v)
            if all(isinstance(v.get(key), str | int | float | bool | None) for v in value)
        ]
        rows = [["" if v.get(c) is None else str(v[c]) for c in columns] for v in value]
        if columns:
            found.append((name, columns, rows))
    return found


def _sentences(search: SearchRecord) -> list[str]:
    said = search.facts
    proven = proof(search)
    found = [f"{search.supernet} · searched by {said.get('searcher')}: {proven}"]
    if said.get("predictor"):
        found.append(f"accuracy: {said['predictor']}, {said.get('predictor_source')}")
    if said.get("note"):
        found.append(str(said["note"]))
    found += filter(None, [thinning(search)])
    if unmeasured(search.points):
        found.append(UNMEASURED)
    if not search.points and not search.missed:
        found.append(EMPTY)
    if search.missed:
        found.append(f"no network fits {len(search.missed)} of the bounds")
    return found
