"""Hypervolumes of fronts, and whether repeats differ."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from block_profile.reducing.hypervolume import hypervolume, nadir
from block_profile.reducing.statistics import Comparison, compared, mean_and_sd


def test_the_area_of_a_staircase() -> None:
    front = np.array([[70.0, 1.0], [80.0, 2.0]])

    assert hypervolume(front, (60.0, 4.0)) == 10 * 1 + 20 * 2
    assert hypervolume(front, (75.0, 4.0)) == 5 * 2
    assert hypervolume(front, (90.0, 4.0)) == 0.0
    assert nadir([front, np.array([[65.0, 0.5]])]) == (65.0, 2.0)


points = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=8)


@given(points)
def test_it_is_the_number_of_dominated_cells(given_points: list[tuple[int, int]]) -> None:
    cells = {
        (x, y) for accuracy, cost in given_points for x in range(cost, 10) for y in range(accuracy)
    }

    assert hypervolume(np.array(given_points, dtype=float), (0.0, 10.0)) == len(cells)


def test_lots_that_lie_apart_differ_and_lots_of_one_kind_do_not() -> None:
    generator = np.random.default_rng(0)
    one, other = generator.normal(0, 1, 20).tolist(), generator.normal(3, 1, 20).tolist()

    apart, alike = compared(other, one, generator), compared(one[:10], one[10:], generator)

    assert apart.p == 1 / 20_001  # none of the shuffles: not impossible for that
    assert apart.verdict("ms").startswith("better by 3")
    assert compared(one, other, generator).verdict("ms").startswith("worse by 3")
    assert alike.p > 0.05 and alike.verdict("ms").startswith("no difference (p = 0.")
    assert compared([1.0, 1.0], [1.0, 1.0], generator).p == 1.0


def test_large_numbers_are_written_out() -> None:
    assert Comparison(584_200.0, 1e-5).verdict("% items") == (
        "better by 584,200 % items (p = 1e-05)"
    )


def test_p_is_right_on_average() -> None:
    generator = np.random.default_rng(1)
    found = [compared(*generator.normal(size=(2, 8)).tolist(), generator).p for _ in range(60)]

    assert np.mean(found) == pytest.approx(0.5, abs=0.15)


def test_mean_and_standard_deviation() -> None:
    assert mean_and_sd([1.0, 3.0]) == (2.0, pytest.approx(2**0.5))
    assert mean_and_sd([1.0]) == (1.0, 0.0)
