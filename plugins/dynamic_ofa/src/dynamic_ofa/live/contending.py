"""The second load: busy processes that the run starts, tells when to work, and always ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from dynamic_ofa.quantities import seconds
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Notice

MODULE: Final = "dynamic_ofa.live.busy"
ONE_THREAD: Final = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
PATIENCE_S: Final = 3.0
"""How long a process may take to end by itself."""


def during_of(text: str | None, length: float | None) -> tuple[float, float]:
    """``5 s:20 s`` as (from, to) in seconds; None: the middle third of a run's length.

    Raises:
        UsageError: it does not read so, or neither it nor the length is given.
    """
    flag = "--contend-during"
    if text is None:
        if length is None:
            raise UsageError("when is the second load to work?", advice=f"{flag} '5 s:20 s'")
        return length / 3, 2 * length / 3
    first, colon, last = text.partition(":")
    start = 0.0 if first.strip() in ("0", "0 s") else seconds(first, flag, "s")
    end = seconds(last, flag, "s") if colon else 0.0
    if end <= start:
        raise UsageError(
            f"{flag}: expected from:to in seconds, found {text!r:.40}",
            advice=f"for example {flag} '5 s:20 s'",
        )
    return start, end


class Contention:
    """Busy processes, which work from one time to another.

    They are there, resting, from the start, so that starting them is no load of its own.

    Args:
        count: of processes; 0: none.
        during: (from, to) in seconds of the run.

    Attributes:
        working: whether they work now.
    """

    def __init__(
        self, count: int, during: tuple[float, float], listener: Listener, module: str = MODULE
    ) -> None:
        self.working = False
        self._count, self._during, self._listener = count, during, listener
        self._module = module
        self._processes: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        """Start them.

        Raises:
            InputError: they cannot be started.
        """
        try:
            self._processes = [_started(self._module) for _ in range(self._count)]
            for process in self._processes:
                _await_ready(process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End them, whatever they do."""
        self._end()

    def at(self, time: float) -> bool:
        """Have them work, or rest, as they should at a time in seconds; whether they work."""
        start, end = self._during
        wanted = bool(self._processes) and start <= time < end
        if wanted != self.working:
            self.working = wanted
            self._tell("work" if wanted else "rest")
            count = len(self._processes)
            what = f"{count} busy process{'' if count == 1 else 'es'}"
            said = f"the second load begins: {what}" if wanted else "the second load ends"
            self._listener(Notice(f"{time:.1f} s: {said}"))
        return self.working

    def _tell(self, word: str) -> None:
        for process in tuple(self._processes):
            assert process.stdin is not None
            try:
                process.stdin.write(f"{word}\n")
                process.stdin.flush()
            except OSError:
                self._processes.remove(process)
                _ended([process])
                self._listener(Notice("a process of the second load has ended by itself"))

    def _end(self) -> None:
        self.working = False
        _ended(self._processes)
        self._processes = []


def _started(module: str) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **ONE_THREAD},
            text=True,
        )
    except OSError as error:
        raise InputError(f"cannot start the second load: {error.strerror or error}") from error


def _await_ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if process.stdout.readline() != "ready\n":
        raise InputError("cannot start the second load: its process ended at once")


def _ended(processes: Sequence[subprocess.Popen[str]]) -> None:
    """End processes; none is left behind, also when Ctrl-C comes meanwhile."""
    for process in processes:
        with suppress(OSError):
            process.terminate()
    for process in processes:
        try:
            process.wait(PATIENCE_S)
        except (subprocess.TimeoutExpired, KeyboardInterrupt):
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
