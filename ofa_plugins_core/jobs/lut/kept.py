"""What is measured, written line by line as it comes: an interruption loses no finished row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.journal import Journal
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
        path = None if folder is None else folder / FILE
        self._journal = Journal(path, of, resume, begin)
        self.found: dict[str, dict[str, OwnRow]] = {kind: {} for kind in KINDS}
        for number, line in self._journal.found:
            self._take(number, line)

    def add(self, kind: str, key: str, row: OwnRow) -> None:
        """Keep a measurement.

        Raises:
            UsageError: another process measures into the same folder.
            InputError: it cannot be written; what came before is.
        """
        self.found[kind][key] = row
        self._journal.add({"kind": kind, "key": key, "row": plain(row)})

    def close(self) -> None:
        """Let others measure into the folder."""
        self._journal.close()

    def _take(self, number: int, line: Mapping[str, Any]) -> None:
        kind, key = line.get("kind"), line.get("key")
        if kind not in KINDS or not isinstance(key, str):
            raise self._journal.broken(number)
        place = f"{self._journal.path}, line {number}"
        self.found[str(kind)][key] = structure(line.get("row"), OwnRow, place, InputError)
