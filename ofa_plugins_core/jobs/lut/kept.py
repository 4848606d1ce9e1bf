"""What is measured, written line by line as it comes: an interruption loses no finished row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml, plain, structure
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, OfaError, UsageError
from ofa_plugins_core.own_tables import OwnRow

FILE: Final = "rows.jsonl"

ROWS: Final = "rows"
PARTS: Final = "parts"
NETWORKS: Final = "networks"
KINDS: Final = (ROWS, PARTS, NETWORKS)


def begun(context: JobContext) -> None:
    """The configuration in its place, so that --resume needs no flag repeated."""
    if context.out is not None and context.configuration:
        runs.write(context.out / runs.CONFIG, as_yaml(context.configuration))


class Kept:
    """Measured rows, parts and networks, by key; in a file where there is a folder.

    Args:
        folder: of the run, or None.
        of: what is measured, on which device, how; another folder's rows are refused by it.
        resume: go on with what the file holds.
        begin: is called when the first row is written.

    Raises:
        UsageError: the file is of something else.
        InputError: it cannot be read or written.
    """

    def __init__(
        self,
        folder: Path | None,
        of: Mapping[str, Any],
        resume: bool,
        begin: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = None if folder is None else folder / FILE
        self._of, self._begin = dict(plain(of)), begin
        self._file: IO[str] | None = None
        self.found: dict[str, dict[str, OwnRow]] = {kind: {} for kind in KINDS}
        self._whole = self._read(self._of) if resume else None

    def add(self, kind: str, key: str, row: OwnRow) -> None:
        """Keep a measurement.

        Raises:
            UsageError: another process measures into the same folder.
            InputError: it cannot be written; what came before is.
        """
        self.found[kind][key] = row
        if self._path is None:
            return
        try:
            if self._file is None:
                self._file = self._opened(self._path)
            self._file.write(_line({"kind": kind, "key": key, "row": plain(row)}))
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"cannot write {self._path}: {error.strerror or error}",
                advice="the rows before are kept; --resume goes on with them",
            ) from error

    def close(self) -> None:
        """Let others measure into the folder."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def _opened(self, path: Path) -> IO[str]:
        """The file, locked, after its whole lines; made with the first row, not before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
        if not _locked(file):
            file.close()
            raise UsageError(
                f"another process is measuring into {path.parent}",
                advice="wait until it is done, or choose another --out",
            )
        file.truncate(self._whole or 0)
        if self._whole is None:
            file.write(_line({"of": self._of}))
        self._begin()
        return file

    def _read(self, of: Mapping[str, Any]) -> int | None:
        """Bytes of whole lines; None where nothing is kept yet."""
        if self._path is None or not self._path.is_file():
            return None
        try:
            content = self._path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {self._path}: {error.strerror or error}") from error
        whole = content[: content.rfind(b"\n") + 1]  # a line that was cut short is measured anew
        lines = whole.splitlines()
        if not content or (not lines and content.startswith(b'{"of"')):
            return None  # it was stopped before it began
        if not lines:
            raise self._broken(1)
        self._check(of, self._parsed(1, lines[0]).get("of"))
        for number, text in enumerate(lines[1:], 2):
            self._take(number, self._parsed(number, text))
        return len(whole)

    def _parsed(self, number: int, text: bytes) -> dict[str, Any]:
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            if isinstance(found, dict):
                return found
        raise self._broken(number)

    def _take(self, number: int, line: Mapping[str, Any]) -> None:
        kind, key = line.get("kind"), line.get("key")
        if kind not in KINDS or not isinstance(key, str):
            raise self._broken(number)
        place = f"{self._path}, line {number}"
        self.found[str(kind)][key] = structure(line.get("row"), OwnRow, place, InputError)

    def _broken(self, number: int) -> OfaError:
        return InputError(
            f"{self._path}, line {number}: not what was written there",
            advice="remove the line, or start anew in another --out",
        )

    def _check(self, now: Mapping[str, Any], before: Any) -> None:
        if not isinstance(before, dict):
            raise self._broken(1)
        for name in {**now, **before}:
            if now.get(name) != before.get(name):
                said = _difference(name, before.get(name), now.get(name))
                raise UsageError(
                    f"{self._path} is of another measurement: {said}",
                    advice="resume with the same options on the same device, or choose another "
                    "--out",
                )


def _difference(name: str, before: Any, now: Any) -> str:
    """What differs, and of a mapping only that."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            if before.get(key) != now.get(key):
                return _difference(f"{name}'s {key}", before.get(key), now.get(key))
    return f"{name} was {before!r:.80}, is {now!r:.80}"


def _locked(file: IO[str]) -> bool:
    """Whether the file is ours alone now; the system gives the lock back when it is closed."""
    try:
        import fcntl
    except ImportError:  # not on Windows: two processes at once are not kept apart there
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n"
