"""Latency forms, each of which breaks one law."""

from __future__ import annotations

import numpy as np

from ofa_plugins_core import LatencyPredictorEntry
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.spelling import Spelling


class Sum:
    """Counts of each block, weighed; what comes out is changed."""

    def __init__(self, supernet, fit, change):
        self.spelling, self.weights = Spelling.of(supernet.geometry()), fit.arrays["weights"]
        self.supernet, self.change, self.fit = supernet, change, fit

    def predict(self, genes):
        return self.change(self, counts(self.spelling, genes) @ self.weights, genes)


def counts(spelling, genes):
    numbers = spelling.numbers(genes)
    found = np.stack([(numbers == n).sum(axis=1) for n in range(len(spelling.words))], axis=1)
    return np.column_stack([found, genes[:, 0], np.ones(len(genes))]).astype(float)


def fit(task, options):
    rows = counts(Spelling.of(task.supernet.geometry()), task.train.genes)
    return LatencyFit({"weights": np.linalg.lstsq(rows, task.train.latency, rcond=None)[0]})


def scribbles(me, values, genes):
    genes[:, 1] = 0
    return values


def renames(me, values, genes):
    vars(me.supernet)["name"] += "'"
    return values


def restless(task, options, generator=np.random.default_rng()):  # noqa: B008
    return LatencyFit({"weights": fit(task, options).arrays["weights"] + generator.normal()})


def draws(me, values, genes):
    np.random.random()
    return values


def same(me, values, genes):
    return values


def known_here(me, values, genes):
    """Right only with the very arrays that were fitted, not with those read from a file."""
    return values if me.fit.note == "fitted" else values + 1


def noted(task, options):
    return LatencyFit(fit(task, options).arrays, note="fitted")


FITS = {
    "same_task_same_fit": restless,
    "fit_can_be_kept": lambda task, options: LatencyFit({"weights": [1.0]}, {"a": {1}}),
    "file_is_all_it_needs": noted,
}
CHANGES = {
    "file_is_all_it_needs": known_here,
    "numbers_are_finite": lambda me, values, genes: values * np.nan,
    "batch_equals_single": lambda me, values, genes: values - values.mean(),
    "input_is_left_alone": scribbles,
    "it_has_learnt": lambda me, values, genes: -values,
    "supernet_stays": renames,
    "no_other_randomness": draws,
}
BROKEN = {**FITS, **CHANGES}


def ofa_latency_predictors(law, name):
    def load(supernet, found):
        return Sum(supernet, found, CHANGES.get(law, same))

    yield LatencyPredictorEntry(name, "breaks a law", FITS.get(law, fit), load)
