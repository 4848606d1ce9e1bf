"""From the sum of rows to a network's latency: the right form is found, its error is honest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ofa_plugins_core.table_model import (
    FEWEST,
    FORMS,
    Correction,
    Swing,
    TableError,
    error_of,
    fitted_forms,
)

LEAST_ROW = 0.2


def drawn(count, seed=0):
    """(n,) sums in ms and numbers of blocks, that do not follow each other."""
    generator = np.random.default_rng(seed)
    blocks = generator.integers(10, 26, count)
    return blocks * generator.uniform(0.6, 1.4, count), blocks


def fits(truth, count=40, noise=0.0, seed=0, least_row=LEAST_ROW):
    """Form -> fit to networks of a true correction, the best first."""
    sums, blocks = drawn(count, seed)
    generator = np.random.default_rng(seed + 1000)
    measured = truth.of(sums, blocks) * (1 + noise * generator.standard_normal(count))
    return {f.form: f for f in fitted_forms(sums, blocks, measured, least_row)}


TRUTHS = {
    "sum": Correction(),
    "scale": Correction(scale=0.8),
    "offset": Correction(offset=3.0),
    "per block": Correction(per_block=-0.1),
    "scale and offset": Correction(scale=0.85, offset=2.0),
    "scale and per block": Correction(scale=1.2, per_block=-0.11),
}


class TestForms:
    """Which form of correction is taken."""

    def test_every_form_is_tried_here(self):
        assert set(TRUTHS) == set(FORMS)

    @pytest.mark.parametrize("form", FORMS)
    def test_the_form_that_holds_finds_the_truth(self, form):
        found, truth = fits(TRUTHS[form])[form], TRUTHS[form]
        assert found.correction.scale == pytest.approx(truth.scale)
        assert found.correction.per_block == pytest.approx(truth.per_block, abs=1e-9)
        assert found.correction.offset == pytest.approx(truth.offset, abs=1e-8)
        assert found.error.mape == pytest.approx(0, abs=1e-8)

    @pytest.mark.parametrize("form", FORMS)
    def test_the_form_that_holds_wins(self, form):
        best = next(iter(fits(TRUTHS[form], noise=0.005).values()))
        free, needed = FORMS[best.form], FORMS[form]
        assert all(has for has, must in zip(free, needed, strict=True) if must), best.form
        assert best.error.mape == pytest.approx(0.4, abs=0.2)  # E|N(0, 0.5 %)| = 0.4 %

    @given(st.floats(0.5, 2.0), st.floats(-0.09, 0.3), st.integers(FEWEST, 40), st.integers(0, 50))
    @settings(deadline=None)
    def test_any_scale_and_overhead_is_found(self, scale, per_block, count, seed):
        found = fits(Correction(scale=scale, per_block=per_block), count, seed=seed)
        fit = found["scale and per block"]
        assert fit.correction.scale == pytest.approx(scale, abs=1e-6)
        assert fit.correction.per_block == pytest.approx(per_block, abs=1e-6)

    @given(st.integers(FEWEST, 30), st.floats(0, 0.3), st.integers(0, 100))
    @settings(deadline=None)
    def test_they_come_by_their_error(self, count, noise, seed):
        errors = [
            f.error.mape for f in fits(Correction(0.9, 0.1, 1.0), count, noise, seed).values()
        ]
        assert errors == sorted(errors)
        assert errors

    def test_few_networks_fit_nothing(self):
        assert list(fits(TRUTHS["scale"], FEWEST - 1)) == ["sum"]
        assert "scale" in fits(TRUTHS["scale"], FEWEST)

    def test_one_network_is_enough_to_be_compared(self):
        found = fits(TRUTHS["scale"], 1)["sum"].error
        assert (found.networks, found.spearman) == (1, None)
        assert found.mape == pytest.approx(25)

    def test_a_form_under_which_a_block_is_free_is_left_out(self):
        truth = Correction(per_block=-0.3)
        assert "per block" in fits(truth, least_row=0.31)
        assert "per block" not in fits(truth, least_row=0.29)
        assert "sum" in fits(truth, least_row=0.29)

    def test_networks_that_are_all_alike_fit_no_more_than_they_can(self):
        blocks = np.full(10, 12)
        sums = np.full(10, 12.0)
        found = {f.form for f in fitted_forms(sums, blocks, sums * 0.9, LEAST_ROW)}
        assert {"sum", "scale", "offset"} <= found
        assert not found & {"scale and offset", "scale and per block"}  # nothing tells them apart

    @given(st.integers(FEWEST, 20), st.integers(0, 200))
    @settings(deadline=None)
    def test_whatever_was_measured_predictions_stay_over_zero(self, count, seed):
        generator = np.random.default_rng(seed)
        sums, blocks = drawn(count, seed)
        measured = generator.uniform(0.1, 50, count)  # has nothing to do with the sums
        for fit in fitted_forms(sums, blocks, measured, float((sums / blocks).min())):
            assert (fit.correction.of(sums, blocks) > 0).all(), fit.form
            assert fit.correction.scale > 0
            assert 0 < fit.error.low <= 1 <= fit.error.high


class TestErrors:
    """What a correction is worth is told by networks that it has not seen."""

    def test_a_fit_is_not_judged_on_what_it_saw(self):
        """One network alone tells what scale and offset are: nobody knows it from the others."""
        sums = np.array([9.96, 9.965, 9.97, 9.98, 9.99, 10.0, 10.01, 10.02, 10.03, 20.0])
        measured = np.append(10 + 0.5 * (sums[:-1] - 10), 30.0)
        blocks = np.arange(10, 20)
        found = {f.form: f for f in fitted_forms(sums, blocks, measured, LEAST_ROW)}
        fit = found["scale and offset"]
        seen = 100 * np.abs(fit.correction.of(sums, blocks) - measured) / measured
        assert seen.mean() < 1
        assert fit.error.mape > 4
        assert fit.error.high > 1.3

    def test_each_network_is_predicted_by_a_fit_to_the_others(self):
        sums, blocks = drawn(12)
        measured = Correction(scale=0.9).of(sums, blocks)
        measured[3] *= 2
        found = {f.form: f for f in fitted_forms(sums, blocks, measured, LEAST_ROW)}["scale"]
        expected = []
        for left in range(12):
            others = np.arange(12) != left
            ratio = sums[others] / measured[others]
            scale = ratio.sum() / (ratio**2).sum()  # least squares of the relative error
            expected.append(abs(scale * sums[left] - measured[left]) / measured[left])
        assert found.error.mape == pytest.approx(100 * np.mean(expected))

    def test_the_sums_own_error(self):
        error = error_of(np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 5.0]))
        assert error.mape == pytest.approx(100 * (0.5 + 0 + 0.2) / 3)
        assert (error.networks, error.low, error.high) == (3, None, None)  # too few to say
        assert error.spearman == pytest.approx(0.866, abs=1e-3)

    def test_the_interval_holds_the_swings_of_the_devices_speed(self):
        """Half of the time a neighbour slows it: at any moment a network may be in it."""
        predicted, swing = np.ones(10), Swing(np.array([0.8, 1.2]), np.ones(2), np.full(10, 1.2))
        error = error_of(predicted, predicted, swing)
        assert (error.mape, error.low, error.high) == (0.0, 0.8, 1.2)
        assert error.seen_mape == pytest.approx(100 / 6)

    def test_a_speed_counts_by_the_time_spent_at_it(self):
        rare = Swing(np.array([0.5, 1.01]), np.array([1.0, 50.0]), np.ones(20))
        error = error_of(np.ones(20), np.ones(20), rare)
        assert (error.low, error.high) == (1.0, 1.01)

    def test_it_is_about_the_prediction_whenever_the_networks_ran(self):
        """All of them at the slower half of the time: the interval is wide, not shifted."""
        ratio = np.linspace(0.98, 1.02, 40)
        swing = Swing(np.array([0.9, 1.1]), np.ones(2), 1.1 * ratio)
        error = error_of(np.ones(40), ratio, swing)
        assert error.low < 0.93 and error.high > 1.07

    def test_forms_are_fitted_to_what_is_freed_and_promise_the_swings(self):
        sums, blocks = drawn(20)
        swing = Swing(np.array([0.8, 1.2]), np.ones(2), sums * 1.2)
        best, *_ = fitted_forms(sums, blocks, sums, LEAST_ROW, swing)
        assert best.error.mape == pytest.approx(0, abs=1e-9)
        assert (best.error.low, best.error.high) == pytest.approx((0.8, 1.2))

    def test_no_rank_where_a_side_is_constant(self):
        error = error_of(np.ones(3), np.array([1.0, 2.0, 3.0]))
        assert (error.spearman, error.pearson) == (None, None)

    @pytest.mark.parametrize("count", [10, 20, 64])
    def test_intervals_hold_four_fifths_of_networks_to_come(self, count):
        held, truth = [], Correction(scale=0.9, per_block=0.05)
        for seed in range(40):
            sums, blocks = drawn(count, seed)
            noise = 1 + 0.03 * np.random.default_rng(seed).standard_normal(count)
            best, *_ = fitted_forms(sums, blocks, truth.of(sums, blocks) * noise, LEAST_ROW)
            fresh, of = drawn(200, seed + 5000)
            ratio = 1 + 0.03 * np.random.default_rng(seed + 9000).standard_normal(200)
            measured, predicted = truth.of(fresh, of) * ratio, best.correction.of(fresh, of)
            inside = (measured >= predicted * best.error.low) & (
                measured <= predicted * best.error.high
            )
            held.append(inside.mean())
        assert np.mean(held) == pytest.approx(0.8, abs=0.035)

    @pytest.mark.parametrize(("count", "rank"), [(10, 1), (18, 1), (19, 2), (64, 6), (99, 10)])
    def test_ends_are_ranks(self, count, rank):
        ratio = np.arange(1.0, count + 1) / (count / 2)
        error = error_of(np.ones(count), ratio)
        assert (error.low, error.high) == (ratio[rank - 1], ratio[-rank])

    @given(st.integers(1, FEWEST - 1))
    def test_too_few_networks_have_no_interval(self, count):
        error = error_of(np.ones(count), np.linspace(0.9, 1.1, count))
        assert (error.low, error.high) == (None, None)

    @given(st.lists(st.floats(0.2, 5.0), min_size=FEWEST, max_size=70))
    @settings(deadline=None)
    def test_at_most_a_tenth_lies_beyond_each_end(self, ratios):
        ratio = np.array(ratios)
        error = error_of(np.ones(len(ratio)), ratio)
        assert (ratio < error.low).sum() <= len(ratio) / 10
        assert (ratio > error.high).sum() <= len(ratio) / 10
        assert error.low <= 1 <= error.high


class TestValues:
    """The records themselves."""

    def test_a_correction_adds_up(self):
        found = Correction(2.0, 0.5, 3.0).of(np.array([1.0, 2.0]), np.array([4, 2]))
        assert found.tolist() == [7.0, 8.0]
        assert Correction().of(np.array([1.5]), np.array([9])).tolist() == [1.5]

    @pytest.mark.parametrize(
        "wrong",
        [{"scale": 0.0}, {"scale": math.inf}, {"per_block": math.nan}, {"offset": math.inf}],
    )
    def test_numbers_that_are_none(self, wrong):
        with pytest.raises(ValueError, match=r"scale|finite"):
            Correction(**wrong)

    @pytest.mark.parametrize("wrong", [{"networks": 0}, {"mape": -1.0}, {"low": 0.0}, {"high": -1}])
    def test_errors_that_make_no_sense(self, wrong):
        good = {"networks": 1, "mape": 0.0, "spearman": None, "pearson": None}
        with pytest.raises(ValueError, match=next(iter(wrong))):
            TableError(**{**good, "low": 1.0, "high": 1.0, **wrong})
