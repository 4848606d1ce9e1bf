"""How a training goes, step by step: a table in the run's folder, TensorBoard, Weights & Biases.

What cannot be written any more, on a full disk or without a network, is left out with one notice:
the training goes on. In a run that is gone on with, steps after its checkpoint are made again, so
what was tracked of them is dropped.
"""

from __future__ import annotations

import csv
import io
import os
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TextIO, TypeAlias, get_args

from attrs import define, field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, MissingExtraError, UnknownNameError
from ofa_plugins_core.events import Listener, Notice, silent

Name: TypeAlias = Literal["csv", "tensorboard", "wandb"]
NAMES: Final[tuple[str, ...]] = get_args(Name)

TABLE: Final = "metrics.csv"
BOARD: Final = "tensorboard"
WANDB_RUN: Final = "wandb-run.txt"
STEP: Final = "step"
FLUSH_SECONDS: Final = 10.0
"""Between writes to the disk where a library writes events."""


class Tracker(Protocol):
    """Is told the values of each step."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Keep the values of a step; steps do not go back, one may come again with other names."""

    def close(self) -> None:
        """Write what is not written yet."""


@frozen(eq=False)
class Trackers:
    """Several as one; one that fails is left out, and said so once."""

    working: dict[str, Tracker]
    listener: Listener = silent

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Tell all of them."""
        for name, tracker in list(self.working.items()):
            if not self._done(name, partial(tracker.log, step, values)):
                del self.working[name]
                with suppress(Exception):  # it has failed, and was named, already
                    tracker.close()

    def close(self) -> None:
        """Close all of them."""
        for name, tracker in self.working.items():
            self._done(name, tracker.close)
        self.working.clear()

    def open(self, name: str, make: Callable[[], Tracker]) -> None:
        """Make one of them.

        Raises:
            MissingExtraError: its library is not installed.
        """
        try:
            self.working[name] = make()
        except MissingExtraError:
            raise
        except Exception as error:  # as below
            self._left_out(name, error)

    def _done(self, name: str, work: Callable[[], None]) -> bool:
        try:
            work()
        except Exception as error:  # libraries raise what they like; training goes on
            self._left_out(name, error)
            return False
        return True

    def _left_out(self, name: str, error: Exception) -> None:
        why = str(error).partition("\n")[0] or type(error).__name__
        self.listener(Notice(f"--track {name} is left out from now on: {why}"))


def trackers(
    names: Sequence[str],
    folder: Path,
    resumed_at: int = 0,
    about: Mapping[str, Any] | None = None,
    listener: Listener = silent,
) -> Tracker:
    """Track into a run's folder, for the process that leads; with no names, nothing.

    Args:
        names: of ``NAMES``.
        folder: of the run; made if need be.
        resumed_at: the last step that is done; what was tracked of later ones is dropped.
        about: the configuration, for trackers that show it; ``project`` names W&B's project.
        listener: is told which tracker is left out, and why.

    Raises:
        UsageError: a name is unknown, or the library of a tracker is not installed.
    """
    found = Trackers({}, listener)
    for name in dict.fromkeys(names):
        if name not in NAMES:
            raise UnknownNameError("tracker", name, NAMES)
        found.open(name, partial(_made, name, folder, resumed_at, about or {}))
    return found


def _made(name: str, folder: Path, resumed_at: int, about: Mapping[str, Any]) -> Tracker:
    if name == "csv":
        return Table.opened(folder / TABLE, resumed_at)
    if name == "tensorboard":
        return Board.opened(folder / BOARD, resumed_at)
    return Wandb.opened(folder, about)


# ------------------------------------------------------------------------------- csv


@define(eq=False)
class Table:
    """A CSV file: a row a call, the step first; a new name becomes a new last column."""

    path: Path
    columns: list[str]
    _file: TextIO = field(repr=False)

    @classmethod
    def opened(cls, path: Path, resumed_at: int = 0) -> Table:
        """The table at a place, without the rows after a step.

        Raises:
            InputError: what lies there is no such table, or it cannot be written.
        """
        columns, rows = _kept(path)
        runs.write(path, _text(columns, [r for r in rows if int(r[STEP]) <= resumed_at]))
        return cls(path, columns, _appending(path))

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row; it is in the file when this returns.

        Raises:
            OSError, InputError: it cannot be written.
        """
        if not set(values) <= set(self.columns):
            self._widen(values)
        row = [step, *(_shown(values.get(name)) for name in self.columns[1:])]
        csv.writer(self._file, lineterminator="\n").writerow(row)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _widen(self, values: Mapping[str, float]) -> None:
        self._file.close()
        _, rows = _kept(self.path)
        self.columns += [name for name in values if name not in self.columns]
        runs.write(self.path, _text(self.columns, rows))
        self._file = _appending(self.path)


def _shown(value: float | None) -> float | str:
    return "" if value is None else value


def _appending(path: Path) -> TextIO:
    return path.open("a", encoding="utf-8", newline="")


def _kept(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Columns and whole rows of a table; a row that a killed run left half-written is dropped."""
    if not path.exists():
        return [STEP], []
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    reader = csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1], newline=""))
    columns = list(reader.fieldnames or [])
    if columns[:1] != [STEP]:
        raise InputError(f"{path} is no table of steps: its first column is not {STEP!r}")
    whole = [r for r in reader if None not in r and None not in r.values()]
    return columns, [r for r in whole if r[STEP].isdigit()]


def _text(columns: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


# ------------------------------------------------------------------------------- tensorboard


@define(eq=False)
class Board:
    """TensorBoard's events; ``tensorboard --logdir FOLDER`` shows them.

    Written at once, without tensorboardX's own thread: that one would end unheard on a full disk,
    and let the training wait for it for ever.
    """

    _writer: Any
    _events: Any
    _summaries: Any
    _flushed: float = field(factory=time.monotonic)

    @classmethod
    def opened(cls, folder: Path, resumed_at: int = 0) -> Board:
        """A new file of events in a folder; earlier events after a step are hidden.

        Raises:
            MissingExtraError: tensorboardX is not installed.
            OSError: it cannot be written.
        """
        try:
            from tensorboardX.event_file_writer import EventsWriter
            from tensorboardX.proto import event_pb2, summary_pb2
        except ModuleNotFoundError as error:
            raise MissingExtraError("TensorBoard", "ofa-plugins-core", "torch") from error
        folder.mkdir(parents=True, exist_ok=True)
        made = EventsWriter(str(folder / "events"), f".{os.urandom(4).hex()}")
        start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
        found = cls(made, event_pb2, summary_pb2)
        found._write(step=resumed_at + 1, session_log=start)
        made.flush()
        return found

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Write the values of a step.

        Raises:
            OSError: it cannot be written.
        """
        shown = [
            self._summaries.Summary.Value(tag=name, simple_value=value)
            for name, value in values.items()
        ]
        self._write(step=step, summary=self._summaries.Summary(value=shown))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._writer.flush()
            self._flushed = time.monotonic()

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()

    def _write(self, **content: Any) -> None:
        self._writer.write_event(self._events.Event(wall_time=time.time(), **content))


# ------------------------------------------------------------------------------- wandb


@frozen(eq=False)
class Wandb:
    """Weights & Biases; its own variables hold: WANDB_MODE=offline, WANDB_PROJECT and others."""

    _run: Any

    @classmethod
    def opened(cls, folder: Path, about: Mapping[str, Any]) -> Wandb:
        """The run of a folder, begun or gone on with: its name is kept in ``wandb-run.txt``.

        Raises:
            MissingExtraError: wandb is not installed.
            Exception: it cannot begin; without an account, for example.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own dependencies, nothing a user can mend
            try:
                import wandb
            except ModuleNotFoundError as error:
                raise MissingExtraError("Weights & Biases", "ofa-plugins-core", "wandb") from error
            begun = wandb.init(
                project=os.environ.get("WANDB_PROJECT") or about.get("project", "ofa-plugins"),
                dir=str(folder),
                id=_run_id(folder / WANDB_RUN),
                resume="allow",
                config={key: value for key, value in about.items() if key != "project"},
                settings=wandb.Settings(console="off", silent=True),
            )
        return cls(begun)

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Send the values of a step."""
        self._run.log(dict(values), step=step)

    def close(self) -> None:
        """Send what is left."""
        self._run.finish()


def _run_id(file: Path) -> str:
    if file.is_file():
        return file.read_text(encoding="utf-8").strip()
    made = os.urandom(4).hex()
    runs.write(file, made + "\n")
    return made
