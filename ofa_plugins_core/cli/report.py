"""``ofa report RUN``: a readable page of a run, with its plots."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from attrs import frozen

from ofa_plugins_core import runs
from ofa_plugins_core.blame import attempt
from ofa_plugins_core.cli import output
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.errors import MissingExtraError, OfaError, UsageError
from ofa_plugins_core.report.drawing import Figure, draw_run
from ofa_plugins_core.report.listed import drawn_figures
from ofa_plugins_core.report.networks import Network, networks_of
from ofa_plugins_core.report.page import page
from ofa_plugins_core.report.results import Run, SearchRecord, read_run
from ofa_plugins_core.report.summary import summary
from ofa_plugins_core.report.sweeps import read_published
from ofa_plugins_core.values import Constraint, parse_constraint

app: Final = typer.Typer(add_completion=False, rich_markup_mode=None)

PAGE: Final = "report.html"


@frozen
class Wanted:
    """What the page should hold beyond its tables.

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
        Path, typer.Argument(metavar="RUN", help="A run's folder, as `ofa run … --out` made it.")
    ],
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
    """Write RUN/report.html with its plots, and a summary to the terminal."""
    session: Session = context.obj
    found = read_run(run)
    wanted = Wanted(networks, tuple(beside or ()), published, _bound(limit), png, plots)
    made = _made(session, found, wanted)
    if as_json:
        files = [str(f.file) for f in made.figures]
        output.write_json({"run": str(run), "page": str(run / PAGE), "plots": files})
    else:
        output.write_tables(summary(found))
        output.console().print(f"page: {run / PAGE}", soft_wrap=True)
    if made.lacking is None:
        return
    if png or plots:
        raise made.lacking
    output.console().print(f"note: {_no_plots(made.lacking)}", soft_wrap=True)


def _bound(text: str | None) -> float | None:
    if text is None:
        return None
    found = parse_constraint(f"limit<={text}")
    if not isinstance(found, Constraint):
        raise UsageError(f"--limit takes one bound, found {text!r}")
    return found.bound


@frozen
class Made:
    """What was drawn, and the extra without which nothing was."""

    figures: tuple[Figure, ...]
    lacking: MissingExtraError | None = None


def _made(session: Session, run: Run, wanted: Wanted) -> Made:
    """Draw and write the page; without matplotlib the page has tables alone, and says so."""
    notes: list[str] = []
    lacking: MissingExtraError | None = None
    figures: list[Figure] = []
    networks: list[Network] = []
    beside = [_sweep(folder) for folder in wanted.beside]
    if wanted.plots is not False:
        networks = _networks(session, run, wanted.networks, notes)
        try:
            figures = _figures(run, networks, beside, wanted) or _drawn(session, run)
        except MissingExtraError:
            lacking = MissingExtraError("drawing plots", "ofa-plugins-core", "plot")
            notes.append(_no_plots(lacking))
    text = page(run, figures, networks, notes)
    runs.write(run.folder / PAGE, text)
    return Made(tuple(figures), lacking)


def _no_plots(lacking: MissingExtraError) -> str:
    return f"No plots: {lacking.message}; {lacking.advice}"


def _sweep(folder: Path) -> SearchRecord:
    found = read_run(folder).search
    if found is None:
        raise UsageError(f"{folder} is no run of a search")
    return found


def _networks(session: Session, run: Run, most: int, notes: list[str]) -> list[Network]:
    """Networks to draw; where their plugin is missing the page goes without, and says so."""
    try:
        return networks_of(session.host(), run, most)
    except OfaError as error:
        notes.append(f"No picture of the network: {error.message}")
        output.console().print(f"note: {notes[-1]}", soft_wrap=True)
        return []


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
