"""Flags taken as they are written.

We structure values ourselves, for flags and YAML alike; typer would load pydantic for every flag,
``--help`` too, which takes a third of a search's time.
"""

from __future__ import annotations

from typing import Any

from ofa_plugins_core.cli.helping import write_help


def as_written(command: Any) -> Any:
    """The command, its flags not coerced."""
    for parameter in command.params:
        if parameter.callback is None:
            parameter.process_value = _taken
    return command


def _taken(context: Any, value: Any) -> Any:
    return value


class Written:
    """Before a typer class: its ``--help`` is not coerced either, and written by ourselves."""

    def get_help_option(self, ctx: Any) -> Any:
        """The option ``--help``."""
        option: Any = super().get_help_option(ctx)  # type: ignore[misc]

        def process(context: Any, value: Any) -> Any:
            return option.callback(context, option, bool(value))

        if option is not None:
            option.process_value = process
        return option

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Our own help, which loads less; a job's example at its end."""
        write_help(self, ctx, getattr(self, "epilog", None) or "")
