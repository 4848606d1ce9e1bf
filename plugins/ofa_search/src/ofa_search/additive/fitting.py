"""Measured networks -> the additive predictor's file."""

from __future__ import annotations

from typing import Final

import numpy as np
from attrs import asdict

from ofa_plugins_core.events import Progress
from ofa_plugins_core.measured import FitTask, FittedFile, Quality, SizeSummary
from ofa_search.additive.features import design, features_of, indicator
from ofa_search.additive.fitfile import AdditiveFit, Counts, SizeFit, dumps
from ofa_search.additive.form import Samples, fit
from ofa_search.additive.validation import Choice, choose, held_out, interval, tail

ENDING: Final = ".json"


def fit_additive(task: FitTask) -> FittedFile:
    """Choose settings, fit, and judge the fit on what it has not seen."""
    found = task.records
    features = features_of(found.space)
    bits = design([indicator(found.space, f) for f in features], found.genes)
    size = found.genes[:, 0].astype(np.intp)
    samples = Samples(bits, size, found.top1, len(found.space.resolutions))
    task.listener(Progress("fit", 0, 3, "choosing settings"))
    choice = choose(samples)
    task.listener(Progress("fit", 1, 3, "judging on a held-out fifth"))
    seen_not = held_out(samples)
    task.listener(Progress("fit", 2, 3, "judging the tail"))
    far = tail(samples, choice)
    made = AdditiveFit(
        supernet=task.supernet.space.name,
        dataset=task.dataset,
        labels=task.labels,
        origin=task.origin,
        command=task.command,
        settings=choice.settings,
        held_out=seen_not.quality,
        tail=far,
        features=features,
        sizes=_size_fits(task, samples, choice, far),
    )
    return FittedFile(
        content=dumps(made).encode("utf-8"),
        ending=ENDING,
        held_out=seen_not,
        sizes=tuple(SizeSummary(s.image_size, s.records, s.half_width, s.best) for s in made.sizes),
        judged={"tail": far},
        details={"settings": asdict(choice.settings)},
    )


def _size_fits(
    task: FitTask, samples: Samples, choice: Choice, far: Quality
) -> tuple[SizeFit, ...]:
    fitted = fit(samples, choice.settings)
    around = interval(samples, choice.predicted, fitted)
    # Many answers of a smooth teacher leave errors of the form, not noise: largest at the top.
    least_width = 0.0 if task.labels == "measured" else far.rmse

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
            counts={name: Counts.of(values[rows]) for name, values in task.costs.items()},
        )

    sizes = task.records.space.resolutions
    return tuple(size_fit(i, size) for i, size in enumerate(sizes))
