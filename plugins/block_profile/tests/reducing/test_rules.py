"""The rules on profiles: what goes, why, and what always stays."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from block_profile.profiling.profile import Metric
from block_profile.reducing.accurate import less_accurate
from block_profile.reducing.depths import last_steps, shortened
from block_profile.reducing.dominated import beats, dominated
from block_profile.reducing.standings import Match, Standing, accuracy_of, costs_of, matches
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.reduction.data import Keep

ACCURACY = Metric("accuracy", "%", "predicted", better="higher")
COST = Metric("params", "count", "computed")


def what(removals) -> set[str]:
    return {r.what for r in removals}


def test_the_published_means_give_the_published_maximum_accuracy_space(published) -> None:
    removals = less_accurate(matches(published, [ACCURACY], "option"), ACCURACY)

    assert what(removals) == {"MBConv3_3x3", "MBConv3_5x5", "MBConv3_7x7", "MBConv4_3x3"}
    assert removals[0].reason == (
        "77.420 %: 0.060 points below the mean of the 9 options (77.480 %)"
    )


def test_dominated_options_of_the_published_note10_go_with_what_beats_them(published) -> None:
    metrics = [accuracy_of(published), *costs_of(published, ["latency"])]

    removals = dominated(matches(published, metrics, "option"), metrics)

    assert what(removals) == {"MBConv3_5x5", "MBConv3_7x7", "MBConv4_7x7"}
    (seven,) = (r for r in removals if r.what == "MBConv4_7x7")
    assert "42.31 ms; MBConv6_3x3 is no worse in any: 77.510 %, 42.12 ms" in seven.reason


def test_so_many_of_the_least_accurate_where_the_user_says_so(published) -> None:
    found = matches(published, [ACCURACY], "option")

    assert what(less_accurate(found, ACCURACY, count=1)) == {"MBConv3_7x7"}
    with pytest.raises(UsageError, match="--drop 9 leaves nothing"):
        less_accurate(found, ACCURACY, count=9)


values = st.floats(-10, 10).map(lambda v: round(v, 1))


@st.composite
def a_match(draw) -> Match:
    options = draw(st.lists(st.tuples(values, values), min_size=2, max_size=6))
    noise = draw(st.sampled_from([0.0, 0.3]))
    standings = [
        Standing(
            (("k", n),),
            f"k{n}",
            {"accuracy": a, "params": c},
            {"accuracy": noise, "params": 0.0},
        )
        for n, (a, c) in enumerate(options)
    ]
    return Match(((0, 0),), "unit 0 layer 0", tuple(standings))


@given(a_match(), st.sampled_from([0.0, 1.0]))
def test_what_is_dropped_as_dominated_is_beaten_by_what_stays(match: Match, margin: float) -> None:
    metrics = [ACCURACY, COST]
    gone = what(dominated([match], metrics, margin))
    stay = [s for s in match.standings if s.label not in gone]

    assert stay
    for standing in match.standings:
        if standing.label in gone:
            assert any(beats(s, standing, metrics) for s in stay)
        elif margin == 0.0:
            assert not any(beats(s, standing, metrics) for s in match.standings)


@given(a_match())
def test_the_most_accurate_option_stays_and_the_mean_rises(match: Match) -> None:
    gone = what(less_accurate([match], ACCURACY))
    means = {s.label: s.mean["accuracy"] for s in match.standings}
    stay = [m for label, m in means.items() if label not in gone]

    assert max(means.values()) in stay
    assert sum(stay) / len(stay) >= sum(means.values()) / len(means) - 1e-9


def test_a_margin_asks_for_standard_errors_of_sampled_means(profile_of) -> None:
    means = {(0, 0, 3, 2): 70.0, (0, 0, 5, 2): 70.3}
    blocks = {at: {"accuracy": mean} for at, mean in means.items()}
    noisy = profile_of(blocks, sd=2.0)  # standard errors 0.2; of a distance to the mean 0.14

    found = matches(noisy, [ACCURACY], "place")
    assert what(less_accurate(found, ACCURACY, margin=1)) == {"MBConv2_3x3"}
    assert what(less_accurate(found, ACCURACY, margin=2)) == set()
    common = matches(profile_of(blocks, sd=2.0, draws="common"), [ACCURACY], "place")
    assert what(less_accurate(common, ACCURACY, margin=2)) == {"MBConv2_3x3"}


def test_means_over_places_smooth_what_single_places_say(profile_of) -> None:
    blocks = {
        (unit, 0, k, 2): {"accuracy": 70 + gain, "params": float(k)}
        for unit, gains in enumerate([(0.2, 0.0), (0.0, 0.6)])
        for k, gain in zip((3, 5), gains, strict=True)
    }
    profile = profile_of(blocks)
    metrics = [ACCURACY, COST]

    (at_place,) = dominated(matches(profile, metrics, "place"), metrics)
    assert (at_place.what, at_place.where) == ("MBConv2_5x5", "unit 0 layer 0")
    assert [(d.unit, d.layer) for d in at_place.drops] == [(0, 0)]
    assert dominated(matches(profile, metrics, "option"), metrics) == []
    (whole,) = less_accurate(matches(profile, metrics, "option"), ACCURACY)
    assert (whole.what, whole.where) == ("MBConv2_3x3", "mean of 2 places")
    assert [(d.unit, d.layer) for d in whole.drops] == [(None, None)]


def test_places_with_other_options_are_judged_apart(profile_of) -> None:
    blocks = {(0, 0, 3, 2): 1.0, (0, 0, 5, 2): 2.0, (1, 0, 3, 2): 2.0, (1, 0, 7, 2): 1.0}
    profile = profile_of({at: {"accuracy": mean} for at, mean in blocks.items()})

    removals = less_accurate(matches(profile, [ACCURACY], "option"), ACCURACY)

    placed = {(r.what, r.drops[0].unit) for r in removals}
    assert placed == {("MBConv2_3x3", 0), ("MBConv2_7x7", 1)}


def test_units_whose_last_depth_gains_little_for_its_cost_are_shortened(profile_of) -> None:
    block = {(0, 0, 3, 2): {"accuracy": 70.0, "params": 1.0}}
    gains = ((0.1, 5.0), (1.0, 5.0), (2.0, 5.0), (-0.1, 5.0))
    depths = {
        (unit, depth): {"accuracy": 70 + gain * (depth - 1), "params": cost * depth}
        for unit, (gain, cost) in enumerate(gains)
        for depth in (1, 2)
    }
    steps = last_steps(profile_of(block, depths), ACCURACY, COST)

    removals = shortened(steps, COST, 0.5)

    assert [r.keep and (r.keep.gene, r.keep.options) for r in removals] == [
        ("d[0]", (1,)),
        ("d[3]", (1,)),
    ]
    assert isinstance(removals[0].keep, Keep)
    assert "gains 0.100 points for 5 count: 0.02 points per count" in removals[0].reason
    assert shortened(steps, COST, 0) == []


def test_where_most_units_lose_accuracy_each_that_does_is_shortened(profile_of) -> None:
    block = {(0, 0, 3, 2): {"accuracy": 70.0, "params": 1.0}}
    depths = {
        (unit, depth): {"accuracy": 70 + gain * depth, "params": float(depth)}
        for unit, gain in enumerate((-1.0, -1.0, -0.3, 0.2))
        for depth in (1, 2)
    }
    steps = last_steps(profile_of(block, depths), ACCURACY, COST)

    assert [r.where for r in shortened(steps, COST, 0.5)] == ["unit 0", "unit 1", "unit 2"]


def test_worth_is_a_single_item_s_where_costs_are_items(profile_of) -> None:
    block = {(0, 0, 3, 2): {"accuracy": 70.0, "params": 1.0}}
    depths = {(0, d): {"accuracy": 70 - d, "params": 2.0 * d} for d in (1, 2)}
    steps = last_steps(profile_of(block, depths), ACCURACY, COST)

    said = [shortened(steps, evolve(COST, unit=u), 0.5)[0].reason for u in ("items", "ms")]

    assert "-0.5 points per item, below" in said[0]
    assert "-0.5 points per ms, below" in said[1]


def a_standing(label: str, accuracy: float, cost: float, error: float = 0.0) -> Standing:
    errors = {"accuracy": error, "params": error}
    return Standing((("k", label),), label, {"accuracy": accuracy, "params": cost}, errors)


def test_a_tie_by_an_unsure_metric_beats_nothing_and_being_ahead_does() -> None:
    one, tied, dearer = (a_standing("a", 71, 5), a_standing("b", 70, 5), a_standing("c", 70, 6))
    metrics = [ACCURACY, COST]

    assert beats(one, tied, metrics) and beats(one, dearer, metrics)
    assert not beats(one, tied, metrics, unsure={"params"})
    assert beats(one, dearer, metrics, unsure={"params"})
    match = Match(((0, 0),), "unit 0 layer 0", (one, tied, dearer))
    assert what(dominated([match], metrics, 0.0, {"params"})) == {"c"}


def test_with_a_margin_what_is_ahead_by_less_than_the_noise_beats_nothing() -> None:
    better, worse = a_standing("a", 71.0, 4.0, 1.0), a_standing("b", 70.0, 5.0, 1.0)
    metrics = [ACCURACY, COST]

    assert beats(better, worse, metrics, margin=0.5)  # needed: 0.5 times the root of 2
    assert not beats(better, worse, metrics, margin=1.0)
    far = a_standing("c", 71.0, 0.0, 1.0)  # by cost far ahead, by accuracy within the noise
    assert not beats(far, worse, metrics, margin=1.0)


def test_the_reason_names_the_most_accurate_of_those_that_beat_it() -> None:
    others = (a_standing("a", 71, 3), a_standing("b", 73, 5), a_standing("c", 72, 4))
    match = Match(((0, 0),), "unit 0 layer 0", (a_standing("d", 70, 6), *others))

    (removal,) = (r for r in dominated([match], [ACCURACY, COST]) if r.what == "d")

    assert "; b is no worse in any" in removal.reason


def test_a_depth_that_costs_nothing_stays(profile_of) -> None:
    block = {(0, 0, 3, 2): {"accuracy": 70.0, "params": 1.0}}
    depths = {
        (u, d): {"accuracy": 70.0 + d * (u + 1), "params": float(u * d)}
        for u in range(3)
        for d in (1, 2)
    }
    steps = last_steps(profile_of(block, depths), ACCURACY, COST)

    assert [s.worth for s in steps] == [float("inf"), 2.0, 1.5]
    assert shortened(steps, COST, 0.5) == []


def test_the_cost_is_the_only_one_or_named(published, profile_of) -> None:
    means = {"accuracy": 1.0, "params": 1.0, "latency@note10": 1.0}
    two = profile_of({(0, 0, 3, 2): means})

    assert [m.name for m in costs_of(published, [])] == ["latency@note10"]
    assert [m.name for m in costs_of(two, ["latency", "params"])] == ["latency@note10", "params"]
    with pytest.raises(UsageError, match="which cost"):
        costs_of(two, [])
    with pytest.raises(UnknownNameError, match="metric of this profile 'flops'"):
        costs_of(two, ["flops"])
    lone = profile_of({(0, 0, 3, 2): {"params": 1.0}})
    with pytest.raises(UsageError, match="no accuracy"):
        accuracy_of(lone)
    with pytest.raises(UsageError, match="no place with two blocks"):
        matches(lone, [COST], "place")
