"""What has to hold for whatever fills a seam: each law is a function that raises LawBrokenError.

A law takes (subject, ground, generator): what is tested, what it stands on (a supernet, a search
problem, the levels of a runtime table), and where its random choices come from. The suites run
them under pytest, ``ofa plugins check`` without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

Law: TypeAlias = Callable[[Any, Any, np.random.Generator], None]


class LawBrokenError(AssertionError):
    """A law does not hold; says which numbers show it."""


class NotApplicableError(Exception):
    """A law says nothing about this subject; says why."""


def demand(holds: object, message: str) -> None:
    """Raise LawBrokenError with the message unless it holds."""
    if not holds:
        raise LawBrokenError(message)


def title(law: Law) -> str:
    """A law as a sentence: the first line of its docstring."""
    return (law.__doc__ or law.__name__).strip().splitlines()[0]


def advice(law: Law) -> str:
    """What to do where a law is broken: the docstring's lines after the first, on one line."""
    _, *more = (law.__doc__ or "").strip().splitlines()
    return " ".join(" ".join(more).split())
