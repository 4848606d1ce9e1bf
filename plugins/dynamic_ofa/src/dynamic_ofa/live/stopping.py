"""Ctrl-C, SIGTERM and a terminal that goes away: the first ends the run, no later one disturbs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
"""What ends a process from outside and can be heard; Windows has no SIGHUP."""


class Stopping:
    """Meanwhile the first of ``SIGNALS`` is a KeyboardInterrupt, and each later one is nothing.

    So what a run has set is put back to the end, however often the user asks. Only the main thread
    may hear signals; in any other nothing changes. A signal that is ignored stays so (``nohup``),
    and so does one whose handler is not Python's, which could not be put back.
    """

    def __init__(self) -> None:
        self._deaf = False
        self._before: dict[signal.Signals, Callable[..., Any] | int] = {}

    def __enter__(self) -> Self:
        """Listen."""
        try:
            if threading.current_thread() is threading.main_thread():
                self._listen()
        except BaseException:  # one that came at once
            self._restore()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Leave signals to whoever had them before."""
        self._restore()

    def ignore(self) -> None:
        """From now on nothing interrupts: what is left to do is to put things back."""
        self._deaf = True

    def _listen(self) -> None:
        for number in SIGNALS:
            before = signal.getsignal(number)
            if before is not None and before != signal.SIG_IGN:
                self._before[number] = before
                signal.signal(number, self._heard)

    def _heard(self, number: int, frame: object) -> None:
        if not self._deaf:
            self._deaf = True
            raise KeyboardInterrupt

    def _restore(self) -> None:
        self._deaf = True
        for number, before in self._before.items():
            signal.signal(number, before)
