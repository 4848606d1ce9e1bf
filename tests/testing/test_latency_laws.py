"""The laws of latency predictors hold for a sum of places, and each is broken by something."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core import LatencyPredictorEntry
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.testing import LatencyPredictorSuite, toy_supernet
from ofa_plugins_core.testing.laws import LawBrokenError, latency

TOY = toy_supernet()


class Sum:
    """Counts of each block, weighed."""

    def __init__(self, supernet, fit):
        self.spelling, self.weights = Spelling.of(supernet.geometry()), fit.arrays["weights"]

    def predict(self, genes):
        return counts(self.spelling, genes) @ self.weights


def counts(spelling, genes):
    numbers = spelling.numbers(genes)
    found = np.stack([(numbers == n).sum(axis=1) for n in range(len(spelling.words))], axis=1)
    return np.column_stack([found, genes[:, 0], np.ones(len(genes))]).astype(float)


def fit(task, options):
    rows = counts(Spelling.of(task.supernet.geometry()), task.train.genes)
    return LatencyFit({"weights": np.linalg.lstsq(rows, task.train.latency, rcond=None)[0]})


ENTRY = LatencyPredictorEntry("sum", "a sum of blocks", fit=fit, load=Sum)


class TestSumOfBlocks(LatencyPredictorSuite):
    @pytest.fixture
    def entry(self):
        return ENTRY


class Changed(Sum):
    """The sum, with something wrong."""

    def __init__(self, supernet, fit, change):
        super().__init__(supernet, fit)
        self.change = change

    def predict(self, genes):
        return self.change(super().predict(genes), genes)


def shifting(values, genes):
    genes[:, 1] = 0
    return values


@pytest.mark.parametrize(
    ("law", "change"),
    [
        (latency.numbers_are_finite, lambda values, genes: values * np.nan),
        (latency.numbers_are_finite, lambda values, genes: values[:, None]),
        (latency.batch_equals_single, lambda values, genes: values - values.mean()),
        (latency.batch_equals_single, lambda values, genes: values + np.arange(len(values))),
        (latency.input_is_left_alone, shifting),
        (latency.it_has_learnt, lambda values, genes: -values),
    ],
)
def test_a_wrong_prediction_breaks_a_law(law, change):
    entry = evolve(ENTRY, load=lambda supernet, fit: Changed(supernet, fit, change))
    breaks(law, latency.trial_of(entry, TOY))


def test_a_fit_that_differs_each_time_breaks_a_law():
    rng = np.random.default_rng()

    def restless(task, options):
        return LatencyFit({"weights": fit(task, options).arrays["weights"] + rng.normal()})

    breaks(latency.same_task_same_fit, latency.trial_of(evolve(ENTRY, fit=restless), TOY))


def test_what_only_this_process_knows_breaks_a_law():
    known = {}

    def remembering(task, options):
        made = fit(task, options)
        known[id(made.arrays)] = True
        return made

    def load(supernet, made):
        return Changed(supernet, made, lambda v, genes: v if id(made.arrays) in known else v + 1)

    entry = evolve(ENTRY, fit=remembering, load=load)
    breaks(latency.file_is_all_it_needs, latency.trial_of(entry, TOY))


def test_what_cannot_be_kept_breaks_a_law():
    trial = latency.trial_of(ENTRY, TOY)
    breaks(latency.fit_can_be_kept, evolve(trial, fit=evolve(trial.fit, settings={"a": {1}})))


def breaks(law, trial):
    with pytest.raises(LawBrokenError):
        law(trial, TOY, np.random.default_rng(20))
