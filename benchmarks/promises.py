"""What is promised to be fast: ratios of two times, measured side by side in one run.

    nox -s benchmarks

Each pair is run alternately, so that a busy machine slows both; a ratio over its limit ends with
exit code 1. Published seconds stand beside for context; they were measured on other machines and
are never divided.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from statistics import median

from attrs import asdict, frozen

Action = Callable[[], object]


@frozen
class Row:
    """One promise: seconds of what is promised, of what it is held against, and the limit.

    Or other amounts than seconds: ``shown`` is the unit that they are printed in, and how many of
    those one is.
    """

    what: str
    against: str
    seconds: float
    reference: float
    limit: float
    published: str = ""
    shown: tuple[str, float] = ("ms", 1e3)

    @property
    def ratio(self) -> float:
        """Time over reference time."""
        return self.seconds / self.reference

    @property
    def kept(self) -> bool:
        """Whether the promise holds."""
        return self.ratio <= self.limit


def side_by_side(
    first: Action,
    second: Action,
    rounds: int,
    of: Callable[[Sequence[float]], float] = min,
) -> tuple[float, float]:
    """Seconds of each, run alternately: the best, or what else ``of`` takes of all rounds."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for action, seen in zip((first, second), times, strict=True):
            start = time.perf_counter()
            action()
            seen.append(time.perf_counter() - start)
    return of(times[0]), of(times[1])


def medians(first: Action, second: Action, rounds: int) -> tuple[float, float]:
    """Median seconds of each, run alternately."""
    return side_by_side(first, second, rounds, median)


def report(rows: Iterable[Row]) -> int:
    """Measure, print a line each, and say whether all promises hold: the exit code."""
    measured = list(rows)
    if "--json" in sys.argv:
        print(json.dumps([{**asdict(r), "ratio": r.ratio, "kept": r.kept} for r in measured]))
        return 0 if all(row.kept for row in measured) else 1
    for row in measured:
        mark = "kept  " if row.kept else "BROKEN"
        print(f"{mark} {row.ratio:6.3f} (at most {row.limit:g})  {row.what}")
        unit, scale = row.shown
        times = f"{row.seconds * scale:.3g} {unit} against {row.reference * scale:.3g} {unit}"
        print(f"       {times}: {row.against}")
        if row.published:
            print(f"       published, not divided: {row.published}")
    return 0 if all(row.kept for row in measured) else 1
