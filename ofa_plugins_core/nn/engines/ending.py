"""What a launcher's signal to end does: one clear error, so that what is finished can be kept.

torchrun and horovodrun send SIGTERM to the other processes as soon as one has failed, often before
these have found out themselves. Python would die of it without a word.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeAlias

from ofa_plugins_core.errors import PeerLostError

Handler: TypeAlias = Callable[[int, FrameType | None], None]


@contextmanager
def ended_by_launcher() -> Iterator[None]:
    """Meanwhile SIGTERM raises in the main thread; a second one ends the process at once.

    Where another worker's end was noticed before the launcher's signal, that signal is still to
    come: it shall not cut short what is said and kept now, so one passes without effect.

    Raises:
        PeerLostError: the launcher ends this process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may say what a signal does
        return
    before = signal.getsignal(signal.SIGTERM)
    told: list[int] = []
    signal.signal(signal.SIGTERM, _raising(told))
    try:
        yield
    except PeerLostError:
        after = before if told else _passing(before)
        signal.signal(signal.SIGTERM, after)
        raise
    except BaseException:
        signal.signal(signal.SIGTERM, before)
        raise
    signal.signal(signal.SIGTERM, before)


def _raising(told: list[int]) -> Handler:
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getpid() != process:  # a child that was forked ends as if nothing were set
            signal.raise_signal(signal.SIGTERM)
            return
        told.append(number)
        raise PeerLostError("another worker is gone, or the launcher was ended: SIGTERM came")

    return end


def _passing(before: Any) -> Handler:
    def let_one_pass(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, before)

    return let_one_pass
