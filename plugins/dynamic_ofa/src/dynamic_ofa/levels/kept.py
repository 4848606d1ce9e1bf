"""What was measured of candidates, written line by line: an interruption loses nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import field, frozen
from attrs.validators import gt, optional

from dynamic_ofa.levels.table import Accuracy, Latency
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.journal import Journal

FILE: Final = "rows.jsonl"


@frozen
class Timing:
    """How long a network took, and what the reference took at the same time, ms."""

    latency: Latency
    reference: float | None = field(default=None, validator=optional(gt(0)))


class Kept:
    """Measured latencies and accuracies, by network, in a file where there is a folder.

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
        self._journal = Journal(None if folder is None else folder / FILE, of, resume, begin)
        self.timings: dict[str, Timing] = {}
        self.accuracies: dict[str, Accuracy] = {}
        for number, line in self._journal.found:
            self._take(number, line)

    def add_timing(self, key: str, found: Timing) -> None:
        """Keep a latency.

        Raises:
            UsageError: another process measures into the same folder.
            InputError: it cannot be written; what came before is.
        """
        self.timings[key] = found
        self._journal.add({"kind": "latency", "key": key, "row": plain(found)})

    def add_accuracy(self, key: str, found: Accuracy) -> None:
        """Keep an accuracy; raises as ``add_timing``."""
        self.accuracies[key] = found
        self._journal.add({"kind": "accuracy", "key": key, "row": plain(found)})

    def close(self) -> None:
        """Let others measure into the folder."""
        self._journal.close()

    def _take(self, number: int, line: Mapping[str, Any]) -> None:
        kind, key = line.get("kind"), line.get("key")
        if kind not in ("latency", "accuracy") or not isinstance(key, str):
            raise self._journal.broken(number)
        place = f"{self._journal.path}, line {number}"
        if kind == "latency":
            self.timings[key] = structure(line.get("row"), Timing, place, InputError)
        else:
            self.accuracies[key] = structure(line.get("row"), Accuracy, place, InputError)
