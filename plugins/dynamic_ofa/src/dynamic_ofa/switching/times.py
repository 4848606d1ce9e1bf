"""What switches took, noted by any thread."""

from __future__ import annotations

from threading import Lock


class SwitchTimes:
    """Times of switches, and of the first inference after the last one; ms.

    Attributes:
        count: of switches. last, mean: of a switch; None: there was none.
        first: of the first inference at the level that was turned on last; None: none came.
    """

    def __init__(self) -> None:
        self._turn = Lock()
        self._awaited: int | None = None
        self._total = 0.0
        self.count = 0
        self.last: float | None = None
        self.first: float | None = None

    @property
    def mean(self) -> float | None:
        """Of all switches, ms."""
        return self._total / self.count if self.count else None

    def switched(self, level: int, took: float) -> None:
        """A level was turned on, in so many ms."""
        with self._turn:
            self.count += 1
            self._total += took
            self.last, self.first, self._awaited = took, None, level

    def ran(self, level: int, took: float) -> None:
        """An inference ended, after so many ms."""
        if self._awaited != level:
            return
        with self._turn:
            if self._awaited == level:
                self.first, self._awaited = took, None
