"""A linear fit: a latency as a weighted sum of a network's ops, in NumPy alone.

Ridge regression: squared error and a penalty on the weights' squares. The dev networks choose the
strength of the penalty, and whether the ops are counted a unit or told place by place. Where the
latency of a network is the sum of its blocks', this is all that is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from attrs import frozen

from block_profile.latency.counts import Counts, Scaled
from block_profile.latency.options import FEATURES, LinearOptions
from block_profile.latency.reading import milliseconds, spelled_alike, within
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyTask, Values
from ofa_plugins_core.values import Genes

STRENGTHS: Final = 10.0 ** np.arange(-4, 4.5, 0.5)
"""Of the penalty, on features of mean 0 and standard deviation 1."""
WHAT: Final = "the linear fit"
AT_ONCE: Final = 4096
"""Networks that are priced together."""


@frozen(eq=False)
class Linear:
    """A fitted sum.

    Attributes:
        features: of the supernet.
        weights: (features,) ms.
        base: ms of a network whose features are all 0.
    """

    features: Scaled
    weights: Values
    base: float

    def predict(self, genes: Genes) -> Values:
        """(n, genes) of the supernet -> (n,) ms."""
        starts = range(0, len(genes), AT_ONCE)
        found = [self.features(genes[at : at + AT_ONCE]) @ self.weights for at in starts]
        latency: Values = self.base + np.concatenate(found) if found else np.zeros(0)
        return latency


@frozen(eq=False)
class _Try:
    """Weights of one strength, and how far off they are on the dev networks, a part."""

    by: str
    strength: float
    weights: Values
    base: float
    error: float


def fit_linear(task: LatencyTask, options: LinearOptions) -> LatencyFit:
    """Fit to the task's networks; features and strength are those of the best dev networks."""
    counts = Counts(task.supernet)
    every = [
        one
        for by in ([options.by] if options.by else FEATURES)
        for one in _tries(Scaled(counts, by), task.train, task.dev, options.strength)
    ]
    best = min(every, key=lambda one: one.error)
    note = (
        f"by {best.by}, strength {best.strength:.3g}: MAPE of the dev networks "
        f"{100 * best.error:.2f} %"
    )
    settings = {"words": list(counts.spelling.words), "by": best.by, "base": best.base}
    return LatencyFit({"weights": best.weights}, settings, note)


def _tries(
    features: Scaled, train: Labelled, dev: Labelled, strength: float | None
) -> Iterator[_Try]:
    x, known = features(train.genes), features(dev.genes)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread < 1e-9] = np.inf  # what never changes weighs nothing
    mean = float(train.latency.mean())
    left, sizes, right = np.linalg.svd((x - centre) / spread, full_matrices=False)
    along = left.T @ (train.latency - mean)
    for one in STRENGTHS if strength is None else [strength]:
        weights = right.T @ (sizes / (sizes**2 + one) * along) / spread
        base = mean - float(centre @ weights)
        error = np.abs(base + known @ weights - dev.latency) / dev.latency
        yield _Try(features.by, float(one), weights, base, float(error.mean()))


def load_linear(supernet: Supernet, fit: LatencyFit) -> Linear:
    """A fitted sum.

    Raises:
        InputError: the fit is of other networks, or its weights are not whole.
    """
    counts = Counts(supernet)
    spelled_alike(WHAT, fit, counts.spelling, supernet)
    by = fit.settings.get("by")
    if by not in FEATURES:
        raise InputError(f"{WHAT} is not whole: by {by!r:.40}, not {' or '.join(FEATURES)}")
    base = milliseconds(WHAT, fit.settings, "base")
    features = Scaled(counts, by)
    weights = np.asarray(fit.arrays.get("weights", ()), dtype=float)
    first = supernet.space.canonical(np.zeros((1, len(supernet.space.genes)), np.uint8))
    due = features(first).shape[1]
    if weights.shape != (due,):
        raise InputError(f"{WHAT} is not whole: {weights.shape} weights, not ({due},)")
    within(WHAT, "weights", weights)
    return Linear(features, weights, base)
