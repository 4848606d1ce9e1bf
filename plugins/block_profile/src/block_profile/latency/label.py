"""``ofa run label``: networks drawn and priced, as the CSV to fit latency predictors to."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen

from block_profile.latency.correcting import Correction, Raw, corrected
from block_profile.latency.drawing import distinct_networks
from block_profile.latency.kept import Kept, csv_of, sidecar_of
from block_profile.latency.options import LabelOptions
from block_profile.latency.timing import TOLD, Stopwatch
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
from ofa_plugins_core.latency_fits import Values
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.timed_costs import MeasuredCost, mean_time
from ofa_plugins_core.values import Genes
from ofa_plugins_core.words import counted

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
        correction: by which measured latencies were brought to one speed, or None.
    """

    supernet: Supernet
    cost: CostModel
    latency: Values
    of: int
    device: str
    file: Path | None
    interrupted: bool = False
    correction: Correction | None = None

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
            "corrected": None if self.correction is None else self.correction.as_json(),
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
            *([("corrected", str(self.correction))] if self.correction else []),
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
    file = csv_of(context)
    raw, interrupted = _labelled(context, options, supernet, cost, genes)
    latency, correction = corrected(raw)
    result = LabelResult(supernet, cost, latency, options.n, device, file, interrupted, correction)
    if file is not None:
        runs.write(file, latency_csv(supernet, genes[: len(latency)], latency, device))
    if correction is not None and (place := sidecar_of(context)) is not None:
        runs.write(place, json.dumps(result.as_json(), indent=2) + "\n")
    return result


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
) -> tuple[list[Raw], bool]:
    """What was found of the networks, in their order; and whether the user stopped it early."""
    stopwatch = _stopwatch(context, cost)
    effort = None if stopwatch is None else stopwatch.cost.effort
    kept = Kept(context, options, supernet, cost, genes, effort)
    found = list(kept.known)
    if found:
        context.listener(Notice(f"{counted(len(found), 'network')} of {len(genes):,} are there"))
    if stopwatch is None:
        ways = _asked(cost, supernet, genes, len(found))
    else:
        ways = stopwatch.groups(genes, len(found))
    try:
        with closing(ways):
            for more in ways:
                kept.add(len(found), more)
                found += more
                said = f"{more[-1].ms:.4g} ms"
                context.listener(Progress(TOLD, len(found), len(genes), said))
    except KeyboardInterrupt:
        if not found:
            raise
        return found, True
    finally:
        kept.close()
    return found, False


def _stopwatch(context: JobContext, cost: CostModel) -> Stopwatch | None:
    """For a mean time that is had by running networks; other costs are asked as they are."""
    if isinstance(cost, MeasuredCost) and cost.take is mean_time:
        return Stopwatch(context, cost)
    return None


def _asked(
    cost: CostModel, supernet: Supernet, genes: Genes, first: int
) -> Generator[list[Raw], None, None]:
    """Networks from ``first`` on, one at a time where each is measured."""
    step = 1 if cost.kind == "measured" else AT_ONCE
    for start in range(first, len(genes), step):
        found = np.asarray(cost.evaluate(genes[start : start + step]), dtype=float)
        wrong = found[~(np.isfinite(found) & (found > 0))]
        if wrong.size:
            raise UsageError(f"{cost.name} says {wrong[0]:g} ms of a network of {supernet.name}")
        yield [Raw(float(v)) for v in found]
