"""The form: a ceiling less an exponential; its fit finds what was planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from ofa_search.additive.form import Samples, ceilings, fit, non_negative
from ofa_search.additive.values import Settings, link

GENTLE = Settings(delta=5.0, ridge=1e-3, tie=10.0)


def planted(n=600, features=6, sizes=2, noise=0.0, seed=0):
    generator = np.random.default_rng(seed)
    bits = generator.integers(0, 2, (n, features)).astype(float)
    size = generator.integers(0, sizes, n)
    weights = np.linspace(0.1, 0.3, features)
    accuracy = 75.0 + 4 * size - np.exp(2.6 - bits @ weights)
    accuracy = accuracy + generator.normal(0, noise, n)
    return Samples(bits, size.astype(np.intp), accuracy, sizes), weights


def test_the_link_rises_ever_more_slowly_and_stays_below_the_ceiling():
    values = link(80.0, np.arange(0.0, 8.0))
    steps = np.diff(values)
    assert (steps > 0).all()
    assert (np.diff(steps) < 0).all()
    assert values.max() < 80.0


def test_the_ceiling_stands_above_the_third_highest_so_that_one_lucky_record_moves_nothing():
    samples, _ = planted()
    before = ceilings(samples, 5.0)
    lucky = samples.accuracy.copy()
    lucky[np.argmax(lucky)] += 3
    after = ceilings(Samples(samples.bits, samples.size, lucky, 2), 5.0)
    assert after == pytest.approx(before)


def test_the_ceiling_is_never_above_100_percent():
    samples = Samples(np.zeros((3, 1)), np.zeros(3, np.intp), np.array([98.0, 98.5, 99.0]), 1)
    assert ceilings(samples, 5.0).tolist() == [100.0]


def test_without_noise_predictions_are_close():
    samples, _ = planted()
    fitted = fit(samples, GENTLE)
    error = fitted.predict(samples.bits, samples.size) - samples.accuracy
    assert np.abs(error).max() < 0.2  # the ceiling is not the planted one


def test_larger_planted_effects_get_larger_weights():
    samples, weights = planted(noise=0.05)
    found = fit(samples, GENTLE).weights.mean(axis=0)
    assert (np.argsort(found) == np.argsort(weights)).all()


def test_a_harder_tie_makes_image_sizes_alike():
    samples, _ = planted(noise=0.5)
    spread = [
        np.ptp(fit(samples, Settings(5.0, 1.0, tie)).weights, axis=0).max() for tie in (1, 1e6)
    ]
    assert spread[1] < 1e-3 < spread[0]


def test_shared_weights_are_never_negative():
    samples, _ = planted()
    worse = Samples(1 - samples.bits, samples.size, samples.accuracy, 2)  # every bit now costs
    assert fit(worse, Settings(5.0, 1.0, 1e9)).weights.min() > -1e-5


def test_the_same_records_give_the_same_fit():
    samples, _ = planted(noise=0.3)
    assert np.array_equal(fit(samples, GENTLE).weights, fit(samples, GENTLE).weights)


@pytest.mark.parametrize("seed", range(20))
def test_non_negative_least_squares_agrees_with_scipy(seed):
    generator = np.random.default_rng(seed)
    matrix, target = generator.normal(size=(30, 12)), generator.normal(size=30)
    expected, _ = nnls(matrix, target)
    assert non_negative(matrix.T @ matrix, matrix.T @ target) == pytest.approx(expected, abs=1e-8)
