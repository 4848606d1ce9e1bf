"""A policy at work."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest

from dynamic_ofa.governing import Governor, governor_of
from ofa_plugins_core import Host, UsageError
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import PluginError, UnknownNameError
from ofa_plugins_core.interfaces import Decision, Observation
from ofa_plugins_core.testing.toys import TOY_LEVELS

SEEN = Observation(0.1, 10.0, 60.0)


class Says:
    """Answers what it is told to."""

    def __init__(self, answer, first=None):
        self.answer, self.first = answer, first
        if first is not None:
            self.initial = lambda levels: first

    def start(self, levels):
        return 0

    def decide(self, state, observation):
        return (state + 1, self.answer) if not callable(self.answer) else self.answer(state)


class Torn(Mapping):
    """Actions that cannot be read."""

    def __getitem__(self, key):
        raise RuntimeError("torn")

    def __iter__(self):
        return iter(["threads"])

    def __len__(self):
        return 1


class TestStart:
    def test_is_the_most_accurate_level_unless_the_policy_says_so(self):
        assert Governor(Says(0), TOY_LEVELS, "p").level == 2
        assert Governor(Says(0, first=1), TOY_LEVELS, "p").level == 1

    @pytest.mark.parametrize(("limit", "level"), [(50.0, 2), (40.0, 2), (39.0, 1), (5.0, 0)])
    def test_without_a_choice_it_is_one_that_the_limit_allows(self, limit, level):
        assert Governor(Says(0), TOY_LEVELS, "p", limit=limit).level == level
        assert Governor(Says(0, first=1), TOY_LEVELS, "p", limit=limit).level == 1
        assert Governor(Says(0), TOY_LEVELS, "p", start=2, limit=limit).level == 2

    def test_or_the_user(self):
        assert Governor(Says(0, first=1), TOY_LEVELS, "p", start=0).level == 0

    @pytest.mark.parametrize("start", [-1, 3])
    def test_a_level_that_is_not_there_is_refused(self, start):
        with pytest.raises(UsageError, match=f"there is no level {start}: the table has 3"):
            Governor(Says(0), TOY_LEVELS, "p", start=start)

    @pytest.mark.parametrize("first", [3, -1, "1"])
    def test_a_first_level_of_the_policy_s_that_is_none_is_blamed_on_initial(self, first):
        with pytest.raises(PluginError, match=r"policy 'mine': initial\(\) gave .* 0 to 2"):
            Governor(Says(0, first=first), TOY_LEVELS, "mine")


class TestAnswers:
    def test_a_number_becomes_a_decision(self):
        governor = Governor(Says(1), TOY_LEVELS, "p")
        assert governor.observe(SEEN) == Decision(1)
        assert governor.level == 1

    def test_a_decision_stays_what_it_is(self):
        said = Decision(0, "slow", {"threads": 2.0})
        assert Governor(Says(said), TOY_LEVELS, "p").observe(SEEN) == said

    def test_numbers_of_any_kind_become_plain(self):
        said = Decision(np.int64(1), np.str_("slow"), {"threads": np.float32(2), "cores": 3})
        governor = Governor(Says(said), TOY_LEVELS, "p")
        found = governor.observe(SEEN)
        assert found == Decision(1, "slow", {"threads": 2.0, "cores": 3.0})
        plain = [found.level, governor.level, found.reason, *found.actions.values()]
        assert [type(value) for value in plain] == [int, int, str, float, float]
        assert json.dumps([found.level, found.reason, found.actions])
        assert type(Governor(Says(np.int64(0)), TOY_LEVELS, "p").observe(SEEN).level) is int

    def test_the_state_is_handed_on(self):
        governor = Governor(Says(lambda state: (state + 1, state % 3)), TOY_LEVELS, "p")
        assert [governor.observe(SEEN).level for _ in range(4)] == [0, 1, 2, 0]

    @pytest.mark.parametrize("answer", [3, -1, 1.5, "1", None, Decision(7)])
    def test_what_is_no_level_is_blamed_on_the_policy(self, answer):
        governor = Governor(Says(answer), TOY_LEVELS, "mine")
        with pytest.raises(PluginError, match=r"policy 'mine': decide\(\) gave .* 0 to 2"):
            governor.observe(SEEN)

    @pytest.mark.parametrize(
        "actions",
        [
            None,
            [("threads", 2.0)],
            {"threads": float("nan")},
            {"threads": np.float32("inf")},
            {"threads": 10**400},
            {"threads": "2"},
            {"threads": None},
            {"threads": 1j},
            {2: 2.0},
        ],
    )
    def test_what_are_no_actions_too(self, context, actions):
        plugin = context.host.owner("runtime_policies", "greedy")
        governor = Governor(Says(Decision(0, "", actions)), TOY_LEVELS, "mine", plugin)
        said = r"plugin 'dynamic_ofa'.*policy 'mine': decide\(\) gave .* a finite number"
        with pytest.raises(PluginError, match=said) as caught:
            governor.observe(SEEN)
        assert caught.value.exit_code == 4

    def test_actions_that_cannot_be_read_too(self, context):
        plugin = context.host.owner("runtime_policies", "greedy")
        governor = Governor(Says(Decision(0, "", Torn())), TOY_LEVELS, "mine", plugin)
        with pytest.raises(PluginError, match=r"policy 'mine': decide\(\).*torn"):
            governor.observe(SEEN)

    @pytest.mark.parametrize("reason", [None, 7, b"slow"])
    def test_what_is_no_reason_too(self, reason):
        governor = Governor(Says(Decision(0, reason)), TOY_LEVELS, "mine")
        with pytest.raises(PluginError, match=r"decide\(\) gave .* due is a reason in words"):
            governor.observe(SEEN)

    def test_after_what_is_wrong_the_level_is_the_one_before(self):
        governor = Governor(Says(Decision(0, "", None)), TOY_LEVELS, "mine")
        with pytest.raises(PluginError):
            governor.observe(SEEN)
        assert governor.level == 2

    def test_what_is_no_pair_too(self):
        governor = Governor(Says(lambda state: 1), TOY_LEVELS, "mine")
        with pytest.raises(PluginError, match="a state and a level"):
            governor.observe(SEEN)


@pytest.fixture(scope="module")
def context():
    """What a job runs in, with a setting of the user's."""
    return JobContext(Host.discover(), settings={"dynamic_ofa": {"window": 3}})


class TestByName:
    def test_takes_settings_and_the_job_s_own_flags(self, context):
        given = {"accuracy": 77.0, "unknown": 1, "quiet": None}
        governor = governor_of(context, "dynamic_ofa", TOY_LEVELS, given=given)
        options = governor._policy.options
        assert (options.window, options.accuracy, options.quiet) == (3, 77.0, 72)
        assert governor.level == 1

    def test_an_unknown_name_is_told_with_the_nearest(self, context):
        with pytest.raises(UnknownNameError, match="nearest known: hysteresis"):
            governor_of(context, "hysterisis", TOY_LEVELS)

    def test_a_policy_that_raises_is_blamed_with_its_plugin(self, context):
        plugin = context.host.owner("runtime_policies", "greedy")
        governor = Governor(Says(lambda state: 1 // 0), TOY_LEVELS, "greedy", plugin)
        with pytest.raises(PluginError, match=r"plugin 'dynamic_ofa'.*policy 'greedy': decide\(\)"):
            governor.observe(SEEN)
