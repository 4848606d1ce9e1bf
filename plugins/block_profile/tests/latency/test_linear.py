"""Ridge regression on ops, in NumPy alone."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from block_profile.latency import linear
from block_profile.latency.counts import Counts, Scaled
from block_profile.latency.linear import fit_linear, load_linear
from block_profile.latency.options import LinearOptions
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyTask
from ofa_plugins_core.testing import LatencyPredictorSuite, everything, toy_supernet

TOY = toy_supernet()
GENES = everything(TOY.space)


class TestLinear(LatencyPredictorSuite):
    @pytest.fixture
    def entry(self, forms):
        return forms["linear"]


def task_of(latency):
    """All networks of the toy, every other one to fit to."""
    found = Labelled(GENES, latency)
    rows = np.random.default_rng(0).permutation(len(GENES))
    return LatencyTask(TOY, found.take(rows[::2]), found.take(rows[1::2]))


def a_sum(by):
    """(n,) ms: weights by chance."""
    features = Scaled(Counts(TOY), by)(GENES)
    return 50 + features @ np.random.default_rng(1).random(features.shape[1])


@pytest.mark.parametrize("by", ["counts", "places"])
def test_a_sum_of_blocks_is_found_at_every_image_size(by):
    known = a_sum(by)
    found = load_linear(TOY, fit_linear(task_of(known), LinearOptions())).predict(GENES)
    assert found == pytest.approx(known, rel=1e-5)


def test_the_dev_networks_choose_features_and_strength():
    known = a_sum("places")
    assert "by places, strength 0.0001" in fit_linear(task_of(known), LinearOptions()).note
    noise = known * np.random.default_rng(2).lognormal(0, 0.5, len(known))
    noisy = fit_linear(task_of(noise), LinearOptions())
    dev = task_of(noise).dev

    def error(fit):
        return np.mean(np.abs(load_linear(TOY, fit).predict(dev.genes) / dev.latency - 1))

    others = [LinearOptions(by, s) for by in ("counts", "places") for s in linear.STRENGTHS]
    errors = [error(fit_linear(task_of(noise), one)) for one in others]
    assert error(noisy) == pytest.approx(min(errors))
    assert "strength 0.0001" not in noisy.note


def test_a_strength_of_ones_own_is_taken():
    fit = fit_linear(task_of(a_sum("counts")), LinearOptions("places", 7.0))
    assert fit.note.startswith("by places, strength 7: ")


def test_more_penalty_is_nearer_to_the_mean():
    task = task_of(a_sum("counts"))
    spreads = [
        load_linear(TOY, fit_linear(task, LinearOptions("counts", s))).predict(GENES).std()
        for s in (1e-3, 1e2, 1e5)
    ]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[-1] < 0.05 * spreads[0]


def test_batches_are_put_together(monkeypatch):
    model = load_linear(TOY, fit_linear(task_of(a_sum("counts")), LinearOptions()))
    whole = model.predict(GENES)
    monkeypatch.setattr(linear, "AT_ONCE", 7)
    assert model.predict(GENES) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize(
    ("settings", "weights", "said"),
    [
        ({"by": "x"}, None, "by 'x', not counts or places"),
        ({"by": ["x"]}, None, "not counts or places"),
        ({"base": float("nan")}, None, "base is beyond"),
        ({"base": "1"}, None, "no number"),
        ({}, np.ones(3), "3,. weights"),
        ({}, np.full(30, 1e308), "weights is beyond"),
        ({"words": []}, None, "of other blocks than toy"),
    ],
)
def test_what_is_not_whole_is_refused(settings, weights, said):
    fit = fit_linear(task_of(a_sum("counts")), LinearOptions("counts"))
    size = len(fit.arrays["weights"])
    given = fit.arrays["weights"] if weights is None else weights
    given = np.resize(given, size) if len(given) > 3 else given
    broken = evolve(fit, arrays={"weights": given}, settings={**fit.settings, **settings})
    with pytest.raises(InputError, match=said):
        load_linear(TOY, broken)


def test_weights_that_are_missing_are_refused():
    fit = fit_linear(task_of(a_sum("counts")), LinearOptions("counts"))
    with pytest.raises(InputError, match="not whole"):
        load_linear(TOY, LatencyFit({}, fit.settings))
