"""A matrix for people: tables for the terminal, and a page in Markdown."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Final

from ofa_plugins_core.composing.cells import Answer
from ofa_plugins_core.composing.faults import faults, told
from ofa_plugins_core.composing.folding import (
    BROKEN,
    LEGEND,
    REFUSED,
    WORKS,
    Folded,
    Grid,
    Reason,
    folded,
    needed,
    pair_tables,
)
from ofa_plugins_core.composing.matrix import Matrix
from ofa_plugins_core.words import counted, duration

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A title, column names, rows of text."""

HEADS: Final = ("cost", "predictor")
SIGNS: Final = {"works": WORKS, "refused": REFUSED, "broken": BROKEN}
TITLES: Final = {
    "samplers": "Samplers",
    "reductions": "Smaller spaces (reductions)",
    "training_plans": "Training plans",
}


def tables(matrix: Matrix) -> list[Table]:
    """For the terminal: a grid for each group of supernets, the reasons, what is broken."""
    found = folded(matrix)
    out: list[Table] = []
    for grid in found.grids:
        rows = [
            (found.named(row.costs), _listed(row.predictors), *map(str, row.marks))
            for row in grid.rows
        ]
        out.append((f"{_listed(grid.supernets)}:", (*HEADS, *grid.columns), rows))
    out += [(f"{letter}: {_listed(costs)}", (), ()) for letter, costs in found.groups.items()]
    signs = "  ".join(f"{sign} {words}" for sign, words in LEGEND)
    out.append((signs, (), ()))
    if found.reasons:
        lines = [(f"{r.number}", _said(r)) for r in found.reasons]
        out.append(("", ("reason", ""), lines))
    if wrong := told(faults(matrix)):
        out.append(("broken:", ("where", "why"), wrong))
    return out


def summary(matrix: Matrix) -> str:
    """The matrix in one line."""
    counts = matrix.counts
    tried = counted(len(matrix.cells), "combination")
    works = f"{counts['works']:,} work"
    if counts["works_given"]:
        works += f" ({counts['works_given']:,} of them with a table or a fit that you bring)"
    rest = f"{counts['refused']:,} are refused, {counts['broken']:,} are broken"
    left = "" if len(matrix.cells) == matrix.of else f" of {matrix.of:,}"
    return f"{tried}{left} tried: {works}, {rest}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _said(reason: Reason) -> str:
    """A reason as one line."""
    text = reason.text + (f" (here {reason.example}; others alike)" if reason.varies else "")
    if reason.instead:
        text += f"; instead: {_listed(reason.instead)}"
    elif reason.advice:
        text += f"; {reason.advice}"
    return text


# ------------------------------------------------------------------------------- the page


def markdown(matrix: Matrix) -> str:
    """The page, with what the command was and where it ran."""
    found = folded(matrix)
    parts = [
        *_introduction(matrix),
        *_grids(found),
        *_reasons(found),
        *_brought(matrix),
        *_pairs(matrix),
        *_broken(matrix),
        *_provenance(matrix),
    ]
    return "\n".join(parts).rstrip() + "\n"


def _introduction(matrix: Matrix) -> Iterator[str]:
    yield "# What mixes with what"
    yield ""
    yield "Made by `ofa plugins matrix --markdown FILE`; do not edit."
    yield ""
    yield (
        "Every supernet × cost × predictor × searcher × runtime policy that the installed plugins "
        "offer was tried, small, by the path of `ofa run search`: at the smallest and the largest "
        "image size, with each searcher's quick settings (its `trial`). With a predictor each "
        "searcher was asked for the whole front of accuracy against the cost, and for the best "
        "network under a bound that half of all networks meet; without one for the least cost. "
        "Costs and accuracies of what came back were asked for again, network by network, and "
        "bounds checked; where a searcher calls its answer optimal, no other may have found a "
        "better one. Every runtime policy then ran a short trace on the networks that were found, "
        "as levels, with the cost in place of latency."
    )
    yield ""
    yield f"{summary(matrix)}."
    yield ""


def _grids(found: Folded) -> Iterator[str]:
    yield "## Can I mix X with Y?"
    yield ""
    for sign, words in LEGEND[:-1]:
        yield f"- {sign} {words}"
    yield ""
    if found.groups:
        yield "Costs that come to the same with everything go by a letter:"
        yield ""
        for letter, costs in found.groups.items():
            yield f"- **{letter}**: {_listed(costs)}"
        yield ""
    for grid in found.grids:
        yield f"### {_listed(grid.supernets)}"
        yield ""
        yield from _grid(found, grid)
        yield ""


def _grid(found: Folded, grid: Grid) -> Iterator[str]:
    yield from _head((*HEADS, *grid.columns))
    for row in grid.rows:
        cells = (found.named(row.costs), _listed(row.predictors), *map(str, row.marks))
        yield _row(cells)


def _reasons(found: Folded) -> Iterator[str]:
    if not found.reasons:
        return
    yield "## If not, why not, and what instead"
    yield ""
    yield from _head(("", "the program says", "of combinations", "instead"))
    for reason in found.reasons:
        text = reason.text + (f" (of {reason.example})" if reason.varies else "")
        instead = _listed(reason.instead or ()) or reason.advice or ""
        yield _row((f"{reason.number}", text, f"{len(reason.seen):,}", instead))
    yield ""


def _brought(matrix: Matrix) -> Iterator[str]:
    """Which predictors are fitted for which supernet, and what costs need."""
    yield "## What you bring"
    yield ""
    yield (
        "No plugin ships these, so the trial made them up: a table and fits from a formula of "
        "MACs. They say that the parts fit together, and nothing about any device or data set."
    )
    yield ""
    for axis, title in (("predictor", "Fits of predictors"), ("cost", "Tables and fits of costs")):
        lacking = {
            name: places
            for name, places in needed(matrix.cells, axis).items()
            if any(places.values())
        }
        if not lacking:
            continue
        yield from _head((title, "ships for", "yours for", "the program says, without it"))
        for name, places in lacking.items():
            ships = [place for place, said in places.items() if not said]
            yours = [place for place, said in places.items() if said]
            said = places[yours[0]]
            yield _row((name, _listed(ships) or "none", _all(yours, places), said))
        yield ""


def _all(names: Sequence[str], places: Mapping[str, str]) -> str:
    return "every supernet" if len(names) == len(places) else _listed(names)


def _pairs(matrix: Matrix) -> Iterator[str]:
    found = pair_tables(matrix.pairs)
    if not found:
        return
    yield "## With supernets alone"
    yield ""
    for kind, names, supernets, rows in found:
        yield f"### {TITLES.get(kind, kind)}"
        yield ""
        yield from _head(("supernet", *names))
        said: dict[str, int] = {}
        for supernet, answers in zip(supernets, rows, strict=True):
            yield _row((supernet, *(_answered(answer, said) for answer in answers)))
        yield ""
        for text, number in said.items():
            yield f"{number}. {_escaped(text)}"
        if said:
            yield ""


def _answered(answer: Answer, said: dict[str, int]) -> str:
    if answer.reason is None:
        return WORKS
    number = said.setdefault(answer.reason, len(said) + 1)
    return f"{SIGNS[answer.outcome]} {number}"


def _broken(matrix: Matrix) -> Iterator[str]:
    wrong = told(faults(matrix))
    if not wrong:
        return
    yield "## Broken"
    yield ""
    for where, why in wrong:
        yield f"- {_escaped(where)}: {_escaped(why)}"
    yield ""


def _provenance(matrix: Matrix) -> Iterator[str]:
    about = matrix.about
    yield "## Made"
    yield ""
    words = about.get("command", ("ofa", "plugins", "matrix"))
    taken = sum(cell.seconds for cell in matrix.cells)
    yield f"- `{shlex.join(map(_without_folders, words))}`"
    yield f"- the trials took {duration(taken)}, one after the other"
    yield f"- finished {about.get('finished', 'at an unknown time')}"
    cores = about.get("cores")
    beside = f", {counted(cores, 'core')}" if cores else ""
    machine, python = about.get("platform", "an unknown machine"), about.get("python")
    yield f"- on {machine}{beside}, Python {python}"
    versions = [f"{p['distribution']} {p['version']}" for p in about.get("plugins", ())]
    yield f"- {', '.join(dict.fromkeys(versions))}"
    packages = about.get("packages", {})
    yield f"- {', '.join(f'{name} {version}' for name, version in packages.items() if version)}"


def _without_folders(word: str) -> str:
    """A path of this machine by its last name alone: a page is for others."""
    return PurePath(word).name if PurePath(word).is_absolute() else word


def _head(names: Sequence[str]) -> Iterator[str]:
    yield _row(names)
    yield f"|{'|'.join(' --- ' for _ in names)}|"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_escaped(c) for c in cells)} |"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "\\<")
