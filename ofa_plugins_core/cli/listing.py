"""``ofa list`` and ``ofa show``: what the plugins offer."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ofa_plugins_core.cli.output import width
from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.hookspecs import KINDS
from ofa_plugins_core.report.offers import (
    Offered,
    OfferFacts,
    kind_of,
    offer_facts,
    offers,
    singular,
)
from ofa_plugins_core.report.supernets import CostRange, SupernetFacts, supernet_facts
from ofa_plugins_core.report.words import full, short

list_app: Final = typer.Typer(add_completion=False, rich_markup_mode=None)
show_app: Final = typer.Typer(add_completion=False, rich_markup_mode=None)

AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON, on stdout.")]


@list_app.command()
def list_offers(
    context: typer.Context,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="supernets, costs, predictors, searchers, jobs, …"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what the plugins offer: everything, or one kind."""
    session: Session = context.obj
    found = offers(session.host(), kind)
    _warn_of_absent(session)
    if as_json:
        print_json([o.as_dict() for o in found])
        return
    console = _console()
    if not found:
        console.print("nothing is offered")
    for name in dict.fromkeys(o.kind for o in found):
        _print_kind(console, name, [o for o in found if o.kind == name])


@show_app.command()
def show_offer(
    context: typer.Context,
    kind: Annotated[
        str | None,
        typer.Argument(metavar="KIND", help="supernet, cost, predictor, searcher, job, …"),
    ] = None,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME", help="As `ofa list KIND` names it; or a supernet's YAML file."
        ),
    ] = None,
    as_json: AsJson = False,
    as_built: Annotated[
        bool,
        typer.Option("--as-built", help="Costs of the network that is really extracted."),
    ] = False,
) -> None:
    """Show one offer: a supernet with its counts and costs, anything else with its options."""
    session: Session = context.obj
    if kind is None:
        kinds = ", ".join(singular(k) for k in KINDS)
        raise UsageError("ofa show needs a KIND and a NAME", advice=f"kinds: {kinds}")
    if name is None:
        known = ", ".join(o.name for o in offers(session.host(), kind)) or "none"
        raise UsageError(f"ofa show {kind} needs a NAME", advice=f"known: {known}")
    if kind_of(kind) == "supernets":
        facts = supernet_facts(session.host(), name, as_built=as_built)
        for cost, reason in facts.left_out.items():
            _tell(f"cost {cost!r} is left out: {reason}")
        print_json(facts.as_dict()) if as_json else _print_supernet(_console(), facts)
        return
    if as_built:
        raise UsageError("--as-built is about a supernet's costs")
    found = offer_facts(session.host(), kind, name)
    print_json(found.as_dict()) if as_json else _print_offer(_console(), found)


def print_json(value: Any) -> None:
    """One JSON value on stdout, by itself."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def _console() -> Console:
    return Console(highlight=False, width=width(sys.stdout))


def _tell(line: str) -> None:
    sys.stderr.write(f"ofa: {line}\n")


def _warn_of_absent(session: Session) -> None:
    """A plugin that takes no part is named, so that nobody looks for its offers in vain."""
    for plugin in session.host().states():
        if plugin.state not in ("loaded", "blocked"):
            _tell(f"{plugin.state}: {plugin.error}")


def _print_kind(console: Console, kind: str, found: Sequence[Offered]) -> None:
    table = _grid()
    for offered in found:
        also = f" (also: {', '.join(offered.aliases)})" if offered.aliases else ""
        table.add_row(
            Text(f"  {offered.name}", "cyan"),
            Text(offered.plugin, "dim"),
            Text.assemble(offered.summary, (also, "dim")),
        )
    console.print(Text(kind, "bold"))
    console.print(table)


def _grid(*columns: str) -> Table:
    """A table without lines; with a head row where columns are named."""
    table = Table(
        box=None,
        show_header=bool(columns),
        padding=(0, 2, 0, 0),
        pad_edge=False,
        header_style="dim",
    )
    for number, name in enumerate(columns):
        table.add_column(Text(name), justify="left" if number == 0 else "right", no_wrap=True)
    if not columns:
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column()
    return table


def _print_supernet(console: Console, facts: SupernetFacts) -> None:
    origin = f" · plugin {facts.plugin}" if facts.plugin else ""
    console.print(Text.assemble((facts.name, "bold cyan"), origin))
    console.print(Text(facts.summary))
    if facts.aliases:
        console.print(Text(f"also: {', '.join(facts.aliases)}", "dim"))
    console.print()
    console.print(Text(f"networks     {facts.networks:,} distinct ones at each resolution"))
    console.print(Text(f"resolutions  {_run(facts.resolutions)} pixels"))
    for key, dimension in facts.dimensions.items():
        console.print(Text(f"{key:<12} {_dimension_line(dimension)}"))
    console.print()
    console.print(_cost_table(facts.costs))
    title = "costs of the network that is really extracted (--as-built)" if facts.as_built else ""
    for line in (title, "" if facts.as_built else facts.note or ""):
        if line:
            console.print(Text(line, "yellow"))


def _run(sizes: Sequence[int]) -> str:
    """``128 to 224 in steps of 4``, or the list."""
    steps = {b - a for a, b in pairwise(sizes)}
    if len(sizes) > 8 and len(steps) == 1:
        return f"{sizes[0]} to {sizes[-1]} in steps of {steps.pop()}"
    return ", ".join(map(str, sizes))


def _dimension_line(dimension: Any) -> str:
    options = ", ".join(f"{o:g}" for o in dimension["options"])
    entries = f"{dimension['entries']} entries of {options}"
    if dimension.get("fixed"):
        return f"{entries}: fixed"
    if "together_with" in dimension:
        return f"{entries}: only some with {' and '.join(dimension['together_with'])}"
    if "follows" in dimension:
        return f"{entries}: follow {' and '.join(dimension['follows'])}"
    return f"{entries}, not everywhere all" if "options_by_entry" in dimension else entries


def _cost_table(costs: Iterable[CostRange]) -> Table:
    table = _grid("cost", "least", "at px", "most", "at px", "unit")
    table.columns[-1].justify = "left"
    for cost in costs:
        source = f" ({cost.kind}, {cost.source})" if cost.source else f" ({cost.kind})"
        table.add_row(
            Text(cost.name, "cyan"),
            f"{full(cost.least.value)}",
            Text(f"{cost.least.image_size}", "dim"),
            f"{full(cost.most.value)}",
            Text(f"{cost.most.image_size}", "dim"),
            Text.assemble(cost.unit, (source, "dim")),
        )
    return table


def _print_offer(console: Console, facts: OfferFacts) -> None:
    offered = facts.offered
    console.print(Text.assemble((offered.name, "bold cyan"), f" · plugin {offered.plugin}"))
    console.print(Text(offered.summary))
    for key, value in facts.details.items():
        if value and key != "fitted":
            console.print(Text(f"{key}: {_words(value)}"))
    for fit in facts.details.get("fitted", ()):
        kind = ", an extrapolation" if fit["extrapolation"] else ""
        console.print(
            Text(f"fitted for {fit['supernet']} on {fit['dataset']}{kind}: {fit['origin']}")
        )
    _print_settings(console, facts)


def _words(value: Any) -> str:
    """A device's description in a line; anything else as it is."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {text}" for name, text in value.items())
    return str(value)


def _print_settings(console: Console, facts: OfferFacts) -> None:
    console.print()
    if not facts.settings:
        console.print(Text("no options", "dim"))
        return
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for name in ("option", "type", "default", "what it does"):
        table.add_column(name, no_wrap=name == "option")
    for setting in facts.settings:
        default = "required" if setting.required else _shown(setting.default)
        table.add_row(
            Text(setting.name, "cyan"), Text(setting.type), Text(default), Text(setting.help)
        )
    console.print(table)
    if facts.offered.kind not in ("jobs", "families"):
        console.print(Text(f"set with: --set {facts.offered.name}.OPTION=VALUE", "dim"))


def _shown(value: Any) -> str:
    if value is None or value == "" or value == []:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return short(value) if isinstance(value, int) and abs(value) >= 10**6 else str(value)
