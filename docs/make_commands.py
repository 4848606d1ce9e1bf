"""Writes docs/commands.md from the program itself: python docs/make_commands.py

Needs every plugin of this checkout installed; other people's are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import typer

from ofa_plugins_core import Host
from ofa_plugins_core.cli.flags import COMMON
from ofa_plugins_core.cli.main import app
from ofa_plugins_core.cli.session import Session

PAGE: Final = Path(__file__).with_name("commands.md")
OURS: Final = tuple(sorted(p.parent.name for p in PAGE.parents[1].glob("plugins/*/pyproject.toml")))
HEAD: Final = """\
# Commands

Made from the program by `python docs/make_commands.py`; do not edit. `ofa COMMAND --help` says the
same, with the plugins that are installed where you ask.

Exit codes: 0 done; 2 wrong use or configuration; 3 infeasible (with the smallest value that can be
reached, and what binds); 4 a plugin failed; 5 an input file is missing or broken, or an output
cannot be written; 130 interrupted. More: [files and exit codes](files.md).
"""


def page(host: Host | None = None) -> str:
    """The whole page, of a host with every plugin of this checkout (and no other)."""
    session = Session((), lambda block: host or ours())
    root: Any = typer.main.get_command(app)
    context = root.context_class(root, info_name="ofa", obj=session)
    parts = [HEAD, "## ofa\n", *_table(root, context)]
    for name in sorted(root.list_commands(context)):
        _, command, _ = root.resolve_command(context, [name])
        inner = command.context_class(command, info_name=name, parent=context, obj=session)
        parts += _section(command, inner, 2, session)
    return "\n".join(parts)


def ours() -> Host:
    """The core and the plugins of this checkout."""
    others = {point.name for point in entry_points(group="ofa.plugins")} - {*OURS}
    return Host.discover(sorted(others))


def _section(command: Any, context: Any, level: int, session: Session) -> Iterator[str]:
    yield f"{'#' * level} {context.command_path}\n"
    yield f"{_plain(command.help or '')}\n"
    yield from _example(command)
    if hasattr(command, "list_commands"):
        names: Sequence[str] = sorted(command.list_commands(context))
        if context.command_path == "ofa run":
            yield from _shared()
        for name in names:
            one = command.get_command(context, name)
            inner = one.context_class(one, info_name=name, parent=context, obj=session)
            yield from _section(one, inner, level + 1, session)
        return
    yield from _table(command, context)


def _example(command: Any) -> Iterator[str]:
    example = getattr(command, "epilog", None)
    if example:
        yield f"```sh\n{example.removeprefix('Example: ')}\n```\n"


def _shared() -> Iterator[str]:
    yield "Every job takes these flags, and its own below:\n"
    yield from _rows(
        (f"--{name}" + (f" {metavar}" if metavar else ""), text)
        for name, (_, _, metavar, text) in COMMON.items()
    )


def _table(command: Any, context: Any) -> Iterator[str]:
    job = context.parent is not None and context.parent.command_path == "ofa run"
    left_out = {"help", *(COMMON if job else ())}
    shown = [p for p in command.get_params(context) if p.name not in left_out]
    records = [_record(p, context) for p in shown]
    yield from _rows(r for r in records if r is not None)


def _record(parameter: Any, context: Any) -> tuple[str, str] | None:
    """(how it is written, what it means)."""
    found: tuple[str, str] | None = parameter.get_help_record(context)
    if found is None:
        return None
    if parameter.param_type_name == "argument":
        return parameter.name.upper(), found[1]
    return re.sub(r"<\w.*?>", "TEXT", found[0]), found[1]


def _rows(records: Iterator[tuple[str, str]]) -> Iterator[str]:
    rows = [f"| `{_cell(flag)}` | {_cell(_plain(text))} |" for flag, text in records]
    if rows:
        yield "\n".join(["| flag | |", "|---|---|", *rows]) + "\n"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_")


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
