"""The published filter, the front, and levels that spread over it."""

from __future__ import annotations

import json
from itertools import combinations, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_ofa.levels.choosing import largest_step, published_front, spread, strict_front

PUBLISHED = Path(__file__).parents[4].parent / "shared" / "data" / "dynamic_ofa"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"{PUBLISHED} is not there: what others measured stays with them"
)

NUMBERS = st.integers(0, 12).map(float)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=12)
FRONTS = st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), min_size=1, max_size=8).map(
    lambda steps: [
        (float(sum(a for a, _ in steps[: n + 1])), float(sum(c for _, c in steps[: n + 1])))
        for n in range(len(steps))
    ]
)


@needs_published
def test_27_of_the_63_published_candidates_stay():
    found = json.loads((PUBLISHED / "candidates_63.json").read_text())
    points = [(accuracy, cost) for accuracy, cost in found["points"]]
    kept = published_front(points)
    assert (len(points), len(kept)) == (63, 27)
    assert [points[n][1] for n in kept] == sorted(points[n][1] for n in kept)


def test_a_point_goes_when_another_is_strictly_better_on_both_axes():
    points = [(75.0, 60.0), (70.0, 50.0), (71.0, 40.0), (60.0, 45.0)]
    assert published_front(points) == [2, 0]


def test_equal_accuracy_or_equal_cost_keeps_both_in_the_published_filter_alone():
    points = [(70.0, 40.0), (70.0, 50.0), (72.0, 50.0)]
    assert published_front(points) == [0, 1, 2]
    assert strict_front(points) == [0, 2]


def test_of_equal_points_the_first_stays():
    assert strict_front([(70.0, 40.0), (70.0, 40.0)]) == [0]


@given(POINTS)
def test_what_the_published_filter_drops_is_beaten_and_what_it_keeps_is_not(points):
    kept = set(published_front(points))
    for number, (accuracy, cost) in enumerate(points):
        assert (number in kept) != any(a > accuracy and c < cost for a, c in points)


@given(POINTS)
def test_a_front_rises_and_no_point_beats_one_of_it(points):
    front = [points[n] for n in strict_front(points)]
    assert front == sorted(set(front), key=lambda p: p[1])
    assert all(a < b for (a, _), (b, _) in pairwise(front))
    for accuracy, cost in points:
        assert any(a >= accuracy and c <= cost for a, c in front)


@given(FRONTS, st.integers(2, 6))
def test_no_other_choice_has_a_smaller_largest_step(points, count):
    chosen = spread(points, count)
    assert chosen == sorted(set(chosen)) and len(chosen) == min(count, len(points))
    assert chosen[0] == 0 and chosen[-1] == len(points) - 1
    if len(points) > count:
        inner = combinations(range(1, len(points) - 1), count - 2)
        least = min(largest_step([points[n] for n in (0, *i, len(points) - 1)]) for i in inner)
        assert largest_step([points[n] for n in chosen]) == pytest.approx(least)


def test_steps_beside_the_largest_one_are_even_too():
    points = [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 3.0), (4.0, 4.0), (10.0, 10.0)]
    assert spread(points, 4) == [0, 2, 4, 5]


def test_levels_spread_by_both_axes():
    points = [(70.0, 10.0), (70.1, 30.0), (79.0, 31.0), (80.0, 50.0)]
    assert spread(points, 3) != [0, 3] and spread(points, 4) == [0, 1, 2, 3]


def test_one_level_is_no_choice_of_both_ends():
    with pytest.raises(ValueError, match="both ends"):
        spread([(1.0, 1.0), (2.0, 2.0)], 1)
