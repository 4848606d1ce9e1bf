"""The additive predictor: separable, with an interval, and honest about where it ends."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.entries import FittedPredictorEntry
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import RecordSupport, SeparablePredictor
from ofa_plugins_core.jobs.fit_options import FitOptions
from ofa_plugins_core.jobs.fitting.accuracy import run_fit
from ofa_plugins_core.values import Constraint
from ofa_search.additive.fitfile import loads
from ofa_search.additive.loading import load_additive
from ofa_search.additive.predictor import SaturatingLink, at_size


@pytest.fixture
def fit(context, records):
    result = run_fit(context, FitOptions("toy", data=(records,)))
    return result.files[0]


@pytest.fixture
def predictor(toy, fit):
    return load_additive(toy, fit, None)


@pytest.fixture
def genes(toy):
    return toy.space.canonical(toy.space.sample(400, np.random.default_rng(11)))


def at(toy, size, kernel=5):
    return {"ks": [kernel] * 9, "d": [3, 3, 3], "image_size": size}


def test_it_is_what_exact_search_needs(predictor):
    assert isinstance(predictor, SeparablePredictor)
    assert isinstance(predictor, RecordSupport)
    assert predictor.name == "additive"
    assert predictor.resolutions == (64, 96)


def test_it_is_close_to_the_truth(toy, predictor, genes, truth):
    error = predictor.predict(genes).value - truth(toy.space, genes)
    assert np.sqrt(np.mean(error**2)) < 0.25


def test_its_interval_holds_most_of_what_is_measured(toy, predictor, genes, truth):
    found = predictor.predict(genes)
    measured = truth(toy.space, genes) + np.random.default_rng(2).normal(0, 0.2, len(genes))
    inside = (found.low <= measured) & (measured <= found.high)
    assert 0.7 < inside.mean() < 0.95


def test_predictions_are_the_link_of_the_separable_score(toy, predictor, genes):
    found = predictor.predict(genes).value
    for index, size in enumerate(toy.resolutions):
        rows = genes[:, 0] == index
        score = predictor.separable(size).evaluate(genes[rows])
        assert np.array_equal(predictor.link(size).forward(score), found[rows])


def test_dicts_and_encoded_arrays_agree(toy, predictor, genes):
    dicts = [a.as_dict() for a in toy.space.decode(genes)]
    assert np.array_equal(predictor.predict(dicts).value, predictor.predict(genes).value)


def test_nothing_given_is_nothing_predicted(predictor):
    assert len(predictor.predict([]).value) == 0


def test_an_architecture_of_another_space_is_refused(predictor):
    with pytest.raises(InputError, match="ks"):
        predictor.predict([{"ks": [3], "d": [2, 2, 2], "image_size": 64}])


def test_the_link_turns_back():
    link = SaturatingLink(80.0)
    assert link.forward(np.array([link.inverse(75.0)]))[0] == pytest.approx(75.0)
    assert link.inverse(80.0) == np.inf


def test_between_fitted_sizes_it_interpolates(toy, predictor):
    small, middle, large = predictor.predict([at(toy, s) for s in (64, 80, 96)]).value
    assert small < middle < large
    assert not predictor.predict([at(toy, 80)]).extrapolated[0]


def test_outside_it_says_so_and_gains_shrink_and_intervals_grow(toy, predictor):
    found = predictor.predict([at(toy, s) for s in (64, 96, 128, 160)])
    assert found.extrapolated.tolist() == [False, False, True, True]
    gains = np.diff(found.value)
    assert gains[0] > gains[1] > gains[2] > 0
    widths = found.high - found.low
    assert widths[1] < widths[2] < widths[3]


def test_far_below_it_stays_a_percentage(toy, predictor):
    found = predictor.predict([at(toy, 32)])
    assert found.extrapolated[0]
    assert 0 < found.value[0] < predictor.predict([at(toy, 64)]).value[0]


def test_beyond_the_best_measured_prediction_the_interval_is_wider(toy, predictor):
    size = predictor.fit.sizes[1]
    archs = [at(toy, 96, kernel=k) for k in (3, 5, 7)]
    found = predictor.predict(archs)
    expected = size.half_width * np.where(found.value > size.best, 1.5, 1.0)
    assert (found.value - found.low) == pytest.approx(expected)


def test_it_counts_the_records_behind_an_image_size(predictor):
    assert predictor.support(64, []) + predictor.support(96, []) == 300
    assert predictor.support(128, []) == 0
    assert predictor.support(64, [Constraint("peak_memory", "<=", 1e6)]) is None  # not counted


def test_a_space_with_fixed_choices_reads_the_fit_as_an_extrapolation(fixed_kernel_toy, toy, fit):
    entry = FittedPredictorEntry("additive", "toy_fixed", "own", fit, "toy's", extrapolation=True)
    fixed, free = load_additive(fixed_kernel_toy, None, entry), load_additive(toy, fit, None)
    arch = {"ks": None, "d": [2, 3, 2], "image_size": 64}
    same = {"ks": [5] * 9, "d": [2, 3, 2], "image_size": 64}
    assert fixed.predict([arch]).value[0] == pytest.approx(free.predict([same]).value[0])
    assert fixed.predict([arch]).extrapolated[0]
    assert fixed.resolutions == ()
    assert "extrapolation for toy_fixed" in fixed.source


def test_a_single_fitted_size_gives_other_sizes_its_own_accuracy(fit):
    whole = loads(fit.read_bytes(), "toy")
    one = type(whole)(**{a.name: getattr(whole, a.name) for a in whole.__attrs_attrs__[:-1]},
                      sizes=whole.sizes[:1])  # fmt: skip
    assert at_size(one, 128).ceiling == one.sizes[0].ceiling
    assert at_size(one, 128).extrapolated
