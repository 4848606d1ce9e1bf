"""The program ``ofa``: global options, commands loaded on demand, errors as one clear line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from ofa_plugins_core.cli.session import Discover, Session, blocked_by_environment
from ofa_plugins_core.cli.written import Written, as_written

COMMANDS: Final = {
    "run": ("ofa_plugins_core.cli.run", "Run a job: search, cost, predict, fit, …"),
    "list": ("ofa_plugins_core.cli.listing:list_app", "List what the plugins offer."),
    "show": ("ofa_plugins_core.cli.listing:show_app", "Show one supernet, its costs and sizes."),
    "plugins": ("ofa_plugins_core.cli.plugins", "List, check or start plugins."),
    "weights": ("ofa_plugins_core.cli.weights", "Published weights: list, fetch, add, verify, …"),
    "reproduce": (
        "ofa_plugins_core.cli.reproduce",
        "Check what the papers claim, beside the published figures.",
    ),
    "report": ("ofa_plugins_core.cli.report", "A readable page of a run, with its plots."),
}
"""Command -> the module (and its attribute, else ``app``) that brings it, and a line on it."""


THREADS: Final = "OPENBLAS_NUM_THREADS"


class LazyGroup(Written, TyperGroup):
    """Commands whose modules are imported when they are called, not for the list of them."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the words name, with the words that are left for it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else _loaded(name), rest


def _loaded(name: str) -> Any:
    _import_numpy()
    module, _, attribute = COMMANDS[name][0].partition(":")
    app = getattr(import_module(module), attribute or "app")
    return typer.main.get_command(app) if isinstance(app, typer.Typer) else app


def _import_numpy() -> None:
    """Import numpy with one thread for its linear algebra, unless the user says how many.

    No command multiplies large matrices with numpy, and starting threads takes a third of its
    import. Torch, which has a linear algebra of its own, does not see it.
    """
    if "numpy" in sys.modules or THREADS in os.environ:
        return
    os.environ[THREADS] = "1"
    try:
        import numpy  # noqa: F401  # for its side effect
    finally:
        del os.environ[THREADS]


INTERRUPTED: Final = 130

app: Final = typer.Typer(
    name="ofa",
    cls=LazyGroup,
    help="Once-for-All supernets as plugins: search spaces, exact costs, predictors, searchers.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _global_options(
    context: typer.Context,
    block: Annotated[
        list[str] | None,
        typer.Option(
            "--block", metavar="NAME", help="Leave a plugin out; repeatable, or OFA_BLOCK."
        ),
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    session: Session = context.obj
    session.block = (*blocked_by_environment(), *(block or ()))
    session.debug = debug


def _stand_in() -> None:
    """Never runs: its command is resolved to the real one."""


for _name, (_, _summary) in COMMANDS.items():
    app.command(_name, help=_summary)(_stand_in)


def run(argv: Sequence[str] | None = None, discover: Discover | None = None) -> int:
    """Run one command line; the script's entry point.

    Args:
        argv: words after the program's name; the process's own if None.
        discover: how plugins are found, for tests.

    Returns:
        The exit code.
    """
    if argv is None:
        gc.set_threshold(100_000)  # imports make many objects and no garbage: a twentieth less time
    words = list(sys.argv[1:] if argv is None else argv)
    session = Session(words, discover)
    command = as_written(typer.main.get_command(app))
    try:
        code = command.main(words, prog_name="ofa", standalone_mode=False, obj=session)
        sys.stdout.flush()
    except BaseException as error:  # every way to fail ends in one line and an exit code
        from ofa_plugins_core.cli.failing import report

        return report(error, session)
    if code == INTERRUPTED:
        sys.stderr.write("ofa: interrupted\n")
    return code if isinstance(code, int) else 0
