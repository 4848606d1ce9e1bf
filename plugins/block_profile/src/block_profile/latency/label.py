"""``ofa run label``: networks drawn and priced, as the CSV to fit latency predictors to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen

from block_profile.latency.drawing import distinct_networks
from block_profile.latency.options import LabelOptions
from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Event, Listener, Notice, Progress
from ofa_plugins_core.interfaces import CostModel, Supernet
from ofa_plugins_core.jobs.choosing import (
    DEFAULT_DEVICE,
    cost_models,
    latency_tables,
    notices_of,
    sampler_of,
)
from ofa_plugins_core.jobs.latency_records import latency_csv
from ofa_plugins_core.jobs.results import INTERRUPTED, Row
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.journal import Journal
from ofa_plugins_core.latency_fits import Values
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.values import Genes
from ofa_plugins_core.words import counted

FILE: Final = "latencies.csv"
JOURNAL: Final = "labels.jsonl"
LATENCY: Final = "latency"
AT_ONCE: Final = 256
"""Networks that are priced together where nothing is measured."""


@frozen(eq=False)
class LabelResult:
    """What ``ofa run label`` prints.

    Attributes:
        supernet: at the image sizes of the networks. cost: whose values the latencies are.
        latency: (labelled,) ms. of: networks that were asked for.
        device: as the file calls it. file: that was written, or None.
        interrupted: the user stopped it; what was labelled is in the file.
    """

    supernet: Supernet
    cost: CostModel
    latency: Values
    of: int
    device: str
    file: Path | None
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "supernet": self.supernet.name,
            "cost": self.cost.name,
            "kind": self.cost.kind,
            "source": self.cost.source,
            "device": self.device,
            "resolutions": list(self.supernet.resolutions),
            "networks": len(self.latency),
            "of": self.of,
            "unit": "ms",
            "least": float(self.latency.min()),
            "most": float(self.latency.max()),
            "mean": float(self.latency.mean()),
            "file": None if self.file is None else str(self.file),
            "interrupted": self.interrupted,
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        found = self.as_json()
        span = f"{found['least']:.4g} to {found['most']:.4g} ms, {found['mean']:.4g} on average"
        said = "--resume goes on" if self.interrupted else "ofa run fit --kind latency --data FILE"
        rows = [
            ("networks", f"{found['networks']:,} of {self.of:,}, each once"),
            ("image sizes", ", ".join(map(str, found["resolutions"]))),
            ("latencies", f"{span}; {self.cost.kind}"),
            ("by", f"{self.cost.name}: {self.cost.source}"),
            ("written", str(self.file) if self.file else "nowhere: give --out"),
            ("next", said),
        ]
        return [(f"{self.supernet.name} on {self.device}", ("", ""), rows)]


def run_label(context: JobContext, options: LabelOptions) -> LabelResult:
    """Draw networks, have each one's latency, and write them.

    Raises:
        UsageError: no latency is named, or several; or the networks cannot be spelled.
        InputError: a table is broken, the device is gone, or nothing can be written.
        KeyboardInterrupt: before anything was labelled.
    """
    supernet, cost = _priced(context, options)
    Spelling.of(supernet.geometry())  # now, not after hours of measuring
    entry = context.host.sampler(options.sampler)
    sampler = sampler_of(context, entry, supernet, options)
    genes = distinct_networks(entry, sampler, supernet.space, options.n, context.seed)
    device = options.name or cost.name.partition("@")[2] or cost.name
    latency, interrupted = _labelled(context, options, supernet, cost, genes)
    file = _file(context)
    if file is not None:
        runs.write(file, latency_csv(supernet, genes[: len(latency)], latency, device))
    return LabelResult(supernet, cost, latency, options.n, device, file, interrupted)


def _priced(context: JobContext, options: LabelOptions) -> tuple[Supernet, CostModel]:
    """The supernet at the image sizes that have a latency, and the cost that tells it."""
    name = _cost_name(options)
    supernet = context.host.supernet(options.supernet)
    if options.resolutions is not None:
        supernet = supernet.at(options.resolutions)
    quiet = evolve(context, listener=_notices(context.listener))
    (cost,) = cost_models(quiet, options, supernet, [name]).values()
    known = getattr(cost, "resolutions", supernet.resolutions)
    left = tuple(s for s in supernet.resolutions if s in known)
    if options.resolutions is None and left and left != supernet.resolutions:
        supernet = supernet.at(left)
        (cost,) = cost_models(quiet, options, supernet, [name]).values()
    if cost.unit != "ms":
        raise UsageError(f"{cost.name} is in {cost.unit}: a latency is due, in ms")
    for notice in notices_of({name: cost}):
        context.listener(notice)
    return supernet, cost


def _cost_name(options: LabelOptions) -> str:
    """The one latency that is asked for."""
    if len(options.cost) > 1:
        raise UsageError(f"which latency? {' and '.join(options.cost)} are given")
    if options.cost:
        return options.cost[0]
    tables = latency_tables(options.lut)
    if len(tables) == 1:
        return f"{LATENCY}@{next(iter(tables))}"
    if options.measure and not tables:
        return f"{LATENCY}@{options.device or DEFAULT_DEVICE}"
    if tables:
        raise UsageError(
            f"which latency? {', '.join(tables)} are given",
            advice=f"--cost {LATENCY}@{next(iter(tables))}",
        )
    raise UsageError(
        "where do latencies come from?",
        advice="--lut FOLDER (a table), --device cpu --measure, or --cost latency@NAME of an "
        "installed one",
    )


def _notices(listener: Listener) -> Listener:
    """Notices alone: the progress of single networks is told here."""

    def tell(event: Event) -> None:
        if isinstance(event, Notice):
            listener(event)

    return tell


# ------------------------------------------------------------------------------- labelling


def _labelled(
    context: JobContext, options: LabelOptions, supernet: Supernet, cost: CostModel, genes: Genes
) -> tuple[Values, bool]:
    """Latencies of the networks, in their order; and whether the user stopped it before the end."""
    kept = _Kept(context, options, supernet, cost)
    found = [kept.known[number] for number in range(len(genes)) if number in kept.known]
    if found:
        context.listener(Notice(f"{counted(len(found), 'network')} of {len(genes):,} are there"))
    step = 1 if cost.kind == "measured" else AT_ONCE
    try:
        for start in range(len(found), len(genes), step):
            values = _asked(cost, supernet, genes[start : start + step])
            found += values
            kept.add(start, values)
            said = f"{values[-1]:.4g} ms"
            context.listener(Progress("network labelled", len(found), len(genes), said))
    except KeyboardInterrupt:
        if not found:
            raise
        return np.array(found), True
    finally:
        kept.close()
    return np.array(found), False


def _asked(cost: CostModel, supernet: Supernet, genes: Genes) -> list[float]:
    found = np.asarray(cost.evaluate(genes), dtype=float)
    if not (np.isfinite(found) & (found > 0)).all():
        wrong = float(found[~(np.isfinite(found) & (found > 0))][0])
        raise UsageError(f"{cost.name} says {wrong:g} ms of a network of {supernet.name}")
    return [float(v) for v in found]


class _Kept:
    """What was measured, line by line; what is only worked out is not kept."""

    def __init__(
        self, context: JobContext, options: LabelOptions, supernet: Supernet, cost: CostModel
    ) -> None:
        file = _file(context) if cost.kind == "measured" else None
        of: Mapping[str, Any] = {
            "supernet": supernet.name,
            "cost": cost.name,
            "source": cost.source,
            "networks": [options.sampler, options.n, context.seed, *supernet.resolutions],
        }
        folder = context.out is not None and context.out.suffix not in runs.FILES
        path = None if file is None else file.with_name(_journal_name(file, folder))
        begin = (lambda: begun(context)) if folder else (lambda: None)
        self._journal = Journal(path, of, context.resume, begin, "labelling")
        self.known = dict(self._lines())

    def _lines(self) -> Iterator[tuple[int, float]]:
        for due, (number, line) in enumerate(self._journal.found):
            value = line.get("ms")
            if line.get("net") != due or not isinstance(value, float) or not value > 0:
                raise self._journal.broken(number)
            yield due, value

    def add(self, first: int, values: list[float]) -> None:
        for number, value in enumerate(values, first):
            self._journal.add({"net": number, "ms": value})

    def close(self) -> None:
        self._journal.close()


def _journal_name(file: Path, folder: bool) -> str:
    return JOURNAL if folder else f"{file.stem}.{JOURNAL}"


def _file(context: JobContext) -> Path | None:
    if context.out is None:
        return None
    if context.out.suffix in runs.FILES and context.out.suffix != ".csv":
        raise UsageError(f"--out {context.out}: latencies are written as FILE.csv, or in a FOLDER")
    return context.out if context.out.suffix == ".csv" else context.out / FILE
