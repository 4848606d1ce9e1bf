"""What every command gets as the object of its context: the global options and the plugins."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ofa_plugins_core.host import Host

Discover: TypeAlias = "Callable[[Sequence[str]], Host]"
"""Names to block -> the host."""


class Session:
    """One call of ``ofa``. No attrs class: ``ofa --help`` should not load attrs.

    Attributes:
        command: the words of the command line, without the program's name.
        block: plugins that are not even imported.
        debug: show tracebacks.
    """

    def __init__(self, command: Sequence[str], discover: Discover | None = None) -> None:
        self.command = tuple(command)
        self.block: tuple[str, ...] = ()
        self.debug = False
        self._discover = discover or discover_installed
        self._host: Host | None = None

    def host(self) -> Host:
        """The plugins; discovered once, when first asked for."""
        if self._host is None:
            self._host = self._discover(self.block)
        return self._host

    @property
    def discovered(self) -> Host | None:
        """The plugins, if a command has asked for them."""
        return self._host


def discover_installed(block: Sequence[str]) -> Host:
    """The host of every installed plugin."""
    from ofa_plugins_core.host import Host

    return Host.discover(block)


def blocked_by_environment() -> tuple[str, ...]:
    """Names in OFA_BLOCK, separated by commas."""
    return tuple(n.strip() for n in os.environ.get("OFA_BLOCK", "").split(",") if n.strip())
