"""Errors that a user can act on: each carries its exit code and a piece of advice.

The exit codes are those of the command line: 2 wrong use, 3 infeasible, 4 a plugin failed,
5 a file is missing, broken or cannot be written, 130 interrupted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar


class OfaError(Exception):
    """One clear line on what is wrong, and optionally one on what to do about it."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str, *, advice: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n{self.advice}" if self.advice else self.message


class UsageError(OfaError):
    """A wrong name, option or configuration (exit code 2)."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that nothing offers; the message lists the nearest known ones.

    Attributes:
        name: as it was asked for.
        near: known ones that are written alike, the nearest first.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name, names, n=3, cutoff=0.5)
        shown = ", ".join(near or names) or "none at all: is a plugin installed?"
        label = "nearest known" if near else "known"
        super().__init__(f"unknown {kind} {name!r}; {label}: {shown}")
        self.name = name
        self.near = near


class MissingExtraError(UsageError):
    """Something needs an optional dependency that is not installed."""

    def __init__(self, what: str, distribution: str, extra: str) -> None:
        super().__init__(
            f"{what} needs the extra [{extra}]",
            advice=f"install it with: pip install {installable(distribution, extra)}",
        )


def installable(distribution: str, extra: str) -> str:
    """What to give pip for an extra: the folder that was installed, if it is there, or the name."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import distribution as installed
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # with TLS and HTTP: too much for every search

    try:
        found = json.loads(installed(distribution).read_text("direct_url.json") or "{}")
        address, about = urlsplit(found.get("url", "")), found.get("dir_info", {})
        folder = url2pathname(address.path)
        local = address.scheme == "file" and Path(folder).is_dir()
        editable = bool(about.get("editable"))
    except (PackageNotFoundError, OSError, ValueError, AttributeError, TypeError):
        local = False
    if not local:
        return f'"{distribution}[{extra}]"'
    return f'{"-e " if editable else ""}"{folder}[{extra}]"'


class InfeasibleError(OfaError):
    """No network meets the constraints; says the smallest reachable value and what binds.

    Attributes:
        smallest: name of a cost -> smallest value that any network of the space reaches.
        binds: the constraint and the op or block that keeps it from being met.
    """

    exit_code = 3

    def __init__(
        self, message: str, *, smallest: dict[str, float], binds: str, advice: str | None = None
    ) -> None:
        super().__init__(message, advice=advice)
        self.smallest = smallest
        self.binds = binds


class PluginError(OfaError):
    """A plugin failed, with blame: its name, its version and what it was doing."""

    exit_code = 4


class InputError(OfaError):
    """An input file is missing or broken, or an output cannot be written."""

    exit_code = 5


class PeerLostError(OfaError):
    """Another of the processes that work together is gone, so this one ends: interrupted."""

    exit_code = 130

    def __init__(self, message: str, *, advice: str | None = "go on with --resume") -> None:
        super().__init__(message, advice=advice)
