"""Every way in which a command can fail, as one clear line and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from typing import Final

import typer

from ofa_plugins_core.cli.session import Session
from ofa_plugins_core.errors import OfaError, PluginError

INTERNAL: Final = 1
"""A mistake in ofa-plugins itself."""


def report(error: BaseException, session: Session) -> int:
    """Tell the user what went wrong, on stderr; the exit code."""
    if session.debug and not isinstance(error, SystemExit | typer.Exit):
        traceback.print_exception(error)
    if isinstance(error, typer.Exit):
        return int(error.exit_code)
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return _said("interrupted", 130)
    if isinstance(error, OfaError):
        return _said(error.message, error.exit_code, error.advice)
    if hasattr(error, "format_message"):  # of the parser of the command line
        return _misused(error)
    if isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError):
        return _quiet()
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        return _said(f"cannot read or write{place}: {error.strerror or error}", 5)
    if (blamed := _blamed(error, session)) is not None:
        return _said(blamed, PluginError.exit_code, "ofa --debug … shows where")
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else INTERNAL
    advice = "this is a mistake in ofa-plugins; ofa --debug … shows where"
    return _said(f"internal error: {_named(error)}", INTERNAL, advice)


def _blamed(error: BaseException, session: Session) -> str | None:
    """What the plugin did in whose code the error was raised, or None."""
    if session.discovered is None:
        return None
    from ofa_plugins_core.blame import culprit

    plugin = culprit(error, session.discovered.plugins)
    return None if plugin is None else plugin.blames("a call", error)


def _misused(error: BaseException) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # type: ignore[attr-defined]
        return 2
    context = getattr(error, "ctx", None)
    path = "ofa" if context is None else context.command_path
    return _said(error.format_message(), 2, f"try: {path} --help")  # type: ignore[attr-defined]


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
