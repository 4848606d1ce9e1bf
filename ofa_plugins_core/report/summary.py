"""A run in a few lines, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from ofa_plugins_core.report.listed import tables_of
from ofa_plugins_core.report.results import Run, SearchRecord
from ofa_plugins_core.report.searched import front_cells, front_columns, proof

Rows: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A table: its title, its column names, its rows of text."""


def summary(run: Run) -> list[Rows]:
    """What it was and what came out, as tables."""
    finished = run.about.get("finished", "?")
    lines = [f"ofa run {run.job} · finished {finished} · {run.folder}"]
    if run.search is None:
        facts = run.result if isinstance(run.result, dict) else {}
        if listed := tables_of(facts):
            return [("\n".join(lines), (), ()), *((t.title, t.columns, t.rows) for t in listed)]
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
    if search.missed:
        found.append(f"no network fits {len(search.missed)} of the bounds")
    return found
