"""``ofa plugins matrix``: everything that the plugins offer, tried with everything."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ofa_plugins_core.cli.session import Session

if TYPE_CHECKING:
    from ofa_plugins_core.composing.axes import Axes
    from ofa_plugins_core.composing.matrix import Matrix
    from ofa_plugins_core.host import Host

INTERRUPTED = 130
FILE = "matrix.json"
Names = list[str] | None


def _only(what: str) -> Any:
    return typer.Option(f"--{what}", metavar="NAME", help=f"Only this {what}; repeatable.")


def try_matrix(
    context: typer.Context,
    supernet: Annotated[Names, _only("supernet")] = None,
    cost: Annotated[Names, _only("cost")] = None,
    predictor: Annotated[Names, _only("predictor")] = None,
    searcher: Annotated[Names, _only("searcher")] = None,
    policy: Annotated[Names, _only("policy")] = None,
    parallel: Annotated[int, typer.Option(help="Processes at once.", metavar="N")] = 1,
    seed: Annotated[int, typer.Option(help="Of every random choice.")] = 0,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Folder for matrix.json.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what --out holds.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the grids as a page, too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON, on stdout.")] = False,
) -> None:
    """Try every supernet with every cost, predictor, searcher and runtime policy, small."""
    from ofa_plugins_core.composing.axes import Asked, axes_of

    host = context.obj.host()
    asked = {
        "supernets": supernet,
        "costs": cost,
        "predictors": predictor,
        "searchers": searcher,
        "policies": policy,
    }
    axes = axes_of(host, Asked(**{name: tuple(names or ()) for name, names in asked.items()}))
    matrix = _tried(context.obj, axes, seed, parallel, out, resume)
    _keep(matrix, out, markdown)
    _show(matrix, as_json)
    _end(matrix)


def _tried(
    session: Session, axes: Axes, seed: int, parallel: int, out: Path | None, resume: bool
) -> Matrix:
    """The matrix, also where it was interrupted, as long as anything is known."""
    import os
    import time

    from ofa_plugins_core import runs
    from ofa_plugins_core.cli.output import Teller
    from ofa_plugins_core.composing.matrix import matrix_of
    from ofa_plugins_core.composing.working import try_all
    from ofa_plugins_core.errors import UsageError

    if resume and out is None:
        raise UsageError("--resume needs the --out to go on with")
    if out is not None:
        runs.check_out(out, resume)
    host, teller, started = session.host(), Teller(), time.monotonic()
    try:
        known = try_all(
            host,
            axes,
            seed=seed,
            processes=parallel,
            out=out,
            resume=resume,
            versions=_versions(host),
            listener=teller,
        )
    finally:
        teller.close()
    if not known.cells:
        raise KeyboardInterrupt
    about = runs.about(host, session.command, seed, time.monotonic() - started)
    about["cores"] = os.cpu_count()
    return matrix_of(axes, known.cells, known.pairs, about, known.interrupted)


def _versions(host: Host) -> dict[str, str]:
    return {p.name: p.version for p in host.plugins if p.state == "loaded"}


def _keep(matrix: Matrix, out: Path | None, markdown: Path | None) -> None:
    import json

    from ofa_plugins_core import runs

    if out is not None:
        text = json.dumps(matrix.as_json(), ensure_ascii=False, indent=1)
        runs.write(out / FILE, text + "\n")
    if markdown is not None:
        from ofa_plugins_core.composing.page import markdown as page

        runs.write(markdown, page(matrix))


def _show(matrix: Matrix, as_json: bool) -> None:
    import sys

    from ofa_plugins_core.cli.output import write_json, write_tables
    from ofa_plugins_core.composing.page import summary, tables

    if as_json:
        write_json(matrix.as_json())
    else:
        write_tables(tables(matrix), most_rows=10_000)
    sys.stderr.write(f"{summary(matrix)}\n")


def _end(matrix: Matrix) -> None:
    """The exit code: interrupted, or something is broken.

    Raises:
        PluginError: something is broken.
        Exit: it was interrupted.
    """
    from ofa_plugins_core.composing.faults import faults
    from ofa_plugins_core.errors import PluginError
    from ofa_plugins_core.words import counted

    if wrong := faults(matrix):
        more = f" (and {counted(len(wrong) - 1, 'more fault')})" if len(wrong) > 1 else ""
        raise PluginError(f"broken: {wrong[0].where}: {wrong[0].text}{more}")
    if matrix.interrupted:
        raise typer.Exit(INTERRUPTED)
