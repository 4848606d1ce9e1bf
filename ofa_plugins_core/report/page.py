"""Runs as one HTML page: readable without a script, interactive with it, and self-contained."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

from attrs import field, frozen

from ofa_plugins_core.report.drawing import PLOTS, Figure
from ofa_plugins_core.report.embedded import Drawable, embedded
from ofa_plugins_core.report.html import Markup, element, facts, joined
from ofa_plugins_core.report.listed import figures_of, plain_facts, tables_of, verdicts_of
from ofa_plugins_core.report.listing import listed_tables
from ofa_plugins_core.report.networks import Network
from ofa_plugins_core.report.origin import data_sets, origin, run_name, supernet_name
from ofa_plugins_core.report.points import UNMEASURED, unmeasured
from ofa_plugins_core.report.results import Point, Run, SearchRecord
from ofa_plugins_core.report.searched import figure_of, front_table, overview, searched

MOST_BYTES: Final = 1_950_000
"""Longest page that is written where its figures leave room."""
FIGURE_BYTES: Final = 1_200_000
FIGURE_BYTES_COMPARED: Final = 700_000
"""Of all figures of a page; those that do not fit stay files."""
SCRIPTS: Final = (
    "data.js",
    "elements.js",
    "scale.js",
    "picture.js",
    "memory.js",
    "chart.js",
    "bounds.js",
    "details.js",
    "main.js",
    "theme.js",
)
"""In the order in which they are read."""
GENERATOR: Final = "ofa report"
"""What marks a file as a page of ours, which may be written again."""


@frozen(eq=False)
class Chapter:
    """One run of a page, and what is drawn of it.

    Attributes:
        drawable: the run with its networks.
        figures: drawn already; their SVGs go into the page.
        networks: what the figures with a number are about.
    """

    drawable: Drawable
    figures: Sequence[Figure] = ()
    networks: Sequence[Network] = ()

    @property
    def run(self) -> Run:
        """The run."""
        return self.drawable.run

    @property
    def points(self) -> Sequence[Point]:
        """Its networks."""
        return self.drawable.points


@frozen(eq=False)
class _Page:
    """What is on the page beside the numbers for its script, in order."""

    title: str
    above: list[Markup] = field(factory=list)
    below: list[Markup] = field(factory=list)


def page(chapters: Sequence[Chapter], notes: Sequence[str] = ()) -> str:
    """The page of a run, or of several to compare.

    Args:
        chapters: at least one.
        notes: what the reader should know: why there are no plots, for example.

    Raises:
        InputError: a figure cannot be read.
    """
    found = _alone(chapters[0]) if len(chapters) == 1 else _compared(chapters)
    warnings = [element("p", note, class_="warn") for note in dict.fromkeys(notes)]
    drawables = [c.drawable for c in chapters]
    interactive = any(d.points for d in drawables)
    head = [_top(found.title, chapters), *warnings, *found.above]
    explorer = [_web("explorer.html")] if interactive else []
    text = joined([*head, *explorer, *found.below])
    room = MOST_BYTES - len(text.encode()) - len(_script()) - len(_web("page.css"))
    data = embedded(drawables, room) if interactive else None
    return _document(found.title, text, data)


def _document(title: str, body: Markup, data: Markup | None) -> str:
    script = _script()
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    head = [
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta name="generator" content="{GENERATOR}">'),
        element("title", title),
        element("style", _web("page.css")),
    ]
    scripts = [element("script", script)]
    if data is not None:
        scripts.insert(0, element("script", data, type="application/json", id="data"))
    content = [element("main", body), *scripts]
    root = element("html", [element("head", head), element("body", content)], lang="en")
    return f"<!DOCTYPE html>\n{root}\n"


def _script() -> Markup:
    code = "\n".join(_web(name) for name in SCRIPTS)
    return Markup(f'"use strict";\n(() => {{\n{code}}})();\n')


def _web(name: str) -> Markup:
    return Markup(files(__package__).joinpath("web", name).read_text(encoding="utf-8"))


def _top(title: str, chapters: Sequence[Chapter]) -> Markup:
    said = [_said(chapter.run) for chapter in chapters[:1]] if len(chapters) == 1 else []
    words = [element("h1", title), *(element("p", text, class_="muted") for text in said)]
    button = element("button", "Colours", type="button", id="theme", hidden="")
    return element("header", [element("div", words), button], class_="top")


def _said(run: Run) -> str:
    finished = run.about.get("finished")
    return " · ".join([run_name(run), *([f"finished {finished}"] if finished else [])])


# --------------------------------------------------------------------------- one, several


def _alone(chapter: Chapter) -> _Page:
    run = chapter.run
    title = f"ofa {run.job}: {supernet_name(run) or run.folder.name}"
    figures, _ = _fitting(chapter, FIGURE_BYTES)
    above = [] if run.search is None else overview(run.search)
    return _Page(title, above, [*_shown(chapter, figures), *origin(run)])


def _compared(chapters: Sequence[Chapter]) -> _Page:
    found = _Page(f"{len(chapters)} runs compared")
    left = FIGURE_BYTES_COMPARED
    for note in _differences(chapters):
        found.above.append(element("p", note, class_="warn"))
    for number, chapter in enumerate(chapters, 1):
        run = chapter.run
        figures, left = _fitting(chapter, left)
        body = [] if run.search is None else overview(run.search)
        body += _shown(chapter, figures)
        heading = f"Run {number}: {run_name(run)} (ofa {run.job}, {supernet_name(run)})"
        parts = [element("summary", heading), element("p", _said(run), class_="muted")]
        found.below.append(element("details", [*parts, *body, *origin(run)], class_="run"))
    return found


def _shown(chapter: Chapter, figures: Sequence[Figure]) -> list[Markup]:
    """What a run found, with those of its figures that fit."""
    run, search = chapter.run, chapter.run.search
    if search is None:
        body = _listed(chapter, figures)
    else:
        body = searched(search, figures, chapter.networks)
    if len(figures) < len(chapter.figures):
        said = f"Figures that are too long for one page: {run.folder / PLOTS}"
        body.append(element("p", said, class_="muted"))
    return body


def _fitting(chapter: Chapter, left: int) -> tuple[list[Figure], int]:
    """Figures that are not too long, and how many bytes are left for others."""
    found = []
    for figure in chapter.figures or figures_of(chapter.run):
        size = figure.file.stat().st_size if figure.file.is_file() else 0
        if size <= left:
            found.append(figure)
            left -= size
    return found, left


def _differences(chapters: Sequence[Chapter]) -> Iterator[str]:
    """What makes numbers of different runs hard to compare."""
    data = data_sets(c.run for c in chapters)
    if len(data) > 1:
        yield (
            f"Accuracies are of different data sets: {', '.join(data.values())}. They do not "
            "compare: each has its own axis, its own bound and its own best."
        )
    if bare := [run_name(c.run) for c in chapters if unmeasured(c.points)]:
        yield f"{', '.join(bare)}: {UNMEASURED[0].lower()}{UNMEASURED[1:]}"
    if any(isinstance(c.run.result, Mapping) and c.run.result.get("untrained") for c in chapters):
        yield "Some accuracies were measured with untrained weights: they mean nothing."


# --------------------------------------------------------------------------- other jobs


def _listed(chapter: Chapter, figures: Sequence[Figure]) -> list[Markup]:
    """Another job's result: its figures, its networks, its tables, and the rest by name."""
    run, result = chapter.run, chapter.run.result
    body = [figure_of(figure) for figure in figures]
    tables = tables_of(result)
    body += listed_tables(tables, verdicts_of(result))
    if chapter.points:
        record = SearchRecord(supernet_name(run), tuple(chapter.points))
        body += [element("h2", "Its networks, as a table"), front_table(record, "")]
        result = {k: v for k, v in result.items() if not _are_records(v)}
    rest = plain_facts(result) if tables else result
    return [*body, element("h2", "Result"), _result(rest)]


def _are_records(value: object) -> bool:
    """A list of objects: what the table of the networks shows better."""
    return isinstance(value, list) and any(isinstance(v, Mapping) for v in value)


def _result(result: Any) -> Markup:
    if isinstance(result, dict):
        return facts(result)
    return element("pre", json.dumps(result, indent=1, ensure_ascii=False)[:100_000])
