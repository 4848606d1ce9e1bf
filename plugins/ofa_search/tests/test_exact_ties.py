"""What ties but for rounding is told apart alike on every processor."""

from __future__ import annotations

import numpy as np

from ofa_search.exact.best import _in_turn
from ofa_search.exact.dual import _rounded, product


def test_image_sizes_that_tie_but_for_rounding_have_one_order():
    up, down = -199999999.99999988, -199999999.99999994

    assert _in_turn([-3e8, up, down]) == _in_turn([-3e8, down, up]) == [2, 1, 0]
    assert _in_turn([-np.inf, 2.0, 3.0, 1.0]) == [2, 1, 3, 0]
    assert _in_turn([-np.inf, -np.inf]) == [1, 0]


def test_a_price_of_one_is_one_exactly():
    nearly = np.array([1 + 2e-15, 0.0, 3261440 * (1 - 1e-15), 1e-9])

    assert _rounded(nearly)[:3].tolist() == [1.0, 0.0, 3261440.0]
    assert abs(_rounded(nearly)[3] / 1e-9 - 1) < 1e-10


def test_products_are_those_of_matrices():
    generator = np.random.default_rng(0)
    matrix, vector = generator.random((5, 3)), generator.random(3)

    assert np.allclose(product(matrix, vector), matrix @ vector)
    assert np.allclose(product(vector, matrix.T), vector @ matrix.T)
