"""What is measured, written line by line as it comes: an interruption loses no finished row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError, OfaError, UsageError
from ofa_plugins_core.own_tables import OwnRow

FILE: Final = "rows.jsonl"

ROWS: Final = "rows"
PARTS: Final = "parts"
NETWORKS: Final = "networks"
KINDS: Final = (ROWS, PARTS, NETWORKS)


class Kept:
    """Measured rows, parts and networks, by key; in a file where there is a folder.

    Args:
        folder: of the run, or None.
        of: what is measured, on which device, how; another folder's rows are refused by it.
        resume: go on with what the file holds.

    Raises:
        UsageError: the file is of something else.
        InputError: it cannot be read or written.
    """

    def __init__(self, folder: Path | None, of: Mapping[str, Any], resume: bool) -> None:
        self._path = None if folder is None else folder / FILE
        self.found: dict[str, dict[str, OwnRow]] = {kind: {} for kind in KINDS}
        kept = self._read(of) if resume else None
        if self._path is None:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            if kept is None:
                self._path.write_text(_line({"of": plain(of)}), encoding="utf-8")
            else:
                with self._path.open("r+b") as file:
                    file.truncate(kept)
        except OSError as error:
            raise InputError(f"cannot write {self._path}: {error.strerror or error}") from error

    def add(self, kind: str, key: str, row: OwnRow) -> None:
        """Keep a measurement.

        Raises:
            InputError: it cannot be written; what came before is.
        """
        self.found[kind][key] = row
        if self._path is None:
            return
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line({"kind": kind, "key": key, "row": plain(row)}))
        except OSError as error:
            raise InputError(
                f"cannot write {self._path}: {error.strerror or error}",
                advice="the rows before are kept; --resume goes on with them",
            ) from error

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
        if not lines:
            return None
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

    def _check(self, of: Mapping[str, Any], before: Any) -> None:
        if not isinstance(before, dict):
            raise self._broken(1)
        now = plain(of)
        for name in {**now, **before}:
            if now.get(name) != before.get(name):
                raise UsageError(
                    f"{self._path} was measured with another {name}: "
                    f"{before.get(name)!r:.200}, now {now.get(name)!r:.200}",
                    advice="a table is of one device in one state: choose another --out",
                )


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
