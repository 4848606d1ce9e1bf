"""``ofa run fit --kind latency``: networks with known latencies -> the cost latency@NAME.

The data are split once, by seed: to fit to, to choose by, and to judge on. Simpler ways (baselines,
the sum of a table's rows) are judged on the same networks: what is fitted has to earn its weight.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen

from ofa_plugins_core import own_tables, runs
from ofa_plugins_core.entries import JobContext, LatencyPredictorEntry
from ofa_plugins_core.errors import InputError, OfaError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import CostModel
from ofa_plugins_core.jobs.choosing import cost_models, entry_options, latency_tables
from ofa_plugins_core.jobs.fit_options import DEFAULT_DATASET, DEFAULT_LATENCY_FORM, FitOptions
from ofa_plugins_core.jobs.fitting.latency_result import Judged, LatencyFitResult, verdict
from ofa_plugins_core.jobs.latency_records import LatencyData, read_latencies
from ofa_plugins_core.jobs.options import PricedOptions
from ofa_plugins_core.latency_cost import latencies
from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyTask
from ofa_plugins_core.latency_models import Header, Split, as_bytes, networks_digest

LEAST: Final = 40
"""Networks from which a predictor is fitted."""
HELD_OUT: Final = 0.2
DEV: Final = 0.1
"""Parts of the data that are judged on, and chosen by; the rest is fitted to."""
TABLE: Final = "the latency table"
LONGEST: Final = 100
"""Characters of a name."""


@frozen(eq=False)
class _Parts:
    """The data, split."""

    train: Labelled
    dev: Labelled
    held_out: Labelled

    @property
    def counts(self) -> Split:
        parts = (self.train, self.dev, self.held_out)
        train, dev, held_out = (len(p.latency) for p in parts)
        return Split(train=train, dev=dev, held_out=held_out)

    @property
    def least(self) -> float:
        """Of the latencies fitted to, ms."""
        return float(self.train.latency.min())


def run_latency_fit(context: JobContext, options: FitOptions) -> LatencyFitResult:
    """Fit a latency predictor, judge it beside simpler ways, and write it.

    Raises:
        UsageError: options that do not fit together; an unknown form.
        MissingExtraError: the form needs an extra.
        InputError: a file is broken, the networks are too few, or nothing can be written.
    """
    _check(context, options)
    form = options.predictor or DEFAULT_LATENCY_FORM
    entry = context.host.latency_predictor(form)
    supernet = context.host.supernet(options.supernet)
    data = read_latencies(options.data, supernet)
    _enough(context, data)
    name = _name(options, data)
    table = _table(context, options, data)
    parts = _split(data.found, context.seed)
    given = entry_options(context, entry)
    others = _baselines(context, entry)
    fit, asked = _fitted(context, entry, given, data, parts, context.out)
    beside = dict(_beside(context, others, data, parts))
    if table is not None:
        predicted = table.evaluate(data.supernet.space.decode(parts.held_out.genes))
        beside[TABLE] = Judged(np.asarray(predicted, dtype=float), parts.held_out.latency)
    said = verdict(entry.name, asked, beside, None if table is None else TABLE)
    header = Header(
        form=entry.name,
        supernet=data.supernet.space.name,
        networks=networks_digest(data.supernet),
        device=data.device,
        resolutions=list(data.supernet.resolutions),
        least=parts.least,
        split=parts.counts,
        seed=context.seed,
        command=_command(context, options, entry.name),
        origin=options.origin or "latencies of " + ", ".join(f.name for f in options.data),
        quality=asked.quality,
        beside={other: judged.quality for other, judged in beside.items()},
        settings=dict(fit.settings),
    )
    files = _written(context, as_bytes(header, fit.arrays), name, options.install)
    return LatencyFitResult(name, header, asked, beside, said, fit, files, data.repeated)


def _check(context: JobContext, options: FitOptions) -> None:
    if not options.data:
        raise UsageError(
            "which latencies? give --data FILE.csv (one or more)",
            advice="ofa run label makes such a file, from a table or by measuring",
        )
    if options.from_mlp is not None or options.dataset != DEFAULT_DATASET:
        raise UsageError("--from-mlp and --dataset are of accuracies, not of --kind latency")
    if len(options.lut) > 1:
        raise UsageError("--lut: one table to compare with, found several")
    if context.out is not None and context.out.suffix in (*runs.FILES, ".zip"):
        raise UsageError(f"a latency fit is kept in a folder, and {context.out} names a file")


def _enough(context: JobContext, data: LatencyData) -> None:
    if data.repeated:
        context.listener(Notice(f"{data.repeated} lines repeat a network: averaged"))
    latency = data.found.latency
    if len(latency) < LEAST:
        raise InputError(
            f"{len(latency)} distinct networks are too few for a fit: at least {LEAST} are needed",
            advice="ofa run label --n 600 labels as many",
        )
    if latency.min() == latency.max():
        raise InputError(f"every latency is {latency[0]:g} ms: there is nothing to fit")


def _name(options: FitOptions, data: LatencyData) -> str:
    """Of the cost: latency@NAME."""
    by_device = re.sub(r"[^\w.+-]+", "_", data.device).lstrip("_.+-").rstrip("_")[:LONGEST]
    name = options.name or by_device
    if not name:
        raise UsageError(
            f"the data's device, {data.device!r:.60}, gives the cost no name", advice="--name NAME"
        )
    if not re.fullmatch(rf"\w[\w.+-]{{0,{LONGEST - 1}}}", name):
        raise UsageError(f"--name: letters, digits and . _ + -, found {name!r:.60}")
    if options.install and (own_tables.user_folder() / name / own_tables.FILE).is_file():
        raise UsageError(
            f"latency@{name} is an installed table", advice="choose another --name NAME"
        )
    return name


def _table(context: JobContext, options: FitOptions, data: LatencyData) -> CostModel | None:
    """The table to compare with, at the image sizes of the data; its files are read now."""
    if not options.lut:
        return None
    (label,) = latency_tables(options.lut)
    priced = PricedOptions(supernet=options.supernet, lut=options.lut)
    supernet = context.host.supernet(options.supernet).at(data.supernet.resolutions)
    (model,) = cost_models(context, priced, supernet, [f"latency@{label}"]).values()
    model.evaluate(data.supernet.space.decode(data.found.genes[:1]))
    return model


def _split(found: Labelled, seed: int) -> _Parts:
    count = len(found.latency)
    order = np.random.Generator(np.random.PCG64(seed)).permutation(count)
    held_out, dev = round(HELD_OUT * count), round(DEV * count)
    first, second, third = np.split(order, [held_out, held_out + dev])
    return _Parts(found.take(third), found.take(second), found.take(first))


def _fitted(
    context: JobContext,
    entry: LatencyPredictorEntry,
    options: object,
    data: LatencyData,
    parts: _Parts,
    folder: Path | None = None,
) -> tuple[LatencyFit, Judged]:
    """A form fitted, and what it says of the held-out networks: as it will be once it is loaded.

    Args:
        folder: where it may keep what ``--resume`` goes on with.
    """
    task = LatencyTask(data.supernet, parts.train, parts.dev, context.seed, context.listener)
    fit = entry.fit(evolve(task, folder=folder, resume=context.resume), options)
    predictor = entry.load(data.supernet, LatencyFit(fit.arrays, fit.settings))
    predicted = latencies(entry.name, predictor, parts.held_out.genes, parts.least)
    return fit, Judged(predicted, parts.held_out.latency)


def _baselines(
    context: JobContext, asked: LatencyPredictorEntry
) -> Sequence[tuple[LatencyPredictorEntry, Any]]:
    """The other simple forms with their options: what the user mistyped is told before any fit."""
    offered: list[LatencyPredictorEntry] = context.host.entries("latency_predictors")
    others = [entry for entry in offered if entry.baseline and entry.name != asked.name]
    return [(entry, entry_options(context, entry)) for entry in others]


def _beside(
    context: JobContext,
    baselines: Sequence[tuple[LatencyPredictorEntry, Any]],
    data: LatencyData,
    parts: _Parts,
) -> Mapping[str, Judged]:
    """Baselines on the same networks; one that lacks an extra, or fails, takes only its own."""
    found: dict[str, Judged] = {}
    for entry, options in baselines:
        try:
            found[entry.name] = _fitted(context, entry, options, data, parts)[1]
        except OfaError as error:
            said = "; ".join(filter(None, (error.message, error.advice)))
            context.listener(Notice(f"not compared with {entry.name}: {said}"))
    return found


def _command(context: JobContext, options: FitOptions, form: str) -> str:
    words = ["ofa", "run", "fit", "--kind", "latency", "--supernet", options.supernet]
    for file in options.data:
        words += ["--data", str(file)]
    words += ["--predictor", form]
    for table in options.lut:
        words += ["--lut", table]
    for key, value in context.settings.get(form, {}).items():
        words += ["--set", f"{form}.{key}={value}"]
    words += ["--seed", str(context.seed)]
    return shlex.join(words + (["--origin", options.origin] if options.origin else []))


def _written(context: JobContext, content: bytes, name: str, install: bool) -> tuple[Path, ...]:
    files = []
    if context.out is not None:
        files.append(context.out / own_tables.MODEL)
    if install:
        files.append(own_tables.user_folder() / name / own_tables.MODEL)
    for file in files:
        runs.write(file, content)
    return tuple(files)
