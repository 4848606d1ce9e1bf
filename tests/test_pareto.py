"""Non-dominated points equal a look at all pairs; fewer points stay within what is reported."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ofa_plugins_core.pareto import non_dominated, not_clearly_beaten, spread, thin

CLOUDS = st.tuples(st.integers(1, 40), st.integers(1, 4)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=st.integers(0, 6).map(float))
)


def beaten(points: np.ndarray, row: int) -> bool:
    """Whether another point is at most it everywhere, and less somewhere."""
    others = points[(points <= points[row]).all(axis=1)]
    return bool((others < points[row]).any())


@given(CLOUDS)
def test_non_dominated_points_are_those_that_nothing_beats(points: np.ndarray) -> None:
    kept = non_dominated(points)
    expected = {tuple(p) for i, p in enumerate(points) if not beaten(points, i)}
    assert {tuple(points[i]) for i in kept} == expected
    assert len(kept) == len(expected), "of equal points one stays"


@given(CLOUDS)
def test_a_coarse_grid_drops_beaten_points_only(points: np.ndarray) -> None:
    dropped = set(range(len(points))) - set(not_clearly_beaten(points, 64).tolist())
    assert all(beaten(points, row) for row in dropped)


@pytest.mark.parametrize("choose", [spread, thin])
@given(CLOUDS, st.integers(4, 12))
@example(np.triu(np.ones((5, 4))), 4)
def test_dropped_points_lie_within_the_reported_distance(
    choose: object, points: np.ndarray, most: int
) -> None:
    kept, epsilon = choose(points, most)  # type: ignore[operator]
    assert len(set(kept.tolist())) == len(kept) <= most
    near = (np.abs(points[:, None] - points[None, kept]) <= epsilon + 1e-12).all(axis=2)
    assert near.any(axis=1).all()


def test_a_spread_fills_what_it_may_and_beats_a_grid() -> None:
    angle = np.linspace(0, np.pi / 2, 500)
    points = np.stack([1 - np.sin(angle), 1 - np.cos(angle)], axis=1)
    kept, epsilon = spread(points, 20)
    assert len(kept) == 20
    assert epsilon.max() < thin(points, 20)[1].max()
