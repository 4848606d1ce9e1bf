"""``ofa run fit`` of accuracies: measured ones (or another predictor's) -> a fitted predictor.

How a form of predictor is fitted is its plugin's: ``PredictorEntry.fit``.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext, PredictorEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.fits import user_folder
from ofa_plugins_core.interfaces import Predictor, Supernet
from ofa_plugins_core.jobs.fit_options import DEFAULT_FORM, FitOptions
from ofa_plugins_core.jobs.fitting.result import FitResult
from ofa_plugins_core.jobs.records import files_of, measured, read_records
from ofa_plugins_core.measured import FitTask, FittedFile, Measured
from ofa_plugins_core.reduction.supernet import whole
from ofa_plugins_core.structural import Structural

LEAST: Final = 20
"""Records from which an image size is fitted."""
LEAST_IN_ALL: Final = 60
COUNTED: Final = ("peak_memory", "params", "flops")
"""Costs whose records are counted in the file, where a plugin offers them."""
DRAWN: Final = 4000
"""Architectures on which another predictor is asked."""
NAMED: Final = {".json", ".npz"}
"""Endings of an --out that names the fit's file."""


@runtime_checkable
class Portable(Protocol, metaclass=Structural):
    """A predictor that can write itself to a file that needs no torch."""

    def save(self, file: Path) -> None:
        """Write it."""


def run_fit(context: JobContext, options: FitOptions) -> FitResult:
    """Fit a predictor and write it.

    Raises:
        UsageError: neither or both of ``data`` and ``from_mlp`` were given; the data set's name
            cannot be part of a file's; the predictor cannot be fitted.
        InputError: a file is broken, the records are too few, or the output cannot be written.
    """
    if bool(options.data) == (options.from_mlp is not None):
        raise UsageError("give either --data FILE (one or more) or --from-mlp FILE")
    if tables := [file for file in options.data if file.suffix == ".csv"]:
        raise UsageError(
            f"{tables[0]}: accuracies come as JSON lines or as the published pickle",
            advice="a CSV of latencies is fitted to by --kind latency",
        )
    if options.name is not None or options.lut:
        raise UsageError("--name and --lut are of latencies: say --kind latency")
    _check_name(options.dataset)
    entry = context.host.predictor(options.predictor or DEFAULT_FORM)
    if entry.fit is None:
        raise UsageError(
            f"the predictor {entry.name} cannot be fitted",
            advice=f"those that can: {', '.join(_fittable(context))}",
        )
    _check_out(context, entry)
    supernet = _whole(context, options.supernet)
    teacher = _teacher(context, supernet, options.from_mlp)
    if teacher is None:
        found = _samples(context, supernet, options)
    else:
        found = _asked(context, supernet, teacher)
    found, left_out = _enough(found)
    task = _task(context, supernet.at(found.space.resolutions), found, options, teacher)
    made = entry.fit(task)
    name = f"{entry.name}-{task.supernet.space.name}-{task.dataset}{made.ending}"
    files = _written(context, made, name, options.install)
    files += _network(context, task.supernet.space.name, teacher)
    return FitResult(
        task.supernet.space.name,
        options.dataset,
        entry.name,
        task.labels,
        made,
        tuple(files),
        found.repeated,
        left_out,
    )


def _whole(context: JobContext, name: str) -> Supernet:
    """The supernet; of a smaller space the whole one, whose predictor serves both."""
    asked = context.host.supernet(name)
    found = whole(asked)
    if found is not asked:
        context.listener(Notice(f"fitted for {found.name}: its predictor serves {asked.name}, too"))
    return found


def _check_name(named: str) -> None:
    if not named.isprintable() or not 0 < len(named) <= 100 or set(named) & set("/\\"):
        raise UsageError(
            f"--dataset: expected a name that a file can have, found {named!r:.60}",
            advice="the fit's file is called after it; --data names what was measured",
        )


def _fittable(context: JobContext) -> list[str]:
    return [e.name for e in context.host.entries("predictors") if e.fit is not None]


def _check_out(context: JobContext, entry: PredictorEntry) -> None:
    """An --out that names a file of another ending, where fits of the form ship: now, not later."""
    if context.out is None or context.out.suffix not in NAMED:
        return
    shipped = [e for e in context.host.entries("fitted_predictors") if e.predictor == entry.name]
    endings = sorted({Path(e.file.name).suffix for e in shipped})
    if endings and context.out.suffix not in endings:
        raise _wrong_ending(context.out, " or ".join(endings))


def _wrong_ending(out: Path, due: str) -> UsageError:
    return UsageError(f"--out {out}: this predictor's file ends in {due}")


def _samples(context: JobContext, supernet: Supernet, options: FitOptions) -> Measured:
    files = [file for given in options.data for file in files_of(given)]
    if len(files) > len(options.data):
        context.listener(Notice(f"merged: {', '.join(f.name for f in files)}"))
    records = [record for file in files for record in read_records(file)]
    found = measured(supernet.space, records)
    _plausible(found)
    if found.repeated:
        context.listener(Notice(f"{found.repeated} records repeat a network: averaged"))
    return found


def _plausible(found: Measured) -> None:
    """Accuracies that nothing can be learnt from are somebody's mistake."""
    lowest, highest = float(found.top1.min()), float(found.top1.max())
    if highest <= 1:
        raise InputError(
            f"no accuracy is above {highest:g}: these look like fractions",
            advice="top1 is in percent: 76.5, not 0.765",
        )
    if lowest == highest:
        raise InputError(
            f"every accuracy is {highest:g}: there is nothing to fit",
            advice="measure networks that differ, each by itself",
        )


def _teacher(context: JobContext, supernet: Supernet, file: Path | None) -> Predictor | None:
    if file is None:
        return None
    return context.host.predictor("mlp").load(supernet, file, None)


def _asked(context: JobContext, supernet: Supernet, teacher: Predictor) -> Measured:
    """A predictor's answers on random networks, in place of measurements."""
    space = supernet.space.with_resolutions(teacher.resolutions)
    generator = np.random.Generator(np.random.PCG64(context.seed))
    genes = np.unique(space.canonical(space.sample(DRAWN, generator)), axis=0)
    top1 = np.clip(teacher.predict(space.decode(genes)).value, 0.0, 100.0)
    return Measured(space, genes, top1, 0)


def _enough(found: Measured) -> tuple[Measured, dict[int, int]]:
    """Leave out image sizes with too few records; their numbers are returned."""
    sizes = found.space.resolutions
    counts = np.bincount(found.genes[:, 0], minlength=len(sizes))
    kept = [i for i, c in enumerate(counts) if c >= LEAST]
    total = int(counts[kept].sum())
    if total < LEAST_IN_ALL:
        raise InputError(
            f"{int(counts.sum())} distinct networks are too few for a fit: at least "
            f"{LEAST_IN_ALL} are needed, and at least {LEAST} for an image size to take part",
            advice="400 measured networks are enough for a good fit",
        )
    rows = np.isin(found.genes[:, 0], kept)
    genes = found.genes[rows]
    genes[:, 0] = np.searchsorted(kept, genes[:, 0])
    space = found.space.with_resolutions(sizes[i] for i in kept)
    left_out = {sizes[i]: int(c) for i, c in enumerate(counts) if c and i not in kept}
    return Measured(space, genes, found.top1[rows], found.repeated), left_out


def _task(
    context: JobContext,
    supernet: Supernet,
    found: Measured,
    options: FitOptions,
    teacher: Predictor | None,
) -> FitTask:
    return FitTask(
        supernet=supernet,
        records=found,
        dataset=options.dataset,
        labels="measured" if teacher is None else "predicted",
        origin=options.origin or _origin(options),
        command=_command(context, options),
        seed=context.seed,
        costs=_costs(context, supernet, found) if teacher is None else {},
        listener=context.listener,
    )


def _costs(context: JobContext, supernet: Supernet, found: Measured) -> dict[str, NDArray[Any]]:
    costs = {}
    for name in COUNTED:
        try:
            entry = context.host.cost_model(name)
        except UsageError:
            continue  # nobody offers it: the fit then cannot count under it
        model = entry.build(supernet, entry.options())
        costs[model.name] = model.evaluate(found.genes)
    return costs


def _origin(options: FitOptions) -> str:
    if options.from_mlp is not None:
        return f"distilled from the predictor {options.from_mlp.name}: no measured accuracy in it"
    return "measured accuracies of " + ", ".join(f.name for f in options.data)


def _command(context: JobContext, options: FitOptions) -> str:
    words = ["ofa", "run", "fit", "--supernet", options.supernet]
    for file in options.data:
        words += ["--data", str(file)]
    if options.from_mlp is not None:
        words += ["--from-mlp", str(options.from_mlp)]
    form = options.predictor or DEFAULT_FORM
    if form != DEFAULT_FORM:
        words += ["--predictor", form]
    if options.from_mlp is not None or form != DEFAULT_FORM:
        words += ["--seed", str(context.seed)]
    words += ["--dataset", options.dataset]
    return shlex.join(words + (["--origin", options.origin] if options.origin else []))


def _written(context: JobContext, made: FittedFile, name: str, install: bool) -> list[Path]:
    files = []
    if context.out is not None:
        if context.out.suffix in NAMED and context.out.suffix != made.ending:
            raise _wrong_ending(context.out, made.ending)
        named = context.out.suffix == made.ending
        files.append(context.out if named else context.out / name)
    if install:
        files.append(user_folder() / name)
    for file in files:
        runs.write(file, made.content)
    return files


def _network(context: JobContext, supernet: str, teacher: Predictor | None) -> list[Path]:
    """The teacher beside the fit, as a file that needs no torch."""
    if context.out is None or not isinstance(teacher, Portable):
        return []
    network = folder_of(context.out) / f"mlp-{supernet}.npz"
    teacher.save(network)
    return [network]


def folder_of(out: Path) -> Path:
    return out.parent if out.suffix in NAMED else out
