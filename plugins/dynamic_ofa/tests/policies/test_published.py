"""The published rules, each with the setting that belongs to it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_ofa.policies.options import PublishedOptions
from dynamic_ofa.policies.published import Published
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Level, Observation
from ofa_plugins_core.testing import RuntimePolicySuite

EVERY = PublishedOptions(window=5, ignore=3, quiet=7, accuracy=90.0, memory_percent=70.0)


class TestLaws(RuntimePolicySuite):
    @pytest.fixture(params=[PublishedOptions(), EVERY, PublishedOptions(window=3, commit=False)])
    def policy(self, request):
        return Published(request.param)


def test_it_starts_in_the_middle_or_where_it_is_told(nets_6):
    assert Published().initial(nets_6) == 3
    assert Published().initial(nets_6[:1]) == 0
    assert Published(PublishedOptions(start=5)).initial(nets_6) == 5


def test_a_first_level_that_is_not_there_is_refused(nets_6):
    with pytest.raises(UsageError, match="there is no level 6: the table has 6"):
        Published(PublishedOptions(start=6)).initial(nets_6)


class TestDown:
    def test_the_mean_counts_not_single_latencies(self, nets_6, looped, visited):
        every_second = looped(Published(), nets_6, lambda i: 1.3 if i % 2 else 1.0, 60)
        assert visited(every_second) == [3]  # 66 and 51 ms: 58.7 in the mean

    def test_the_sum_is_divided_by_the_window_while_fewer_are_there(self, nets_6, looped):
        decisions = looped(Published(), nets_6, 1.3, 20)
        assert [d.level for d in decisions[:18]] == [3] * 18  # 18 of 66.4 ms are 59.8 of 20
        assert decisions[18].level == 2

    def test_the_reason_names_mean_and_limit(self, nets_6, looped):
        reason = looped(Published(), nets_6, 1.3, 19)[-1].reason
        assert reason == "the mean of 63.08 ms is over the limit of 60 ms"

    def test_images_after_a_switch_are_ignored(self, nets_6, looped):
        decisions = looped(Published(), nets_6, 1.5, 100)
        switches = [i for i, d in enumerate(decisions) if d.reason]
        assert switches[1] - switches[0] == 20 + 17  # ignored, then 17 of 74.2 ms: 63 of 20

    def test_outliers_are_left_out(self, nets_6, looped, visited):
        assert visited(looped(Published(), nets_6, 90 / 51.08 + 0.001, 200)) == [3]
        given = Published(PublishedOptions(outlier_ms=1e9))
        assert visited(looped(given, nets_6, 90 / 51.08 + 0.001, 200)) == [3, 2, 1, 0]

    def test_outliers_are_no_quiet_images(self, nets_6, looped, visited):
        """A limit under the fastest level makes outliers of all: no reason to slow down more."""
        wishing = Published(PublishedOptions(accuracy=95.0))
        assert visited(looped(wishing, nets_6, 1.0, 500, limit=30.0)) == [3]

    def test_the_lowest_level_stays(self, nets_6, looped, visited):
        assert visited(looped(Published(), nets_6, 1.47, 500)) == [3, 2, 1, 0]

    def test_memory_counts_only_where_it_is_asked_for(self, nets_6, looped, visited):
        full = {"memory_percent": 71.0, "gpu_memory_percent": 20.0}
        watching = Published(PublishedOptions(memory_percent=70.0))
        other = Published(PublishedOptions(gpu_memory_percent=70.0))
        assert visited(looped(watching, nets_6, 1.0, 100, readings=full)) == [2, 1, 0]
        assert visited(looped(other, nets_6, 1.0, 100, readings=full)) == [3]
        assert visited(looped(Published(), nets_6, 1.0, 100, readings=full)) == [3]


class TestUp:
    def test_room_alone_never_raises_the_level(self, nets_6, looped, visited):
        assert visited(looped(Published(), nets_6, 0.2, 1000)) == [3]

    def test_a_wish_does_after_so_many_quiet_images(self, nets_6, looped):
        policy = Published(PublishedOptions(accuracy=78.0))
        decisions = looped(policy, nets_6, 0.5, 80)
        assert [d.level for d in decisions[70:73]] == [3, 4, 4]
        assert decisions[71].reason == (
            "77.54 % is below the wish of 78 %, 72 images in a row were quiet"
        )

    def test_a_wish_above_every_level_ends_at_the_top(self, nets_6, looped, visited):
        policy = Published(PublishedOptions(accuracy=80.0))
        assert visited(looped(policy, nets_6, 0.5, 1000)) == [3, 4, 5]


class TestCommit:
    def test_the_demo_goes_3_2_1(self, nets_6, looped, visited):
        decisions = looped(Published(), nets_6, lambda i: 1.25 if i > 48 else 1.0, 160)
        assert visited(decisions) == [3, 2, 1]

    @pytest.mark.parametrize(("factor", "end"), [(1.2, 2), (1.215, 1), (1.32, 1), (1.33, 0)])
    def test_its_end_depends_on_the_load(self, nets_6, looped, factor, end):
        assert looped(Published(), nets_6, factor, 3000)[-1].level == end

    def test_without_it_level_2_is_tried_for_ever(self, nets_6, looped, visited):
        policy = Published(PublishedOptions(commit=False))
        assert visited(looped(policy, nets_6, 1.25, 1000))[:9] == [3, 2, 1, 2, 1, 2, 1, 2, 1]

    def test_with_it_level_2_is_tried_once(self, nets_6, looped, visited):
        decisions = looped(Published(), nets_6, 1.25, 1000)
        assert visited(decisions) == [3, 2, 1, 2, 1]
        assert [d.reason for d in decisions if d.reason][-1].endswith("level 2 is not tried again")

    def test_what_was_given_up_is_not_tried_when_the_load_ends(self, nets_6, looped, visited):
        decisions = looped(Published(), nets_6, lambda i: 1.25 if i < 500 else 0.5, 2000)
        assert visited(decisions) == [3, 2, 1, 2, 1]

    def test_a_level_is_tried_once_though_the_wait_is_shorter_than_its_mean_takes(
        self, looped, visited
    ):
        """The mean is of level 1 alone with its 7th image; 5 quiet ones lead to it."""
        levels = (Level(70.0, 40.0), Level(75.0, 66.0))
        policy = Published(PublishedOptions(window=4, ignore=3, quiet=5, accuracy=90.0, start=0))
        decisions = looped(policy, levels, 1.0, 100)
        assert visited(decisions) == [0, 1, 0]
        ran = [d.level for d in decisions]
        assert ran.count(1) == 7
        assert decisions[ran.index(1) + 7].reason.endswith("level 1 is not tried again")

    def test_a_level_that_was_good_for_long_is_not_given_up(self, nets_6, looped, visited):
        policy = Published(PublishedOptions(start=1))
        decisions = looped(policy, nets_6, lambda i: 1.25 if 300 < i < 360 else 1.0, 1000)
        assert visited(decisions) == [1, 2, 1, 2]


levels = st.lists(st.tuples(st.floats(60, 80), st.floats(5, 100)), min_size=1, max_size=6).map(
    lambda rows: tuple(Level(*row) for row in sorted(rows, key=lambda row: row[1]))
)


@settings(deadline=None, max_examples=60)
@given(levels, st.floats(0.2, 3.0), st.sampled_from([PublishedOptions(), EVERY]))
def test_a_steady_load_ends_in_peace(looped, rows, load, options):
    """However the levels are: no level that was given up is tried again, switches are few."""
    decisions = looped(Published(options), rows, load, 900)
    given_up = [i for i, d in enumerate(decisions) if "not tried again" in d.reason]
    for number in given_up:
        assert all(d.level <= decisions[number].level for d in decisions[number:])
    ran = [d.level for d in decisions]
    assert sum(a != b for a, b in pairwise(ran)) <= 3 * len(rows)
    assert len({d.level for d in decisions[-100:]}) == 1


def test_an_inference_that_began_before_the_switch_says_nothing(nets_6):
    policy, state = Published(PublishedOptions(window=1)), Published().start(nets_6)
    state, decision = policy.decide(state, Observation(0.1, 70.0, 60.0, {}, 3))
    assert decision.level == 2
    for image in range(100):  # ever so late, at the level before
        state, decision = policy.decide(state, Observation(0.2 + image, 80.0, 60.0, {}, 3))
    assert decision.level == 2
