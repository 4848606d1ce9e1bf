"""Help texts. Typer's own are as good, but load markdown and syntax colouring for a tenth of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def write_help(command: Any, context: Any, epilog: str = "") -> None:
    """Print a command's usage, what it does, its options and its commands, to stdout."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console(highlight=False, emoji=False, markup=False)
    usage = " ".join(command.collect_usage_pieces(context))
    console.print()
    console.print(Text.assemble((" Usage: ", "bold"), f"{context.command_path} {usage}"))
    for paragraph in (command.help or "", epilog):
        if paragraph:
            console.print()
            console.print(Padding(Text(paragraph), (0, 1)))
    console.print()
    _write_rows(console, "Options", _options(command, context))
    if hasattr(command, "list_commands"):
        _write_rows(console, "Commands", _commands(command, context))


def _options(command: Any, context: Any) -> list[tuple[str, str]]:
    records = (p.get_help_record(context) for p in command.get_params(context))
    return [record for record in records if record is not None]


def _commands(command: Any, context: Any) -> list[tuple[str, str]]:
    found = ((name, command.get_command(context, name)) for name in command.list_commands(context))
    return [(name, c.get_short_help_str(200)) for name, c in found if c is not None]


def _write_rows(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    table = Table.grid(padding=(0, 2), pad_edge=True)
    table.add_column(style="cyan", max_width=max(24, console.width // 2))
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name, overflow="fold"), Text(text))
    console.print(Text(f" {title}", "bold"))
    console.print(table)
    console.print()
