"""Costs, each of which breaks one law."""

from __future__ import annotations

import numpy as np

from ofa_plugins_core import CostModelEntry
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.testing import toy_cost


class Cost:
    """The toy's parameters, changed."""

    name, unit, kind, source = "broken", "count", "computed", None

    def __init__(self, change, supernet, **attributes):
        self.inner, self.change, self.supernet = toy_cost("params", supernet), change, supernet
        vars(self).update(attributes)

    def __getattr__(self, name):
        return getattr(vars(self)["inner"], name)

    def evaluate(self, archs):
        return self.change(self, self.inner.evaluate(archs), archs)


def scribbles(cost, values, archs):
    if isinstance(archs, np.ndarray) and len(archs):
        archs[:, 1] = 0
    return values


def depends_on_unused(cost, values, archs):
    return values + archs[:, 4] if isinstance(archs, np.ndarray) else values


def anything(cost, archs):
    try:
        return cost.inner.evaluate(archs)
    except Exception:
        return np.zeros(len(archs))


class TakesAnything(Cost):
    def evaluate(self, archs):
        return anything(self, archs)


class Unsound(Cost):
    def separable(self, size):
        return Separable("sum", (Factor("of the image size", (0, 1), np.zeros((2, 2))),))


def renames(cost, values, archs):
    vars(cost.supernet)["name"] += "'"
    return values


def same(cost, values, archs):
    return values


BROKEN = {
    "says_what_it_is": lambda s: Cost(same, s, unit=""),
    "batch_equals_single": lambda s: Cost(lambda c, values, archs: values + len(values), s),
    "numbers_are_finite": lambda s: Cost(lambda c, values, archs: values * np.nan, s),
    "equal_networks_cost_the_same": lambda s: Cost(depends_on_unused, s),
    "any_image_size": lambda s: Cost(lambda c, values, archs: values + len(values), s),
    "asks_nothing_twice": lambda s: Cost(lambda c, v, archs: v + np.arange(len(v)), s),
    "input_is_left_alone": lambda s: Cost(scribbles, s),
    "foreign_networks_are_refused": lambda s: TakesAnything(same, s),
    "tables_are_sound": lambda s: Unsound(same, s),
    "tables_equal_evaluate": lambda s: Cost(lambda c, values, archs: values.astype(float), s),
    "no_other_randomness": lambda s: Cost(lambda c, v, a: (np.random.seed(0), v)[1], s),
    "supernet_stays": lambda s: Cost(renames, s),
}


def ofa_cost_models(law, name):
    yield CostModelEntry(name, "breaks a law", "count", lambda s, options: BROKEN[law](s))
