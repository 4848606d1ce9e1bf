"""The job ``ofa run fit``: measured accuracies (or another predictor's) -> an additive fit."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from attrs import asdict, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.fits import user_folder
from ofa_plugins_core.interfaces import CostModel, Predictor, Supernet
from ofa_search.additive.features import design, features_of, indicator
from ofa_search.additive.fitfile import AdditiveFit, Counts, Label, SizeFit, dumps
from ofa_search.additive.form import Samples, fit
from ofa_search.additive.loading import file_name
from ofa_search.additive.validation import Choice, choose, held_out, interval, tail
from ofa_search.additive.values import Quality
from ofa_search.fit_options import FitOptions
from ofa_search.records import Measured, measured, read_records

LEAST: Final = 20
"""Records from which an image size is fitted."""
LEAST_IN_ALL: Final = 60
COUNTED: Final = ("peak_memory", "params", "flops")
"""Costs whose records are counted in the file, where a plugin offers them."""
DRAWN: Final = 4000
"""Architectures on which another predictor is asked."""


@runtime_checkable
class Portable(Protocol):
    """A predictor that can write itself to a file that needs no torch."""

    def save(self, file: Path) -> None:
        """Write it."""


@frozen(eq=False)
class FitResult:
    """What ``ofa run fit`` prints.

    Attributes:
        fit: as written.
        files: that were written.
        repeated: records that repeated a network and were averaged.
        left_out: image size -> records, where they were too few.
    """

    fit: AdditiveFit
    files: tuple[Path, ...]
    repeated: int
    left_out: Mapping[int, int]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        found = self.fit
        return {
            "supernet": found.supernet,
            "dataset": found.dataset,
            "labels": found.labels,
            "records": found.records,
            "resolutions": [s.image_size for s in found.sizes],
            "settings": asdict(found.settings),
            "held_out": asdict(found.held_out),
            "tail": asdict(found.tail),
            "half_width": {str(s.image_size): s.half_width for s in found.sizes},
            "repeated": self.repeated,
            "left_out": {str(k): v for k, v in self.left_out.items()},
            "files": [str(f) for f in self.files],
        }

    def as_tables(self) -> list[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
        """For the terminal: how it does on what it has not seen, and each image size."""
        found = self.fit
        title = f"{found.supernet} on {found.dataset}: {found.records:,} {found.labels} accuracies"
        judged = (("held-out fifth", found.held_out), ("tail test", found.tail))
        quality = [(name, *_judged(q)) for name, q in judged]
        sizes = [
            (str(s.image_size), f"{s.records:,}", f"±{s.half_width:.2f}", f"{s.best:.2f}")
            for s in found.sizes
        ] + [(str(size), f"{n:,}", "left out: too few", "") for size, n in self.left_out.items()]
        return [
            (title, ("", "networks", "Kendall τ", "RMSE", "in 80 % interval", "bias"), quality),
            ("", ("image size", "records", "80 % interval", "best prediction"), sizes),
            ("", ("written",), [(str(f),) for f in self.files]),
        ]


def _judged(found: Quality) -> tuple[str, ...]:
    numbers = (f"{found.tau:.3f}", f"{found.rmse:.3f}", f"{found.coverage:.1%}")
    return (f"{found.networks:,}", *numbers, f"{found.bias:+.3f}")


def run_fit(context: JobContext, options: FitOptions) -> FitResult:
    """Fit the additive predictor and write it.

    Raises:
        UsageError: neither or both of ``data`` and ``from_mlp`` were given.
        InputError: a file is broken, the records are too few, or the output cannot be written.
    """
    if bool(options.data) == (options.from_mlp is not None):
        raise UsageError("give either --data FILE (one or more) or --from-mlp FILE")
    supernet = context.host.supernet(options.supernet)
    teacher = _teacher(context, supernet, options.from_mlp)
    if teacher is None:
        found = _samples(context, supernet, options)
    else:
        found = _asked(context, supernet, teacher)
    found, left_out = _enough(found)
    made = fit_measured(context, supernet.at(found.space.resolutions), found, options, teacher)
    files = _written(context, made, teacher, options.install)
    return FitResult(made, files, found.repeated, left_out)


def _samples(context: JobContext, supernet: Supernet, options: FitOptions) -> Measured:
    records = [record for file in options.data for record in read_records(file)]
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


def fit_measured(
    context: JobContext,
    supernet: Supernet,
    found: Measured,
    options: FitOptions,
    teacher: Predictor | None = None,
) -> AdditiveFit:
    """Choose settings, fit, and judge the fit on what it has not seen."""
    features = features_of(found.space)
    bits = design([indicator(found.space, f) for f in features], found.genes)
    size = found.genes[:, 0].astype(np.intp)
    samples = Samples(bits, size, found.top1, len(found.space.resolutions))
    context.listener(Progress("fit", 0, 3, "choosing settings"))
    choice = choose(samples)
    context.listener(Progress("fit", 1, 3, "judging on a held-out fifth"))
    seen_not = held_out(samples)
    context.listener(Progress("fit", 2, 3, "judging the tail"))
    far = tail(samples, choice)
    return AdditiveFit(
        supernet=supernet.space.name,
        dataset=options.dataset,
        labels=_label(teacher),
        origin=options.origin or _origin(options, teacher),
        command=_command(context, options),
        settings=choice.settings,
        held_out=seen_not,
        tail=far,
        features=features,
        sizes=_size_fits(context, supernet, found, samples, choice, far, teacher is None),
    )


def _size_fits(
    context: JobContext,
    supernet: Supernet,
    found: Measured,
    samples: Samples,
    choice: Choice,
    far: Quality,
    measured_ones: bool,
) -> tuple[SizeFit, ...]:
    # Many answers of a smooth teacher leave errors of the form, not noise: largest at the top.
    fitted = fit(samples, choice.settings)
    around = interval(samples, choice.predicted, fitted)
    models = _cost_models(context, supernet) if measured_ones else []
    costs = {m.name: m.evaluate(found.genes) for m in models}
    least_width = 0.0 if measured_ones else far.rmse

    def size_fit(index: int, size: int) -> SizeFit:
        rows = samples.rows_of(index)
        return SizeFit(
            image_size=size,
            records=len(rows),
            ceiling=float(fitted.ceiling[index]),
            base=float(fitted.base[index]),
            half_width=max(float(around.half_width[index]), least_width),
            best=float(around.best[index]),
            weights=fitted.weights[index],
            counts={name: Counts.of(values[rows]) for name, values in costs.items()},
        )

    return tuple(size_fit(i, size) for i, size in enumerate(found.space.resolutions))


def _cost_models(context: JobContext, supernet: Supernet) -> list[CostModel]:
    models = []
    for name in COUNTED:
        try:
            entry = context.host.cost_model(name)
        except UsageError:
            continue  # nobody offers it: the fit then cannot count under it
        models.append(entry.build(supernet, entry.options()))
    return models


def _label(teacher: Predictor | None) -> Label:
    return "measured" if teacher is None else "predicted"


def _origin(options: FitOptions, teacher: Predictor | None) -> str:
    if options.from_mlp is not None:
        return f"distilled from the predictor {options.from_mlp.name}: no measured accuracy in it"
    return "measured accuracies of " + ", ".join(f.name for f in options.data)


def _command(context: JobContext, options: FitOptions) -> str:
    words = ["ofa", "run", "fit", "--supernet", options.supernet]
    for file in options.data:
        words += ["--data", str(file)]
    if options.from_mlp is not None:
        words += ["--from-mlp", str(options.from_mlp), "--seed", str(context.seed)]
    words += ["--dataset", options.dataset]
    return shlex.join(words + (["--origin", options.origin] if options.origin else []))


def _written(
    context: JobContext, made: AdditiveFit, teacher: Predictor | None, install: bool
) -> tuple[Path, ...]:
    name = file_name(made.supernet, made.dataset)
    files = []
    if context.out is not None:
        file = context.out if context.out.suffix == ".json" else context.out / name
        files.append(_write(file, dumps(made)))
        if isinstance(teacher, Portable):
            network = file.parent / f"mlp-{made.supernet}.npz"
            teacher.save(network)
            files.append(network)
    if install:
        files.append(_write(user_folder() / name, dumps(made)))
    return tuple(files)


def _write(file: Path, text: str) -> Path:
    """Write as a whole or not at all."""
    part = file.with_name(file.name + ".part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        raise InputError(f"cannot write {file}: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return file
