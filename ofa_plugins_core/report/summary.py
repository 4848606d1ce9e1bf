"""A run in a few lines, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ofa_plugins_core.report.page import front_cells, front_columns, proof
from ofa_plugins_core.report.results import Run, SearchRecord

Rows: TypeAlias = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A table: its title, its column names, its rows of text."""


def summary(run: Run) -> list[Rows]:
    """What it was and what came out, as tables."""
    finished = run.about.get("finished", "?")
    lines = [f"ofa run {run.job} · finished {finished} · {run.folder}"]
    if run.search is None:
        facts = run.result if isinstance(run.result, dict) else {}
        plain = [(k, str(v)) for k, v in facts.items() if isinstance(v, str | int | float | bool)]
        return [("\n".join(lines), ("", ""), plain)]
    title = "\n".join([*lines, *_sentences(run.search)])
    if not run.search.points:
        return [(title, (), ())]
    columns = [f"{name}\n{small}".strip() for name, small in front_columns(run.search)]
    rows = [front_cells(run.search, p, decimals=1) for p in run.search.points]
    return [(title, columns, rows)]


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
