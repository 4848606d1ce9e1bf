"""Rank correlations and errors, against values that are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.jobs.agreement import agreement, kendall, spearman


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


def test_the_error_has_its_unit_and_its_sign():
    found = agreement([70, 72], [69, 70], "%").as_dict()
    assert found["rmse"] == {"value": pytest.approx(2.5**0.5), "unit": "%", "kind": "computed"}
    assert found["bias"]["value"] == pytest.approx(1.5)
    assert found["networks"] == 2


def test_one_pair_has_no_order():
    found = agreement([1], [2], "ms")
    assert (found.spearman, found.kendall, found.rmse) == (None, None, 1)
