"""What parsers of a board's texts share: numbers of bounded length, blank space, one kind of error.

A text comes from a board that nobody here has seen: whatever it holds, a parser returns what it
understood or raises InputError.
"""

from __future__ import annotations

import re
from typing import Final

from ofa_plugins_core.errors import InputError

WHOLE: Final = re.compile(r"\s*(-?[0-9]{1,15})\s*", re.ASCII)


def whole(text: str) -> int | None:
    """The whole number that a text is, or None."""
    found = WHOLE.fullmatch(text)
    return int(found[1]) if found else None


def lines(text: str) -> list[str]:
    """Lines without blank space and NUL at their ends; empty ones are left out."""
    return [line for raw in text.split("\n") if (line := raw.strip(" \t\r\0"))]


def shown(text: str) -> str:
    """A text in a message: short, on one line."""
    return repr(text if len(text) <= 80 else text[:77] + "…")


def not_understood(what: str, text: str, expected: str) -> InputError:
    """The error for a text that is not what it should be."""
    return InputError(f"{what}: expected {expected}, found {shown(text)}")
