"""Times as users write them: ``60 ms``, ``10 s``; and limits that change over time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from ofa_plugins_core.errors import UsageError

_UNITS: Final = {"us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_TIME: Final = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([a-zµ]+)?\s*")


def seconds(text: str, what: str, unit: str | None = None) -> float:
    """``60 ms`` -> 0.06.

    Args:
        what: the flag, for messages. unit: of a number without one; None: it has to have one.

    Raises:
        UsageError: it does not read so, or is 0.
    """
    match = _TIME.fullmatch(text)
    found = (match[2] or unit) if match else None
    if match is None or found not in _UNITS or not float(match[1]) > 0:
        raise UsageError(
            f"{what}: expected a time, found {text!r:.40}", advice=f"for example {what} '60 ms'"
        )
    return float(match[1]) * _UNITS[found]


@frozen
class Limits:
    """A limit on latency that may change over time.

    Attributes:
        steps: (seconds from which it holds, ms), the first at 0 s.
    """

    steps: tuple[tuple[float, float], ...]

    def at(self, time: float) -> float:
        """The limit at a time in seconds, ms."""
        return next(limit for start, limit in reversed(self.steps) if start <= max(time, 0.0))

    @property
    def changes(self) -> tuple[float, ...]:
        """Times at which it changes, seconds."""
        return tuple(start for start, _ in self.steps[1:])

    @property
    def least(self) -> float:
        """The smallest of them, ms."""
        return min(limit for _, limit in self.steps)


def read_limits(text: str, what: str = "--limit") -> Limits:
    """``60 ms, 45 ms from 10 s`` as limits; a number alone is of ms.

    Raises:
        UsageError: it does not read so, or the times do not increase.
    """
    steps: list[tuple[float, float]] = []
    for part in text.split(","):
        limit, since, start = part.partition(" from ")
        if bool(since) != bool(steps):
            raise UsageError(
                f"{what}: cannot read {text!r:.60}",
                advice=f"{what} '60 ms', or {what} '60 ms, 45 ms from 10 s, 60 ms from 20 s'",
            )
        begins = seconds(start, what, "s") if since else 0.0
        steps.append((begins, 1000 * seconds(limit, what, "ms")))
    _check_order(steps, what)
    return Limits(tuple(steps))


def _check_order(steps: Sequence[tuple[float, float]], what: str) -> None:
    for (one, _), (two, _) in pairwise(steps):
        if two <= one:
            raise UsageError(f"{what}: {two:g} s does not come after {one:g} s")


def percent(text: str, what: str) -> float:
    """``76`` or ``76 %`` -> 76.0.

    Args:
        what: the flag, for messages.

    Raises:
        UsageError: it does not read so, or is not from 0 to 100.
    """
    words = text.strip().removesuffix("%").strip()
    if not re.fullmatch(r"\d+\.?\d*|\.\d+", words) or not float(words) <= 100:
        raise UsageError(
            f"{what}: expected percent from 0 to 100, found {text!r:.40}",
            advice=f"for example {what} 76",
        )
    return float(words)
