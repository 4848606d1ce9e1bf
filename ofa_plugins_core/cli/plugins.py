"""``ofa plugins``: which there are, whether they keep the laws, and new ones."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ofa_plugins_core.cli.matrix import try_matrix
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from ofa_plugins_core.blame import Plugin
    from ofa_plugins_core.testing.checking import Finding

app: Final = typer.Typer(
    help="List, check or start plugins.",
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
)

PIPED: Final = 160
"""Columns where the output is no terminal."""

MOST_NAMES: Final = 12
"""Of one kind that are listed: a plugin may know a hundred published files."""

COLOURS: Final = {"loaded": "green", "blocked": "dim", "conflict": "yellow"}
COLOURS_OF: Final = {"broken": "red", "does not apply": "dim"}
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON, on stdout.")]

app.command("matrix")(try_matrix)


@app.command("list")
def list_plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """List every plugin with its state and what it offers."""
    session: Session = context.obj
    found = session.host().plugins
    if as_json:
        _print_json([described(plugin) for plugin in found])
        return
    _print_plugins(_console(), found)


def described(plugin: Plugin) -> dict[str, Any]:
    """A plugin as JSON, with every kind of offer, also where there is none."""
    from ofa_plugins_core.hookspecs import KINDS

    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "state": plugin.state,
        "error": plugin.error,
        "offers": {kind: plugin.offers.get(kind, []) for kind in KINDS},
    }


@app.command("check")
def check_plugin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As `ofa plugins list` names it.")],
    offer: Annotated[
        str,
        typer.Option("--offer", metavar="NAME", help="Only this offer, or offers of this kind."),
    ] = "",
    law: Annotated[
        str, typer.Option("--law", metavar="WORDS", help="Only laws with these words.")
    ] = "",
    every: Annotated[
        bool, typer.Option("--laws", help="List every law, not only broken ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Try on everything that a plugin offers whether it does what its seam asks for."""
    from ofa_plugins_core.cli.output import Teller
    from ofa_plugins_core.errors import PluginError
    from ofa_plugins_core.testing.checking import checked

    session: Session = context.obj
    teller = Teller()
    found: list[Finding] = []
    try:
        found.extend(checked(session.host(), name, teller, law=law, offer=offer))
    finally:  # Ctrl-C, too: what was found is told
        teller.close()
        broken = [f for f in found if f.outcome == "broken"]
        if found and as_json:
            findings = [f.as_dict() for f in found]
            _print_json({"name": name, "passed": not broken, "findings": findings})
        elif found:
            _print_findings(_console(), found, every=every or bool(law))
    if broken:
        raise PluginError(f"plugin {name!r}: {counted(len(broken), 'law')} broken")


@app.command("new")
def new_plugin(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the plugin and its package: energy")],
    kind: Annotated[str, typer.Option("--kind", help="What it offers: cost_model, job, …")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Folder to make; else ./NAME")
    ] = None,
) -> None:
    """Write a new plugin: complete, installable, with a test that passes."""
    from ofa_plugins_core.scaffold import OFFERED, mixed, write_plugin

    session: Session = context.obj
    host = session.host()
    taken = {p.name: "a plugin has it" for p in host.plugins}
    for entry in host.entries(OFFERED[kind]) if kind in OFFERED else ():
        taken.setdefault(entry.name, f"{host.owner(OFFERED[kind], entry.name).label} offers it")
    folder = out if out is not None else Path(name)
    written = write_plugin(name, kind, folder, taken)
    console = _console()
    for path in written:
        console.print(Text(f"  {path}", "dim"))
    console.print("next:")
    install = f"pip install -e {quote(f'{folder}[test]')}"
    for line in (install, f"pytest {quote(str(folder))}", f"ofa plugins check {name}"):
        console.print(Text(f"  {line}"), soft_wrap=True)
    for line in mixed(name, kind):
        console.print(Text(f"  {line}"), soft_wrap=True)


def _console() -> Console:
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPED)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _print_plugins(console: Console, plugins: list[Plugin]) -> None:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("plugin", "version", "state", "offers"):
        table.add_column(title, no_wrap=title != "offers")
    for plugin in plugins:
        state = Text(plugin.state, COLOURS.get(plugin.state, "red"))
        table.add_row(Text(plugin.name, "cyan"), plugin.version, state, Text(_offers(plugin)))
    console.print(table)
    for error in dict.fromkeys(p.error for p in plugins if p.error and p.state != "blocked"):
        console.print(Text(error, "red"), soft_wrap=True)


def _offers(plugin: Plugin) -> str:
    parts = [f"{kind.replace('_', ' ')}: {_folded(names)}" for kind, names in plugin.offers.items()]
    return "; ".join(parts) or "-"


def _folded(names: list[str]) -> str:
    """The names, or the first of very many."""
    if len(names) <= MOST_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:4])} and {len(names) - 4} more"


def _print_findings(console: Console, found: list[Finding], *, every: bool) -> None:
    """Counts an offer; then why laws do not apply, and what is broken, which is read last."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("offer", "laws that hold", "broken", "do not apply"):
        table.add_column(title, justify="left" if title == "offer" else "right")
    for kind, offer in dict.fromkeys((f.kind, f.name) for f in found):
        counts = Counter(f.outcome for f in found if (f.kind, f.name) == (kind, offer))
        numbers = (str(counts[o]) for o in ("holds", "broken", "does not apply"))
        table.add_row(Text(f"{kind}: {offer}"), *numbers)
    console.print(table)
    if every:
        for finding in found:
            console.print(
                Text(finding.in_words, COLOURS_OF.get(finding.outcome, "")), soft_wrap=True
            )
        return
    tried = {(f.kind, f.name) for f in found if f.outcome != "does not apply"}
    untried = [f for f in found if (f.kind, f.name) not in tried and f.kind != "plugin"]
    for finding in untried:
        line = f"{finding.kind}: {finding.name}: no law was tried: {finding.message}"
        console.print(Text(line, "yellow"), soft_wrap=True)
    apart = Counter((f.kind, f.message) for f in found if f.outcome == "does not apply")
    apart -= Counter((f.kind, f.message) for f in untried)
    for (kind, message), count in apart.items():
        console.print(Text(f"{kind}: {count} do not apply: {message}", "dim"), soft_wrap=True)
    for finding in found:
        if finding.outcome == "broken":
            console.print(Text(finding.in_words, "red"), soft_wrap=True)
