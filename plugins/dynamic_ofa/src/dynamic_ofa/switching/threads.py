"""Torch's threads, which are the process's, while one switcher or several want so many."""

from __future__ import annotations

from threading import Lock
from typing import Final

import torch
from attrs import frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.nn.devices import machine


@frozen(eq=False)
class HeldThreads:
    """So many threads, wanted by one until it lets go."""

    count: int


class Record:
    """Who wants threads, in the order of coming, and how many there were before the first."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._held: list[HeldThreads] = []
        self._before = 1

    def add(self, hold: HeldThreads) -> None:
        """Set torch's threads for it."""
        with self._turn:
            if not self._held:
                self._before = torch.get_num_threads()
            torch.set_num_threads(hold.count)
            self._held.append(hold)

    def remove(self, hold: HeldThreads) -> None:
        """Of the newest: give the one before it its own; of the last: as many as at first.

        Removing twice does nothing.
        """
        with self._turn:
            if hold not in self._held:
                return
            newest = hold is self._held[-1]
            self._held.remove(hold)
            if newest:
                torch.set_num_threads(self._held[-1].count if self._held else self._before)


RECORD: Final = Record()
"""The process's own."""


def hold_threads(count: int | None) -> HeldThreads | None:
    """Set torch's threads until ``let_go``; None where nothing is asked.

    Raises:
        UsageError: it is no number of threads, or there are fewer cores.
    """
    if count is None:
        return None
    if count < 1:
        raise UsageError(f"threads: expected a whole number from 1 up, found {count}")
    machine.check_threads(count, ())
    found = HeldThreads(count)
    RECORD.add(found)
    return found


def let_go(hold: HeldThreads | None) -> None:
    """Of threads that were held; once or more often."""
    if hold is not None:
        RECORD.remove(hold)
