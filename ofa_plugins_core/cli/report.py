"""``ofa report RUN [RUN …]``: runs as one page to look at, with their plots."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from attrs import field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.blame import attempt
from ofa_plugins_core.cli import output
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.errors import InputError, MissingExtraError, OfaError, UsageError
from ofa_plugins_core.report.anatomy import anatomy_of
from ofa_plugins_core.report.drawing import Figure, draw_run
from ofa_plugins_core.report.embedded import Drawable
from ofa_plugins_core.report.listed import drawn_figures
from ofa_plugins_core.report.networks import Network, networks_of
from ofa_plugins_core.report.page import GENERATOR, Chapter, page
from ofa_plugins_core.report.points import points_of
from ofa_plugins_core.report.results import Run, SearchRecord, read_run
from ofa_plugins_core.report.summary import summary_of
from ofa_plugins_core.report.sweeps import read_published
from ofa_plugins_core.values import Constraint, parse_constraint

app: Final = typer.Typer(add_completion=False, rich_markup_mode=None)

PAGE: Final = "report.html"
ALL_ROWS: Final = 10_000
"""Tables come shortened already, where they may be, and say where more is."""


@frozen
class Wanted:
    """What is drawn beside what the page draws itself.

    Attributes:
        networks: how many networks are drawn.
        beside: folders of further sweeps.
        published: file of published points, or None.
        limit: of a second figure of the sweeps.
        png: draw PNG files, too.
        plots: draw at all; None: where matplotlib is installed.
    """

    networks: int
    beside: tuple[Path, ...]
    published: Path | None
    limit: float | None
    png: bool
    plots: bool | None


@app.command()
def report(
    context: typer.Context,
    run: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders, as `ofa run … --out` made them."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="The page; default: RUN/report.html, of several ./report.html.",
        ),
    ] = None,
    networks: Annotated[
        int, typer.Option("--networks", min=0, help="Draw so many of the best networks.")
    ] = 1,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--beside", metavar="RUN", help="Another sweep for one figure; repeatable."),
    ] = None,
    published: Annotated[
        Path | None, typer.Option("--published", metavar="FILE", help="Published points, as JSON.")
    ] = None,
    limit: Annotated[
        str | None,
        typer.Option("--limit", metavar="BOUND", help="A second figure of sweeps ends here: 400k."),
    ] = None,
    png: Annotated[bool, typer.Option("--png", help="Draw PNG files, too.")] = False,
    plots: Annotated[
        bool | None,
        typer.Option("--plots/--no-plots", help="Draw at all; needs the extra [plot]."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON, on stdout.")] = False,
) -> None:
    """Write runs as one HTML page: their networks to explore and compare, plots, tables, origin.

    The page is one file, works without a network and without a server, and is readable without its
    script. Runs of different jobs and supernets share their axes.
    """
    session: Session = context.obj
    found = _read(run)
    wanted = Wanted(networks, tuple(beside or ()), published, _bound(limit), png, plots)
    file = _page_file(run, out)
    made = _made(session, found, wanted)
    text = page(made.chapters, made.notes)
    runs.write(file, text)
    if as_json:
        output.write_json(_as_json(run, file, text, made))
    else:
        output.write_tables(summary_of(found), most_rows=ALL_ROWS)
        output.console().print(f"page: {file}", soft_wrap=True)
    if made.lacking is not None:
        if png or plots:
            raise made.lacking
        output.console().print(f"note: {_no_plots(made.lacking)}", soft_wrap=True)


def _as_json(folders: Sequence[Path], file: Path, text: str, made: Made) -> dict[str, Any]:
    """What was read and written; ``run`` is the first of ``runs``."""
    names = [str(folder) for folder in folders]
    plots = [str(figure.file) for chapter in made.chapters for figure in chapter.figures]
    said = {"run": names[0], "runs": names, "page": str(file), "bytes": len(text.encode())}
    return {**said, "plots": plots}


def _read(folders: Sequence[Path]) -> list[Run]:
    """Runs, each once.

    Raises:
        UsageError: one of several has no networks to compare, or is named twice.
        InputError: one is missing or broken.
    """
    found = [read_run(folder) for folder in folders]
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise UsageError("a run is named twice")
    for run in found if len(found) > 1 else ():
        if not points_of(run) and (run.search is None or not run.search.missed):
            raise UsageError(
                f"{run.folder} is a run of {run.job!r}: it has no networks to compare",
                advice=f"report it by itself: ofa report {run.folder}",
            )
    return found


def _page_file(folders: Sequence[Path], out: Path | None) -> Path:
    """Where the page goes; nothing is written over but a page of ours.

    Raises:
        InputError, UsageError: the place is a folder or in none, or another file is there.
    """
    if out is None:
        out = folders[0] / PAGE if len(folders) == 1 else Path(PAGE)
    if out.is_dir():
        raise InputError(f"{out} is a folder", advice=f"name a file: --out {out / PAGE}")
    if not out.parent.is_dir():
        raise InputError(
            f"there is no folder {out.parent} for the page",
            advice=f"make it, or name another: mkdir -p {shlex.quote(str(out.parent))}",
        )
    if out.exists() and f'content="{GENERATOR}"' not in _start(out):
        raise UsageError(
            f"{out} exists already, and is no page of ofa report", advice="choose another --out"
        )
    return out


def _start(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return content.read(2000).decode("utf-8", "replace")
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror or error}") from error


def _bound(text: str | None) -> float | None:
    if text is None:
        return None
    found = parse_constraint(f"limit<={text}")
    if not isinstance(found, Constraint):
        raise UsageError(f"--limit takes one bound, found {text!r}")
    return found.bound


@frozen(eq=False)
class Made:
    """What a page is made of, what its reader should know, and the extra that was missing."""

    chapters: list[Chapter] = field(factory=list)
    notes: list[str] = field(factory=list)
    lacking: MissingExtraError | None = None


def _made(session: Session, found: Sequence[Run], wanted: Wanted) -> Made:
    """Draw every run; without matplotlib the page has no plots, and says so."""
    chapters: list[Chapter] = []
    notes: list[str] = []
    lacking: MissingExtraError | None = None
    beside = [_sweep(folder) for folder in wanted.beside]
    for number, run in enumerate(found):
        drawable = _drawable(session, run, notes)
        networks: list[Network] = []
        figures: list[Figure] = []
        if wanted.plots is not False and lacking is None:
            if not drawable.lacking:
                networks = networks_of(session.host(), run, wanted.networks)
            try:
                others = beside if number == 0 else []
                figures = _figures(run, networks, others, wanted) or _drawn(session, run)
            except MissingExtraError:
                lacking = MissingExtraError("drawing plots", "ofa-plugins-core", "plot")
                notes.append(_no_plots(lacking))
        chapters.append(Chapter(drawable, figures, networks))
    return Made(chapters, notes, lacking)


def _drawable(session: Session, run: Run, notes: list[str]) -> Drawable:
    """A run with its networks and what they are made of; where their plugin is missing the page
    goes without, and says so."""
    points = points_of(run)
    try:
        return Drawable(run, points, anatomy_of(session.host(), run, points))
    except OfaError as error:
        notes.append(f"No picture of the network: {error.message}")
        output.console().print(f"note: {notes[-1]}", soft_wrap=True)
        return Drawable(run, points, lacking=error.message)


def _no_plots(lacking: MissingExtraError) -> str:
    return f"No plots: {lacking.message}; {lacking.advice}"


def _sweep(folder: Path) -> SearchRecord:
    found = read_run(folder).search
    if found is None:
        raise UsageError(f"{folder} is no run of a search")
    return found


def _drawn(session: Session, run: Run) -> list[Figure]:
    """What the run's job draws of it, where its plugin is here."""
    if run.search is not None:
        return []
    host = session.host()
    entry = next((e for e in host.entries("jobs") if e.name == run.job), None)
    if entry is None or entry.draw is None:
        return []
    owner = host.owner("jobs", run.job)
    what = f"draw() of the job {run.job!r}"
    return drawn_figures(run, attempt(owner, what, lambda: list(entry.draw(run.folder))))


def _figures(
    run: Run, networks: list[Network], beside: list[SearchRecord], wanted: Wanted
) -> list[Figure]:
    published: Any = read_published(wanted.published) if wanted.published else ()
    suffixes = (".svg", ".png") if wanted.png else (".svg",)
    return draw_run(
        run, networks, beside=beside, published=published, limit=wanted.limit, suffixes=suffixes
    )
