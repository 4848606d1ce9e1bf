"""Gradient boosting on counts of ops: the simple way that a sequence model has to beat.

Trees are grown by scikit-learn, kept as plain arrays, and followed in NumPy: what was fitted needs
no scikit-learn.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from block_profile.latency.counts import Counts
from block_profile.latency.options import BoostingOptions
from block_profile.latency.reading import milliseconds, spelled_alike, whole_numbers, within
from ofa_plugins_core.errors import InputError, MissingExtraError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import LatencyFit, LatencyTask, Values
from ofa_plugins_core.values import Genes

AT_ONCE: Final = 4096
"""Networks that follow the trees together."""
NEAR_ALL: Final = 0.95
"""Part of the trees from which on the best number of them may be beyond."""
WHAT: Final = "the boosted trees"
ARRAYS: Final = ("feature", "left", "right", "threshold", "value", "depth")


@frozen(eq=False)
class Boosting:
    """Fitted trees; of each (trees, nodes), padded.

    Attributes:
        counts: of the supernet.
        feature: asked at a node.
        left, right: the next node; a leaf's own.
        threshold: up to which it goes left.
        value: ms that a leaf adds. base: ms without any tree.
        depth: of the deepest tree.
    """

    counts: Counts
    feature: NDArray[np.int64]
    left: NDArray[np.int64]
    right: NDArray[np.int64]
    threshold: Values
    value: Values
    base: float
    depth: int

    def predict(self, genes: Genes) -> Values:
        """(n, genes) of the supernet -> (n,) ms."""
        starts = range(0, len(genes), AT_ONCE)
        found = [self._predict(self.counts(genes[at : at + AT_ONCE])) for at in starts]
        return np.concatenate(found) if found else np.zeros(0)

    def _predict(self, features: Values) -> Values:
        trees = np.arange(len(self.feature))
        node = np.zeros((len(features), len(trees)), dtype=np.int64)
        for _ in range(self.depth):
            asked = np.take_along_axis(features, self.feature[trees, node], axis=1)
            goes_left = asked <= self.threshold[trees, node]
            node = np.where(goes_left, self.left[trees, node], self.right[trees, node])
        latency: Values = self.base + self.value[trees, node].sum(axis=1)
        return latency


def fit_boosting(task: LatencyTask, options: BoostingOptions) -> LatencyFit:
    """Grow trees on the task's networks; as many are kept as do best on the dev networks.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        from sklearn.ensemble import GradientBoostingRegressor
    except ImportError:
        what = "fitting gradient boosting"
        raise MissingExtraError(what, "ofa-plugins-block-profile", "torch") from None

    counts = Counts(task.supernet)
    base = float(task.train.latency.mean())
    model = GradientBoostingRegressor(
        init="zero",
        n_estimators=options.trees,
        max_depth=options.depth,
        learning_rate=options.rate,
        random_state=task.seed % 2**32,
    )
    model.fit(counts(task.train.genes), task.train.latency - base)
    known = task.dev.latency
    staged = model.staged_predict(counts(task.dev.genes))
    errors = [float(np.mean(np.abs(base + p - known) / known)) for p in staged]
    kept = int(np.argmin(errors)) + 1
    trees = [tree[0].tree_ for tree in model.estimators_[:kept]]
    note = f"{kept} of {options.trees} trees: MAPE of the dev networks {100 * min(errors):.2f} %"
    if kept >= NEAR_ALL * options.trees:
        note += "; more may do better: --set boosting.trees=…"
    settings = {"words": list(counts.spelling.words), "base": base}
    return LatencyFit(_arrays(trees, options.rate), settings, note)


def _arrays(trees: list[Any], rate: float) -> dict[str, NDArray[Any]]:
    nodes = max(tree.node_count for tree in trees)
    own = np.tile(np.arange(nodes, dtype=np.int32), (len(trees), 1))
    found: dict[str, NDArray[Any]] = {
        "feature": np.zeros((len(trees), nodes), dtype=np.int32),
        "threshold": np.zeros((len(trees), nodes)),
        "left": own.copy(),
        "right": own.copy(),
        "value": np.zeros((len(trees), nodes)),
        "depth": np.array(max(tree.max_depth for tree in trees)),
    }
    for row, tree in enumerate(trees):
        inner = np.flatnonzero(tree.children_left >= 0)
        found["feature"][row, inner] = tree.feature[inner]
        found["threshold"][row, inner] = tree.threshold[inner]
        found["left"][row, inner] = tree.children_left[inner]
        found["right"][row, inner] = tree.children_right[inner]
        leaves = np.flatnonzero(tree.children_left < 0)
        found["value"][row, leaves] = rate * tree.value[leaves, 0, 0]
    return found


def load_boosting(supernet: Supernet, fit: LatencyFit) -> Boosting:
    """Fitted trees.

    Raises:
        InputError: the fit is of other networks, or its trees lead nowhere.
    """
    counts = Counts(supernet)
    spelled_alike(WHAT, fit, counts.spelling, supernet)
    if lacking := [name for name in ARRAYS if name not in fit.arrays]:
        raise InputError(f"{WHAT} are not whole: {', '.join(lacking)} missing")
    found = {name: np.asarray(fit.arrays[name]) for name in ARRAYS}
    depth, shape = found.pop("depth"), found["value"].shape
    if depth.ndim or len(shape) != 2 or any(a.shape != shape for a in found.values()):
        raise InputError(f"{WHAT} are not whole: their arrays differ in shape")
    if not found["value"].size:
        raise InputError(f"{WHAT} are not whole: they are none")
    first = supernet.space.canonical(np.zeros((1, len(supernet.space.genes)), np.uint8))
    features, nodes = counts(first).shape[1], shape[1]
    asked = {
        name: _numbers(found[name], name, most)
        for name, most in (("feature", features), ("left", nodes), ("right", nodes))
    }
    within(WHAT, "value", found["value"])
    return Boosting(
        counts=counts,
        **asked,
        threshold=found["threshold"].astype(float),
        value=found["value"].astype(float),
        base=milliseconds(WHAT, fit.settings, "base"),
        depth=int(_numbers(depth, "depth", nodes)),
    )


def _numbers(values: NDArray[Any], name: str, most: int) -> NDArray[np.int64]:
    found = whole_numbers(WHAT, name, values)
    if not 0 <= found.min() <= found.max() < most:
        raise InputError(f"{WHAT} lead nowhere: {name} beyond {most}")
    return found
