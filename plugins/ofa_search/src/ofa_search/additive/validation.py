"""What a fit is worth: out-of-fold errors, the tail test, intervals, and the choice of settings.

Everything here sees only the samples that it is given, and is deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.measured import HeldOut, Quality
from ofa_search.additive.form import Coefficients, Indices, Samples, fit
from ofa_search.additive.values import BEYOND, Floats, Settings

GRID: Final = tuple(
    Settings(delta, ridge, tie)
    for delta, ridge, tie in product((5.0, 5.5, 6.0), (30.0, 100.0, 300.0, 1000.0), (10.0, 100.0))
)
FOLDS: Final = 5
COVERAGE: Final = 0.8
"""Share of networks that the interval is made to hold."""
OWN_WIDTH_FROM: Final = 50
"""Records from which an image size gets an interval of its own."""


def folds(n: int, seed: int = 0) -> Indices:
    """(n,) fold numbers, balanced, the same for the same n and seed."""
    shuffled = np.random.Generator(np.random.PCG64(seed)).permutation(n)
    numbers = np.empty(n, dtype=np.intp)
    numbers[shuffled] = np.arange(n) % FOLDS
    return numbers


def out_of_fold(samples: Samples, settings: Settings) -> Floats:
    """(n,) percent, each network predicted by a fit that has not seen it."""
    numbers = folds(len(samples.accuracy))
    predicted = np.empty(len(numbers))
    for number in range(FOLDS):
        held_out = numbers == number
        fitted = fit(samples.take(~held_out), settings)
        predicted[held_out] = fitted.predict(samples.bits[held_out], samples.size[held_out])
    return predicted


def tail_split(predicted: Floats, size: Indices) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(n,) masks of the lower 70 % and of the top tenth by prediction within each image size."""
    low, top = np.zeros((2, len(size)), dtype=bool)
    for index in np.unique(size):
        rows = np.flatnonzero(size == index)
        ranked = rows[np.argsort(predicted[rows], kind="stable")]
        low[ranked[: int(0.7 * len(ranked))]] = True
        top[ranked[len(ranked) - int(np.ceil(0.1 * len(ranked))) :]] = True
    return low, top


def tail_bias(samples: Samples, predicted: Floats, settings: Settings) -> float:
    """Points by which a fit to the lower 70 % promises too much in the top tenth."""
    low, top = tail_split(predicted, samples.size)
    ahead = fit(samples.take(low), settings).predict(samples.bits[top], samples.size[top])
    return float(np.mean(ahead - samples.accuracy[top]))


@frozen(eq=False)
class Choice:
    """The settings that the samples speak for, and what they showed.

    Attributes:
        settings: chosen.
        predicted: (n,) out of fold, under them.
        tail_bias: points.
    """

    settings: Settings
    predicted: Floats
    tail_bias: float


def choose(samples: Samples, grid: Iterable[Settings] = GRID) -> Choice:
    """Choose by mean squared error + ¼ (tail bias)²: close everywhere, and honest at the top."""

    def tried(settings: Settings) -> tuple[float, Choice]:
        predicted = out_of_fold(samples, settings)
        bias = tail_bias(samples, predicted, settings)
        loss = float(np.mean((predicted - samples.accuracy) ** 2)) + bias**2 / 4
        return loss, Choice(settings, predicted, bias)

    return min((tried(s) for s in grid), key=lambda t: t[0])[1]


@frozen(eq=False)
class Interval:
    """An 80 % interval around a prediction.

    Attributes:
        half_width: (R,) points, from out-of-fold errors.
        best: (R,) percent: the best prediction for a measured network; above it the interval is
            half as wide again, since nothing there was ever checked.
    """

    half_width: Floats
    best: Floats

    def widths(self, predicted: Floats, size: Indices) -> Floats:
        """(n,) percent and (n,) image sizes -> (n,) half-widths in points."""
        return self.half_width[size] * np.where(predicted > self.best[size], BEYOND, 1.0)


def interval(samples: Samples, out_of_fold_predicted: Floats, fitted: Coefficients) -> Interval:
    """The interval of a fit, an image size's own where it has records enough."""
    error = np.abs(out_of_fold_predicted - samples.accuracy)
    again = fitted.predict(samples.bits, samples.size)
    overall = float(np.quantile(error, COVERAGE))
    widths, best = [], []
    for index in range(samples.sizes):
        rows = samples.rows_of(index)
        own = len(rows) >= OWN_WIDTH_FROM
        widths.append(float(np.quantile(error[rows], COVERAGE)) if own else overall)
        best.append(again[rows].max())
    return Interval(np.array(widths), np.array(best))


def unseen(train: Samples, test: Samples, choice: Choice) -> HeldOut:
    """Fit to one set under chosen settings, predict the other."""
    fitted = fit(train, choice.settings)
    around = interval(train, choice.predicted, fitted)
    predicted = fitted.predict(test.bits, test.size)
    return HeldOut(predicted, test.accuracy, around.widths(predicted, test.size))


def quality(train: Samples, test: Samples, choice: Choice) -> Quality:
    """Fit to one set under chosen settings, judge on the other."""
    return unseen(train, test, choice).quality


def held_out(samples: Samples) -> HeldOut:
    """A fifth that neither the fit nor the choice of settings has seen."""
    test = folds(len(samples.accuracy), seed=1) == 0
    train = samples.take(~test)
    return unseen(train, samples.take(test), choose(train))


def tail(samples: Samples, choice: Choice) -> Quality:
    """The tail test: fit to the lower 70 % within each image size, judge the top tenth."""
    low, top = tail_split(choice.predicted, samples.size)
    train = samples.take(low)
    known = Choice(choice.settings, out_of_fold(train, choice.settings), choice.tail_bias)
    return quality(train, samples.take(top), known)
