"""Correlations, against values that are known by hand, and scipy's."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.correlations import kendall, pearson, spearman


def test_perfect_and_reversed_orders():
    one = np.array([1.0, 2, 3, 5])
    for measure in (spearman, kendall):
        assert measure(one, one**3) == pytest.approx(1)
        assert measure(one, -one) == pytest.approx(-1)
        assert measure(one, np.ones(4)) is None


def test_ties_share_their_mean_rank():
    one, two = np.array([1.0, 2, 2, 3]), np.array([1.0, 3, 2, 4])
    assert spearman(one, two) == pytest.approx(0.9486832980505138)
    assert kendall(one, two) == pytest.approx(0.9128709291752769)


def test_they_equal_scipys():
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.Generator(np.random.PCG64(0))
    for _ in range(20):
        one, two = generator.integers(0, 6, (2, 30)).astype(float)
        assert spearman(one, two) == pytest.approx(stats.spearmanr(one, two).statistic)
        assert kendall(one, two) == pytest.approx(stats.kendalltau(one, two).statistic)
        assert pearson(one, two) == pytest.approx(stats.pearsonr(one, two).statistic)


def test_a_line_is_followed_as_values_and_a_curve_only_as_ranks():
    one = np.array([1.0, 2, 3, 5])
    assert pearson(one, 3 - 2 * one) == pytest.approx(-1)
    assert 0.8 < pearson(one, one**5) < 1
    assert pearson(one, np.ones(4)) is None


def test_no_order_is_more_than_perfect():
    for count in range(2, 60):
        one = np.random.default_rng(count).normal(size=count)
        assert spearman(one, one) <= 1
