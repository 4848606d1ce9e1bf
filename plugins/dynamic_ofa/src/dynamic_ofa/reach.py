"""What levels can reach at all: an accuracy that is wished for, a limit that is set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from attrs import frozen

from ofa_plugins_core.interfaces import Level


@frozen(kw_only=True)
class Wish:
    """An accuracy that a policy is to reach, beside what its levels have.

    Attributes:
        wish: percent.
        best: of all levels, percent.
        limit_ms: the widest limit of the run.
        best_in_time: of the levels within it by the table alone, percent; None: there is none.
    """

    wish: float
    best: float
    limit_ms: float
    best_in_time: float | None

    @property
    def reachable(self) -> bool:
        """Whether a level within the limit, by the table, has it."""
        return self.best_in_time is not None and self.best_in_time >= self.wish

    def as_json(self) -> dict[str, Any]:
        """Accuracies are the table's."""
        return {
            "accuracy": self.wish,
            "unit": "%",
            "reachable": self.reachable,
            "best": self.best,
            "best_in_time": self.best_in_time,
            "limit_ms": self.limit_ms,
        }

    def __str__(self) -> str:
        said = f"the wish of {self.wish:.4g} % cannot be met: "
        if self.best < self.wish:
            return said + f"the most accurate level has {self.best:.4g} %"
        if self.best_in_time is None:
            return said + f"no level is within {self.limit_ms:.4g} ms"
        return (
            said + f"within {self.limit_ms:.4g} ms the table's levels reach "
            f"{self.best_in_time:.4g} %"
        )


def wish_of(wish: float, levels: Sequence[Level], limits: Sequence[float]) -> Wish:
    """A wish beside what the levels have; the widest of the limits (ms) counts."""
    widest = max(limits)
    within = [level.accuracy for level in levels if level.latency <= widest]
    return Wish(
        wish=wish,
        best=max(level.accuracy for level in levels),
        limit_ms=widest,
        best_in_time=max(within, default=None),
    )


def too_tight(levels: Sequence[Level], limits: Sequence[float]) -> Iterator[str]:
    """A sentence where a limit (ms) is under what the fastest level takes for the table."""
    fastest = min(level.latency for level in levels)
    if (least := min(limits)) < fastest:
        yield (
            f"a limit of {least:.4g} ms is under the fastest level's {fastest:.4g} ms: no level is "
            "in time while it holds, unless the device is faster than when the table was made"
        )
