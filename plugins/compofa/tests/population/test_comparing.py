"""Two clouds at equal cost: laws, and clouds whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compofa.population.comparing import (
    Cloud,
    Estimate,
    at_equal_cost,
    below_front,
    bin_edges,
    binned_gaps,
    estimated,
    in_bins,
    near_front,
    shared_range,
    together,
)


def drawn(seed, n=80, gap=0.0, noise=0.3, low=10.0, high=30.0, size=160):
    """Networks around one parabola; ``gap``: points above it."""
    generator = np.random.default_rng(seed)
    cost = generator.uniform(low, high, n)
    top1 = 60 + cost - 0.01 * cost**2 + gap + noise * generator.standard_normal(n)
    return Cloud(cost, top1, np.full(n, size))


clouds = st.integers(0, 10_000).map(lambda seed: drawn(seed, n=40))


# ------------------------------------------------------------------------------- equal cost


@given(clouds, clouds, st.floats(-5, 5))
@settings(max_examples=30, deadline=None)
def test_points_added_to_every_network_are_the_gap(ours, theirs, points):
    before = at_equal_cost(ours, theirs)
    after = at_equal_cost(Cloud(ours.cost, ours.top1 + points, ours.size), theirs)
    for name in ("mean", "first", "last"):
        assert after[name] - before[name] == pytest.approx(points, abs=1e-8)
    for name in ("ours", "theirs", "tighter"):
        assert after[name] == pytest.approx(before[name], abs=1e-8)


@given(clouds)
@settings(max_examples=20, deadline=None)
def test_a_population_is_as_good_and_as_tight_as_itself(cloud):
    found = at_equal_cost(cloud, cloud)
    assert [found[n] for n in ("mean", "first", "last", "tighter")] == [0, 0, 0, 0]


@given(clouds, clouds, st.floats(0.01, 100))
@settings(max_examples=20, deadline=None)
def test_the_unit_of_the_cost_does_not_matter(ours, theirs, factor):
    scaled = [Cloud(c.cost * factor, c.top1, c.size) for c in (ours, theirs)]
    assert at_equal_cost(*scaled) == pytest.approx(at_equal_cost(ours, theirs), abs=1e-6)


def test_a_gap_that_changes_sign_is_averaged_over_the_costs_of_theirs():
    cost = np.linspace(10, 30, 201)
    theirs = Cloud(cost, 60 + cost, np.full(201, 160))
    ours = Cloud(cost, 60 + cost + 0.1 * (cost - 15), np.full(201, 160))
    found = at_equal_cost(ours, theirs)
    low, high = shared_range(ours, theirs)
    assert (low, high) == pytest.approx((11, 29))
    assert found["first"] == pytest.approx(0.1 * (low - 15))
    assert found["last"] == pytest.approx(0.1 * (high - 15))
    assert found["mean"] == pytest.approx(0.1 * (20 - 15))


def test_the_tighter_population_is_told():
    found = at_equal_cost(drawn(0, 400, noise=0.2), drawn(1, 400, noise=0.6))
    assert found["ours"] == pytest.approx(0.2, rel=0.15)
    assert found["theirs"] == pytest.approx(0.6, rel=0.15)
    assert found["tighter"] == found["theirs"] - found["ours"]


def test_without_costs_in_common_there_is_no_gap():
    found = at_equal_cost(drawn(0, low=10, high=15), drawn(1, low=20, high=30))
    assert np.isnan(found["mean"])
    assert not len(bin_edges(drawn(0, low=10, high=15), drawn(1, low=20, high=30), 4))


# ------------------------------------------------------------------------------- bins


@given(clouds, st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_bins_hold_every_network_between_their_ends_once(cloud, bins):
    edges = bin_edges(cloud, cloud, bins)
    networks, means = in_bins(cloud, edges)
    assert networks.sum() == len(cloud)
    total = np.nansum(means * networks)
    assert total == pytest.approx(cloud.top1.sum())


def test_a_bin_holds_its_lower_end_and_the_last_its_upper_one_too():
    cloud = Cloud(np.array([1.0, 2.0, 4.0, 9.0]), np.array([1.0, 2.0, 3.0, 4.0]), np.full(4, 32))
    networks, means = in_bins(cloud, np.array([1.0, 2.0, 4.0]))
    assert (networks.tolist(), means.tolist()) == ([1, 2], [1.0, 2.5])


def test_bins_widen_by_a_constant_factor():
    edges = bin_edges(drawn(0), drawn(1), 5)
    assert np.ptp(edges[1:] / edges[:-1]) == pytest.approx(0, abs=1e-9)


@given(clouds, clouds)
@settings(max_examples=20, deadline=None)
def test_bins_of_a_population_against_itself_and_against_one_shifted(ours, theirs):
    edges = bin_edges(ours, theirs, 3)
    assert binned_gaps(ours, ours, edges)[1] == 0
    shifted = Cloud(ours.cost, ours.top1 + 2, ours.size)
    before, after = (binned_gaps(c, theirs, edges) for c in (ours, shifted))
    assert after[0] - before[0] == pytest.approx(np.full(3, 2.0), nan_ok=True)
    assert after[1] - before[1] == pytest.approx(2, nan_ok=True)


def test_bins_with_few_networks_have_no_weight_in_the_mean():
    cost = np.array([1.0] * 10 + [5.0] * 2)
    theirs = Cloud(cost, np.zeros(12), np.full(12, 32))
    ours = Cloud(cost, np.array([1.0] * 10 + [50.0] * 2), np.full(12, 32))
    gaps, mean = binned_gaps(ours, theirs, np.array([0.5, 2.0, 8.0]))
    assert (gaps.tolist(), mean) == ([1.0, 50.0], 1.0)


# ------------------------------------------------------------------------------- the front


@given(clouds, clouds)
@settings(max_examples=20, deadline=None)
def test_points_below_the_front_are_those_of_looking_at_everyone(ours, theirs):
    everyone = together(ours, theirs)
    expected = [
        max(everyone.top1[everyone.cost <= cost]) - top1
        for cost, top1 in zip(ours.cost, ours.top1, strict=True)
    ]
    assert below_front(ours, everyone) == pytest.approx(np.array(expected))


@given(clouds, clouds)
@settings(max_examples=20, deadline=None)
def test_more_networks_are_near_the_front_the_farther_near_reaches(ours, theirs):
    edges = bin_edges(ours, theirs, 4)
    shares = [near_front(ours, theirs, points, edges) for points in (0.0, 0.5, 1.0, 50.0)]
    assert all((np.diff(shares, axis=0) >= 0).ravel())
    assert shares[-1] == (1, 1)


def test_the_population_above_is_the_denser_one_near_the_front():
    ours, theirs = drawn(0, 300, gap=0.5), drawn(1, 300)
    first, second = near_front(ours, theirs, 1.0, bin_edges(ours, theirs, 4))
    assert first > second


def test_the_costliest_network_counts_in_the_last_bin():
    """Ten networks, all at the upper end of the range: they are not outside of it."""
    ours = Cloud(np.full(10, 4.0), np.linspace(70, 75, 10), np.full(10, 32))
    assert near_front(ours, ours, 50.0, np.array([1.0, 2.0, 4.0])) == (1.0, 1.0)


def test_where_no_bin_has_networks_of_both_there_are_no_shares():
    ours, theirs = drawn(0, 4), drawn(1, 4)
    shares = near_front(ours, theirs, 1.0, bin_edges(ours, theirs, 4))
    assert np.isnan(shares).all()


# ------------------------------------------------------------------------------- intervals


def test_resampling_keeps_how_many_networks_an_image_size_has():
    cloud = together(drawn(0, 30), drawn(1, 50, size=192))
    again = cloud.again(np.random.default_rng(0))
    assert (len(again.at(160)), len(again.at(192)), len(again)) == (30, 50, 80)
    pairs = set(zip(cloud.cost, cloud.top1, cloud.size, strict=True))
    assert set(zip(again.cost, again.top1, again.size, strict=True)) < pairs


def test_the_interval_covers_a_gap_that_is_there_and_the_same_seed_gives_the_same():
    ours, theirs = drawn(0, 200, gap=0.4), drawn(1, 200)
    first, second = (
        estimated(at_equal_cost, ours, theirs, 200, np.random.default_rng(3)) for _ in range(2)
    )
    assert first == second
    assert first["mean"].low < 0.4 < first["mean"].high
    assert first["mean"].high - first["mean"].low < 0.25
    assert first["mean"].verdict == "holds"


def test_a_number_that_no_resample_changes_has_no_width():
    found = estimated(
        lambda a, b: {"x": 2.0, "none": float("nan")},
        drawn(0),
        drawn(1),
        100,
        np.random.default_rng(0),
    )
    assert found["x"] == Estimate(2.0, 2.0, 2.0)
    assert np.isnan(found["none"].low)
    assert found["none"].verdict == "undecided"


def test_where_too_many_resamples_know_nothing_there_is_no_interval():
    asked = iter(range(1000))

    def ask(ours, theirs):
        return {"x": float("nan") if next(asked) % 5 == 4 else 1.0}

    found = estimated(ask, drawn(0), drawn(1), 100, np.random.default_rng(0))["x"]
    assert found.value == 1.0
    assert np.isnan([found.low, found.high]).all()


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.1, 0.2, "holds"), (-0.2, -0.1, "reversed"), (-0.1, 0.1, "undecided")],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(low, high, verdict):
    assert Estimate(0.0, low, high).verdict == verdict
