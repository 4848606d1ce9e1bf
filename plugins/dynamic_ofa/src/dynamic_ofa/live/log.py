"""What a live run writes down as it goes: an interruption loses nothing, and --resume goes on.

``inferences.jsonl`` and ``events.jsonl`` in the run's folder: a line each, the first says of what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from attrs import evolve

from dynamic_ofa.ledger import LAST, Inference, Switched
from dynamic_ofa.traces import Moment, Trace
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Decision, Level
from ofa_plugins_core.journal import Journal

INFERENCES: Final = "inferences.jsonl"
EVENTS: Final = "events.jsonl"
TRACE: Final = "trace.jsonl"
T = TypeVar("T")


class Log:
    """Inferences and switches of a run, kept in memory and written line by line.

    Args:
        folder: None: nothing is written.
        of: what the run is; a folder of another one is refused.
        resume: go on with what the folder holds.
        begin: is called when the first line is written.

    Attributes:
        inferences: in the order of time. events: changes of level, and of what actuators are
            set to, in the same order.

    Raises:
        UsageError: the folder is of another run.
        InputError: it cannot be read or written.
    """

    def __init__(
        self,
        folder: Path | None,
        of: Mapping[str, Any],
        resume: bool = False,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        files = [None if folder is None else folder / name for name in (INFERENCES, EVENTS)]
        self._lines = Journal(files[0], of, resume, begin, "running")
        self._events = Journal(files[1], of, resume, work="running")
        self.inferences: list[Inference] = _read(self._lines, Inference)
        self.events: list[Switched] = _read(self._events, Switched)
        self._late = sum(i.late for i in self.inferences)
        self._open: Switched | None = None

    def __enter__(self) -> Self:
        """Write as things happen."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Write the last event, too, and let others have the files."""
        try:
            self._close_event(None)
        finally:
            self._lines.close()
            self._events.close()

    @property
    def elapsed(self) -> float:
        """Seconds that are done."""
        return self.inferences[-1].time_s if self.inferences else 0.0

    @property
    def late_share(self) -> float:
        """Of all inferences so far, those over the limit, 0 to 1."""
        return self._late / len(self.inferences) if self.inferences else 0.0

    @property
    def switches(self) -> list[Switched]:
        """The changes of level among the events."""
        return [event for event in self.events if event.before != event.after]

    def add(self, inference: Inference) -> None:
        """Write an inference.

        Raises:
            InputError: it cannot be written; what came before is.
        """
        self._close_event(inference)
        self.inferences.append(inference)
        self._late += inference.late
        self._lines.add(plain(inference))

    def decided(
        self, decision: Decision, actions: Mapping[str, float], took_ms: float | None
    ) -> Switched | None:
        """Write what was decided after the last inference; None where nothing changed."""
        last = self.inferences[-1]
        if decision.level == last.level and not actions:
            return None
        self._open = Switched(
            time_s=last.time_s,
            before=last.level,
            after=decision.level,
            reason=decision.reason,
            latency_before_ms=self._mean_before(last.level),
            latency_after_ms=None,
            late_share=self.late_share,
            took_ms=took_ms,
            actions=dict(actions),
        )
        return self._open

    def _mean_before(self, level: int) -> float:
        stay = takewhile(lambda i: i.level == level, reversed(self.inferences[-LAST:]))
        latencies = [i.latency_ms for i in stay]
        return sum(latencies) / len(latencies)

    def _close_event(self, after: Inference | None) -> None:
        """An event is whole when the first inference after it is known."""
        if self._open is not None:
            event = evolve(self._open, latency_after_ms=None if after is None else after.latency_ms)
            self._open = None
            self.events.append(event)
            self._events.add(plain(event))


def _read(journal: Journal, kind: type[T]) -> list[T]:
    found = []
    for number, line in journal.found:
        try:
            found.append(structure(line, kind, f"{journal.path}, line {number}", InputError))
        except InputError as error:
            raise journal.broken(number) from error
    return found


def trace_of(
    inferences: Sequence[Inference], levels: Sequence[Level], name: str, about: str
) -> Trace:
    """A run as a trace: at the start of each inference, how much slower than the table it went.

    Its limits and readings are the run's. Sampled as densely as inferences came; between two of
    them nothing is missing, however long one took, so it has no gaps.

    Args:
        inferences: one or more, in the order of time.
    """
    starts = [max(0.0, i.time_s - i.latency_ms / 1000) for i in inferences]
    moments: list[Moment] = []
    limit: float | None = None
    for number, (start, seen) in enumerate(zip(starts, inferences, strict=True)):
        moments.append(
            Moment(
                time_s=start if number else 0.0,
                factor=seen.latency_ms / levels[seen.level].latency,
                limit_ms=None if seen.limit_ms == limit else seen.limit_ms,
                readings=seen.readings,
                level=seen.level,
                latency_ms=seen.latency_ms,
            )
        )
        limit = seen.limit_ms
    ends = [*(m.time_s for m in moments[1:]), inferences[-1].time_s]
    longest = max(end - m.time_s for end, m in zip(ends, moments, strict=True))
    return Trace(
        name=name,
        kind="recorded",
        duration_s=inferences[-1].time_s,
        moments=tuple(moments),
        about=about,
        interval_s=longest,
    )
