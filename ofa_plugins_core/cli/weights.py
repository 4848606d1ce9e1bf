"""``ofa weights``: published files of weights, listed, fetched, added, checked and converted."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from ofa_plugins_core.cli.output import Rows, Teller
    from ofa_plugins_core.errors import InputError
    from ofa_plugins_core.weights.registry import Known
    from ofa_plugins_core.weights.verifying import Verdict

app: Final = typer.Typer(
    help="Published files of weights: list, fetch, add, verify, convert.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON, on stdout.")]
Of = Annotated[str | None, typer.Option("--supernet", metavar="NAME", help="Only this one's.")]


@app.command("list")
def list_weights(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]…", help="Names, or patterns such as 'note10_*'."),
    ] = None,
    supernet: Of = None,
    as_json: AsJson = False,
) -> None:
    """List every file that is known, and where it lies."""
    from ofa_plugins_core.weights import cache, registry

    host = _session(context).host()
    files = registry.chosen(host, names) if names else registry.known(host)
    if supernet is not None:
        owner = host.supernet(supernet).name
        files = [file for file in files if file.supernet == owner]
    if as_json:
        _print_json([file.as_dict() for file in files])
        return
    shown = files if names else [file for file in files if "/" not in file.name or file.path]
    _print_tables([_table_of(shown, cache.folder())])
    if len(shown) < len(files):
        _print_line(f"{len(files) - len(shown)} more lie in folders: ofa weights list '*/*'")


@app.command("fetch")
def fetch_weights(
    context: typer.Context,
    names: Annotated[
        list[str], typer.Argument(metavar="NAME…", help="Of files or supernets; patterns.")
    ],
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Also what is cached, whatever hash it had before."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring published files into the cache; an interrupted one goes on where it stopped."""
    from ofa_plugins_core.errors import InputError
    from ofa_plugins_core.weights import fetching, registry

    files = registry.chosen(_session(context).host(), names)
    failures: list[InputError] = []
    with _telling() as teller:
        for file in files:
            try:
                if file.entry is not None:
                    fetching.fetch(file.entry, teller, anew=anew)
            except InputError as error:
                failures.append(error)
                if len(files) > 1:
                    _tell(error)
    _show(_again(context, files), as_json)
    if failures:
        raise _summed(failures, len(files))


@app.command("add")
def add_weights(
    context: typer.Context,
    path: Annotated[
        str, typer.Argument(metavar="FILE|FOLDER", help="A folder: its files of published names.")
    ],
    name: Annotated[
        str | None, typer.Option("--name", help="Under which a file is kept; else its own.")
    ] = None,
    supernet: Annotated[
        str | None,
        typer.Option("--supernet", metavar="NAME", help="Whose weights, for a name of your own."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy files that you have into the cache, as if they had been fetched."""
    from ofa_plugins_core.weights import adding, registry

    host = _session(context).host()
    with _telling() as teller:
        found = adding.add(host, Path(path), name=name, supernet=supernet, listener=teller)
    _show(registry.chosen(host, [record.name for record in found]), as_json)


@app.command("verify")
def verify_weights(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="All that is cached, if none.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check whether cached files are still what they were."""
    import attrs

    from ofa_plugins_core.errors import InputError
    from ofa_plugins_core.weights import registry, verifying

    host = _session(context).host()
    files = registry.chosen(host, names) if names else registry.known(host)
    with _telling() as teller:
        found = verifying.verify([f for f in files if names or f.is_here], teller)
    if as_json:
        _print_json([attrs.asdict(verdict) for verdict in found])
    else:
        _print_tables([_verdicts(found)])
    broken = [verdict.name for verdict in found if not verdict.whole]
    if broken:
        raise InputError(
            f"not whole: {', '.join(broken)}",
            advice=f"bring them again: ofa weights fetch --anew {' '.join(broken)}",
        )


@app.command("convert")
def convert_weights(
    context: typer.Context,
    source: Annotated[str, typer.Argument(metavar="IN", help="A file, or a name of the list.")],
    target: Annotated[
        str, typer.Argument(metavar="OUT", help="Ends in .safetensors, or else torch's format.")
    ],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="new|old|safetensors|torch", help="Layout, or format."),
    ] = None,
    supernet: Annotated[
        str | None, typer.Option("--supernet", metavar="NAME", help="Whose weights IN holds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write weights in another layout or format, checked by the network that they are of."""
    from ofa_plugins_core.cli.converting import convert

    with _telling() as teller:
        done = convert(
            _session(context).host(), source, Path(target), to=to, supernet=supernet, tell=teller
        )
    if as_json:
        _print_json(done)
        return
    rows = [(k, "not named" if v is None else str(v)) for k, v in done.items()]
    _print_tables([("", ("", ""), rows)])


def _session(context: typer.Context) -> Session:
    session: Session = context.obj
    return session


@contextmanager
def _telling() -> Iterator[Teller]:
    from ofa_plugins_core.cli.output import Teller

    teller = Teller()
    try:
        yield teller
    finally:
        teller.close()


def _again(context: typer.Context, files: Sequence[Known]) -> list[Known]:
    """The same files, as they are now."""
    from ofa_plugins_core.weights import registry

    return registry.chosen(_session(context).host(), [file.name for file in files])


def _tell(error: InputError) -> None:
    advice = f"\n     {error.advice}" if error.advice else ""
    sys.stderr.write(f"ofa: {error.message}{advice}\n")


def _summed(failures: Sequence[InputError], count: int) -> InputError:
    """The one error of a single file; of several, each has been told already."""
    from ofa_plugins_core.errors import InputError

    if count == 1:
        return failures[0]
    return InputError(f"{len(failures)} of {count} files could not be fetched")


def _show(files: Sequence[Known], as_json: bool) -> None:
    """What became of some files; paths on stdout, for people too."""
    if as_json:
        _print_json([file.as_dict() for file in files])
        return
    for file in files:
        if file.path is not None:
            sys.stdout.write(f"{file.path}\n")


def _print_line(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _print_json(value: Any) -> None:
    import json

    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _print_tables(tables: Sequence[Rows]) -> None:
    """Tables on stdout: they are what the user asked for."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ofa_plugins_core.cli.output import width

    console = Console(highlight=False, emoji=False, markup=False, width=width(sys.stdout))
    for title, columns, rows in tables:
        table = Table(
            box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=any(columns),
            header_style="dim",
        )  # fmt: skip
        for number, column in enumerate(columns):
            table.add_column(column, no_wrap=number < len(columns) - 1, overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        if title:
            console.print(Text(title), soft_wrap=True)
        console.print(table if rows else "nothing")


def _table_of(files: Sequence[Known], folder: Path) -> Rows:
    cached = sum(file.path is not None for file in files)
    rows = [
        (f.name, f.supernet, f.layout, _size(f.as_dict()["size"]), f.state, f.as_dict()["source"])
        for f in files
    ]
    title = f"{counted(len(files), 'file')}, {cached} of them cached in {folder}"
    return title, ("file", "supernet", "layout", "size", "state", "source"), rows


def _size(count: int | None) -> str:
    return "-" if count is None else f"{count / 1e6:.1f} MB"


def _verdicts(found: Sequence[Verdict]) -> Rows:
    return "", ("file", "verdict"), [(verdict.name, verdict.what) for verdict in found]
