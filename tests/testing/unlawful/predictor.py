"""Predictors, each of which breaks one law; with the toy that they are fitted for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ofa_plugins_core import FittedPredictorEntry, PredictorEntry, SupernetEntry
from ofa_plugins_core.interfaces import Predictions
from ofa_plugins_core.testing import ToyPredictor, toy_supernet


class Predicts:
    """The toy predictor, its predictions changed."""

    def __init__(self, supernet, change=None, **attributes):
        self.inner, self.supernet = ToyPredictor(supernet.space), supernet
        self.change = change or (lambda me, p, archs: p)
        vars(self).update(attributes)

    def __getattr__(self, name):
        return getattr(vars(self)["inner"], name)

    def predict(self, archs):
        return self.change(self, self.inner.predict(archs), archs)


class FallingLink:
    def forward(self, score):
        return 100 / (1 + np.exp(score))

    def inverse(self, accuracy):
        return 0.0


def plus(part, amount):
    def change(me, p, archs):
        parts = {name: getattr(p, name) for name in ("value", "low", "high", "extrapolated")}
        more = amount(archs) if callable(amount) else amount
        return Predictions(**{**parts, part: parts[part] + more})

    return change


def unused(archs):
    return archs[:, 4] / 100 if isinstance(archs, np.ndarray) else 0


def scribbles(me, p, archs):
    if isinstance(archs, np.ndarray) and len(archs):
        archs[:, 1] = 0
    return p


def renames(me, p, archs):
    vars(me.supernet)["name"] += "'"
    return p


def draws(me, p, archs):
    np.random.random()
    return p


BROKEN = {
    "says_what_it_is": lambda s: Predicts(s, source=""),
    "batch_equals_single": lambda s: Predicts(s, plus("high", len)),
    "interval_holds_the_value": lambda s: Predicts(s, plus("low", 2.0)),
    "equal_networks_predict_the_same": lambda s: Predicts(s, plus("value", unused)),
    "asks_nothing_twice": lambda s: Predicts(s, scribbles),
    "fitted_sizes_are_not_extrapolated": lambda s: Predicts(s, plus("extrapolated", True)),
    "tables_equal_predict": lambda s: Predicts(s, plus("value", 0.001)),
    "link_goes_there_and_back": lambda s: Predicts(s, link=lambda size: FallingLink()),
    "no_other_randomness": lambda s: Predicts(s, draws),
    "supernet_stays": lambda s: Predicts(s, renames),
}


def ofa_supernets(law, name):
    yield SupernetEntry(name, "the toy", lambda: toy_supernet(name))


def ofa_predictors(law, name):
    yield PredictorEntry(name, "breaks a law", lambda s, file, entry: BROKEN[law](s))


def ofa_fitted_predictors(law, name):
    yield FittedPredictorEntry(name, name, "imagenet", Path("nowhere"), "made up")
