"""What long work finds out, written line by line as it comes: an interruption loses nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from ofa_plugins_core.config import plain
from ofa_plugins_core.errors import InputError, OfaError, UsageError


class Journal:
    """JSON lines in a file: the first says what they are of, the others are what was found.

    Args:
        path: of the file, made with the first line that is added; None: nothing is written.
        of: what the lines are of; a file of something else is refused.
        resume: go on with what the file holds.
        begin: is called when the first line is written.
        work: what others are doing who write into it, for messages: ``measuring``.

    Attributes:
        found: the lines that were there, each with its number in the file.

    Raises:
        UsageError: the file is of something else.
        InputError: it cannot be read or written.
    """

    def __init__(
        self,
        path: Path | None,
        of: Mapping[str, Any],
        resume: bool,
        begin: Callable[[], None] = lambda: None,
        work: str = "measuring",
    ) -> None:
        self.path = path
        self._of, self._begin, self._work = dict(plain(of)), begin, work
        self._file: IO[str] | None = None
        self.found: list[tuple[int, dict[str, Any]]] = []
        self._size = _size(path)
        self._whole = self._read() if resume else None

    def add(self, line: Mapping[str, Any]) -> None:
        """Write a line.

        Raises:
            UsageError: another process writes into the same file.
            InputError: it cannot be written; what came before is.
        """
        if self.path is None:
            return
        try:
            if self._file is None:
                self._file = self._opened(self.path)
            self._file.write(_text(line))
            self._file.flush()
        except OSError as error:
            raise InputError(
                f"cannot write {self.path}: {error.strerror or error}",
                advice="the rows before are kept; --resume goes on with them",
            ) from error

    def close(self) -> None:
        """Let others write into the file."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None

    def broken(self, number: int) -> OfaError:
        """The error for a line that is not what was written there."""
        return InputError(
            f"{self.path}, line {number}: not what was written there",
            advice="remove the line, or start anew in another --out",
        )

    def _opened(self, path: Path) -> IO[str]:
        """The file, locked, after its whole lines; made with the first line, not before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a", encoding="utf-8")
        if not locked(file) or os.fstat(file.fileno()).st_size != self._size:
            file.close()  # where another has added lines and is done, they are not to be lost
            raise UsageError(
                f"another process is {self._work} into {path.parent}, or was meanwhile",
                advice="wait until it is done and go on with --resume, or choose another --out",
            )
        file.truncate(self._whole or 0)
        if self._whole is None:
            file.write(_text({"of": self._of}))
        self._begin()
        return file

    def _read(self) -> int | None:
        """Bytes of whole lines; None where nothing is kept yet."""
        if self.path is None or not self.path.is_file():
            return None
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise InputError(f"cannot read {self.path}: {error.strerror or error}") from error
        self._size = len(content)
        whole = content[: content.rfind(b"\n") + 1]  # a line that was cut short is found anew
        lines = whole.splitlines()
        if not content or (not lines and content.startswith(b'{"of"')):
            return None  # it was stopped before it began
        if not lines:
            raise self.broken(1)
        self._check(self._parsed(1, lines[0]).get("of"))
        self.found = list(self._all_parsed(lines[1:]))
        return len(whole)

    def _all_parsed(self, lines: list[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, text in enumerate(lines, 2):
            yield number, self._parsed(number, text)

    def _parsed(self, number: int, text: bytes) -> dict[str, Any]:
        with suppress(ValueError, RecursionError):
            found = json.loads(text)
            if isinstance(found, dict):
                return found
        raise self.broken(number)

    def _check(self, before: Any) -> None:
        if not isinstance(before, dict):
            raise self.broken(1)
        for name in {**self._of, **before}:
            if self._of.get(name) != before.get(name):
                said = _difference(name, before.get(name), self._of.get(name))
                raise UsageError(
                    f"{self.path} is of another measurement: {said}",
                    advice="resume with the same options on the same device, or choose another "
                    "--out",
                )


def _size(path: Path | None) -> int:
    """Of the file, bytes; 0 where there is none."""
    with suppress(OSError):
        return 0 if path is None else path.stat().st_size
    return 0


def _difference(name: str, before: Any, now: Any) -> str:
    """What differs, and of a mapping only that."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in {**before, **now}:
            if before.get(key) != now.get(key):
                return _difference(f"{name}'s {key}", before.get(key), now.get(key))
    return f"{name} was {before!r:.80}, is {now!r:.80}"


def locked(file: IO[Any], *, wait: bool = False) -> bool:
    """Whether a file is ours alone now; the system gives the lock back when it is closed.

    Args:
        wait: until it is.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows: two processes at once are not kept apart there
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _text(line: Mapping[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False) + "\n"
