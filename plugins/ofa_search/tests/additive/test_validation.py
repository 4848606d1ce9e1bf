"""What a fit is worth is judged on what it has not seen."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_search.additive.form import Samples, fit
from ofa_search.additive.validation import (
    Choice,
    choose,
    folds,
    held_out,
    interval,
    out_of_fold,
    tail,
    tail_split,
)
from ofa_search.additive.values import BEYOND, Settings

SETTINGS = Settings(5.0, 30.0, 10.0)


@pytest.fixture(scope="module")
def samples():
    generator = np.random.default_rng(3)
    bits = generator.integers(0, 2, (500, 12)).astype(float)
    size = generator.integers(0, 2, 500).astype(np.intp)
    accuracy = 72 + 4.0 * size - np.exp(2.6 - 0.15 * bits.sum(axis=1))
    return Samples(bits, size, accuracy + generator.normal(0, 0.3, 500), 2)


def test_folds_are_balanced_and_always_the_same():
    assert np.bincount(folds(103)).tolist() == [21, 21, 21, 20, 20]
    assert np.array_equal(folds(103), folds(103))


def test_out_of_fold_predictions_do_not_know_their_own_record(samples):
    before = out_of_fold(samples, SETTINGS)
    changed = samples.accuracy.copy()
    changed[7] += 2
    after = out_of_fold(Samples(samples.bits, samples.size, changed, 2), SETTINGS)
    assert after[7] == before[7]
    assert (after != before).any()


def test_the_tail_split_takes_the_lower_seven_tenths_and_the_top_tenth_of_each_size():
    size = np.repeat([0, 1], 100)
    predicted = np.arange(200.0)
    low, top = tail_split(predicted, size)
    assert np.flatnonzero(low).tolist() == [*range(70), *range(100, 170)]
    assert np.flatnonzero(top).tolist() == [*range(90, 100), *range(190, 200)]


def test_the_interval_holds_about_eighty_percent_of_unseen_networks(samples):
    found = held_out(samples).quality
    assert 0.68 < found.coverage < 0.92
    assert found.rmse < 0.45
    assert found.tau > 0.8


def test_the_interval_is_half_as_wide_again_beyond_the_best_measured_prediction(samples):
    choice = choose(samples, [SETTINGS])
    around = interval(samples, choice.predicted, fit(samples, SETTINGS))
    size = np.zeros(2, np.intp)
    inside, beyond = around.widths(around.best[0] + np.array([-0.1, 0.1]), size)
    assert beyond == pytest.approx(BEYOND * inside)


def test_settings_are_chosen_by_error_and_tail(samples):
    sane, crushed = SETTINGS, Settings(5.0, 1e9, 10.0)
    assert choose(samples, [crushed, sane]).settings == sane


def test_the_form_does_not_promise_too_much_where_nothing_was_measured(samples):
    choice = Choice(SETTINGS, out_of_fold(samples, SETTINGS), 0.0)
    found = tail(samples, choice)
    assert abs(found.bias) < 0.3
    assert found.coverage >= 0.7
