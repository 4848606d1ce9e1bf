"""Every way in which a command can fail, as one clear line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import TYPE_CHECKING, Final

import typer

from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.errors import OfaError

if TYPE_CHECKING:
    from ofa_plugins_core.host import Plugin

INTERRUPTED: Final = 130
INTERNAL: Final = 1
"""A mistake in ofa-plugins itself."""


def report(error: BaseException, session: Session) -> int:
    """Tell the user what went wrong, on stderr; the exit code."""
    if session.debug and not isinstance(error, SystemExit | typer.Exit):
        traceback.print_exception(error)
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return _said("interrupted", INTERRUPTED)
    if isinstance(error, OfaError):
        return _said(error.message, error.exit_code, error.advice)
    if hasattr(error, "format_message"):  # of the parser of the command line
        return _misused(error)
    plugin = blamed(error, session)
    if plugin is not None:
        line = f"{plugin.label} raised {_named(error)}"
        return _said(line, 4, None if session.debug else "ofa --debug … shows where")
    if isinstance(error, BrokenPipeError):
        return _quiet()
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return _said(f"cannot read or write{place}: {error.strerror or error}", 5)
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else INTERNAL
    advice = "this is a mistake in ofa-plugins; ofa --debug … shows where"
    return _said(f"internal error: {_named(error)}", INTERNAL, advice)


def blamed(error: BaseException, session: Session) -> Plugin | None:
    """The plugin in whose code an exception was raised: the innermost one on the way to it."""
    host = session.discovered
    if host is None:
        return None
    found = None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        name = str(frame.f_globals.get("__name__", ""))
        found = next((p for p in host.plugins if _owns(p, name)), found)
    return found


def _owns(plugin: Plugin, module: str) -> bool:
    if plugin.module is None:
        return False
    package = getattr(plugin.module, "__package__", "") or plugin.module.__name__
    return module == plugin.module.__name__ or module == package or module.startswith(package + ".")


def _misused(error: BaseException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # type: ignore[attr-defined]
        return 2
    context = getattr(error, "ctx", None)
    advice = f"try: {context.command_path} --help" if context is not None else None
    return _said(error.format_message(), 2, advice)  # type: ignore[attr-defined]


def _named(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def _said(line: str, code: int, advice: str | None = None) -> int:
    try:
        sys.stderr.write(f"ofa: {line}\n")
        if advice:
            sys.stderr.write(f"     {advice}\n")
        sys.stderr.flush()
    except OSError:  # nobody listens: the exit code still speaks
        pass
    return code


def _quiet() -> int:
    """The reader of our output has gone away: nothing to say, and nothing more to flush."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
