"""What ``ofa run label`` keeps while it measures, and where it writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from attrs import asdict

from block_profile.latency.correcting import Raw
from block_profile.latency.options import LabelOptions
from ofa_plugins_core import runs
from ofa_plugins_core.config import structure
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import CostModel, Supernet
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.journal import Journal
from ofa_plugins_core.timing import Effort
from ofa_plugins_core.values import Genes

FILE: Final = "latencies.csv"
JOURNAL: Final = "labels.jsonl"
ABOUT: Final = "labels.json"


class Kept:
    """What was measured, line by line, as it was measured; what is only worked out is not kept.

    Args:
        genes: (n, genes) of the networks, in their order.
        effort: of each network where a reference takes turns with them, else None.

    Attributes:
        known: of the first networks, in their order.

    Raises:
        UsageError: the file is of something else.
        InputError: it cannot be read or written.
    """

    def __init__(
        self,
        context: JobContext,
        options: LabelOptions,
        supernet: Supernet,
        cost: CostModel,
        genes: Genes,
        effort: Effort | None,
    ) -> None:
        of: dict[str, Any] = {
            "supernet": supernet.name,
            "cost": cost.name,
            "source": cost.source,
            "networks": [options.sampler, options.n, context.seed, *supernet.resolutions],
            "drawn": sha256(genes.tobytes()).hexdigest()[:12],
            "set": context.settings,
        }
        if effort is not None:
            of["beside a reference"] = asdict(effort)
        path = _beside(context, JOURNAL) if cost.kind == "measured" else None
        begin = (lambda: begun(context)) if _in_folder(context) else (lambda: None)
        self._journal = Journal(path, of, context.resume, begin, "labelling")
        self._referenced = effort is not None
        self.known = list(self._lines())

    def _lines(self) -> Iterator[Raw]:
        for due, (number, line) in enumerate(self._journal.found):
            yield self._raw(due, number, line)

    def _raw(self, due: int, number: int, line: Mapping[str, Any]) -> Raw:
        place = f"{self._journal.path}, line {number}"
        given = {key: value for key, value in line.items() if key != "net"}
        found = structure(given, Raw, place, InputError)
        if line.get("net") != due or (found.reference is not None) != self._referenced:
            raise self._journal.broken(number)
        return found

    def add(self, first: int, found: Sequence[Raw]) -> None:
        """Keep what was found of the networks from ``first`` on.

        Raises:
            UsageError: another process labels into the same place.
            InputError: it cannot be written; what came before is.
        """
        for number, one in enumerate(found, first):
            line = {k: v for k, v in asdict(one).items() if v is not None}
            self._journal.add({"net": number, **line})

    def close(self) -> None:
        """Let others write into the file."""
        self._journal.close()


def csv_of(context: JobContext) -> Path | None:
    """Where latencies are written; None where --out is not given.

    Raises:
        UsageError: it names a file of another kind.
    """
    if context.out is None:
        return None
    if context.out.suffix in runs.FILES and context.out.suffix != ".csv":
        raise UsageError(f"--out {context.out}: latencies are written as FILE.csv, or in a FOLDER")
    return context.out if context.out.suffix == ".csv" else context.out / FILE


def sidecar_of(context: JobContext) -> Path | None:
    """Where it says what a single CSV is; a folder says so in its ``result.json``."""
    return None if _in_folder(context) else _beside(context, ABOUT)


def _beside(context: JobContext, name: str) -> Path | None:
    file = csv_of(context)
    if file is None:
        return None
    return file.with_name(name if _in_folder(context) else f"{file.stem}.{name}")


def _in_folder(context: JobContext) -> bool:
    return context.out is not None and context.out.suffix not in runs.FILES
