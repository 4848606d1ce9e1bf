"""The records of predictor data on disk: one file a writer, merged into one in the end.

A line is a record. A writer appends and flushes each line, so that a kill loses at most the line
that was being written; what is no whole record is dropped, and its network measured again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

from attrs import field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.values import Arch

MERGED: Final = "dataset.jsonl"
PARTS: Final = "parts"


@frozen(eq=False)
class Parts:
    """The records in a run's folder.

    Attributes:
        folder: of the run.
        archs: the networks in the order in which they were drawn: record 1 is of the first.
    """

    folder: Path
    archs: Sequence[Arch]
    _dicts: list[dict[str, Any]] = field(init=False, repr=False)

    @_dicts.default
    def _as_dicts(self) -> list[dict[str, Any]]:
        return [json.loads(json.dumps(a.as_dict())) for a in self.archs]

    @property
    def merged(self) -> Path:
        """Where all records end up."""
        return self.folder / MERGED

    def read(self) -> dict[int, dict[str, Any]]:
        """All whole records, of any number of writers, by number.

        Raises:
            InputError: a file cannot be read.
        """
        found: dict[int, dict[str, Any]] = {}
        for file in (self.merged, *sorted((self.folder / PARTS).glob("*.jsonl"))):
            found |= {record["number"]: record for record in self._records(file)}
        return dict(sorted(found.items()))

    def _records(self, file: Path) -> Iterator[dict[str, Any]]:
        try:
            content = file.read_bytes() if file.exists() else b""
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror or error}") from error
        for line in content.split(b"\n")[:-1]:  # what follows the last end of a line is no line
            try:
                record = json.loads(line)
                number = record["number"]
                whole = isinstance(number, int) and 0.0 <= record["top1"] <= 100.0
                if whole and record["arch"] == self._dicts[number - 1] and number > 0:
                    yield record
            except (ValueError, KeyError, TypeError, IndexError, RecursionError):
                continue

    def writer(self, rank: int) -> Writer:
        """The file of one writer, opened to append; half a line at its end is cut off.

        Raises:
            InputError: it cannot be written.
        """
        file = self.folder / PARTS / f"{rank}.jsonl"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            stream = file.open("ab+")
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
        except OSError as error:
            raise InputError(f"cannot write {file}: {error.strerror or error}") from error
        return Writer(file, stream)

    def merge(self) -> dict[int, dict[str, Any]]:
        """Write all records into one file, in the order of the draw; they are returned.

        The parts are deleted once every network is there.

        Raises:
            InputError: it cannot be written.
        """
        found = self.read()
        runs.write(self.merged, "".join(_line(r) for r in found.values()))
        if len(found) == len(self.archs):
            shutil.rmtree(self.folder / PARTS, ignore_errors=True)
        return found


@frozen(eq=False)
class Writer:
    """One writer's file, open."""

    file: Path
    _stream: IO[bytes]

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a record.

        Raises:
            InputError: it cannot be written, a full disk for example.
        """
        try:
            self._stream.write(_line(record).encode("utf-8"))
            self._stream.flush()
        except OSError as error:
            raise InputError(f"cannot write {self.file}: {error.strerror or error}") from error

    def close(self) -> None:
        """No more records come."""
        self._stream.close()


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False) + "\n"
