"""Many inferences at once, or one switch: a readers-writer lock that nobody starves at."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition


class FairLock:
    """First come, first served: readers side by side, a writer alone.

    A waiting writer stops readers that come after it, and those stop the next writer, so that
    each gets its turn. Not to be taken twice by one thread.
    """

    def __init__(self) -> None:
        self._changed = Condition()
        self._waiting: deque[object] = deque()
        self._readers = 0
        self._writing = False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Beside other readers, while nobody writes."""
        with self._changed:
            self._wait(lambda: not self._writing)
            self._readers += 1
            self._changed.notify_all()  # the next in the row may be a reader, too
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Alone."""
        with self._changed:
            self._wait(lambda: not self._writing and not self._readers)
            self._writing = True
        try:
            yield
        finally:
            with self._changed:
                self._writing = False
                self._changed.notify_all()

    def _wait(self, free: Callable[[], bool]) -> None:
        """Stand in the row until it is this thread's turn; the lock's condition is held."""
        me = object()
        self._waiting.append(me)
        try:
            self._changed.wait_for(lambda: self._waiting[0] is me and free())
        finally:  # an interrupt, too, leaves the row and lets the next one look
            self._waiting.remove(me)
            self._changed.notify_all()
