"""Options of a live run, read and doubted before anything is loaded."""

from __future__ import annotations

import pytest

from dynamic_ofa.live.options import SwitchOptions
from dynamic_ofa.live.plan import doubts, plan_of, wishes
from ofa_plugins_core import JobContext
from ofa_plugins_core.errors import UsageError


def options(**given):
    return SwitchOptions(**{"levels": "toy", "limit": "50 ms", **given})


def doubted(table, wish=None, **given):
    """What is told before a run with these options."""
    chosen = options(**given)
    return list(doubts(plan_of(chosen), chosen, table, wish))


def test_what_cannot_be_kept_is_told_before_it_runs(table):
    limit, wish, batch = doubted(table, 80.0, limit="50 ms, 15 ms from 3 s", batch=4)
    assert "15 ms is under the fastest level's 20 ms" in limit
    assert "the wish of 80 % cannot be met: the most accurate level has 74 %" in wish
    assert "of one image, here 4" in batch
    assert doubted(table, 72.0) == []


def test_threads_that_spin_under_a_second_load_are_told(table, monkeypatch):
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    (said,) = doubted(table, contend=2)
    assert "--threads 1" in said
    assert doubted(table, contend=2, threads=1) == doubted(table, threads=2) == []
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert doubted(table, contend=2) == [] and doubted(table, contend=2, threads=2) == [said]
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")
    assert doubted(table, contend=2, threads=2) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"limit": "soon"}, "--limit"),
        ({"every": "often"}, "--every"),
        ({"settle": "-1 s"}, "--settle"),
        ({"accuracy": "high"}, "--accuracy"),
        ({"accuracy": "120"}, "--accuracy"),
        ({"contend": 2, "count": 10}, "when is the second load"),
        ({"contend": 2, "contend_during": "9 s:3 s"}, "--contend-during"),
        ({"contend": 2, "contend_during": "9 s"}, "--contend-during"),
    ],
)
def test_a_flag_that_does_not_read_is_named(given, said):
    with pytest.raises(UsageError, match=said):
        plan_of(options(**given))


def test_without_a_length_it_runs_half_a_minute_and_the_load_its_middle_third():
    plan = plan_of(options(contend=1))
    assert plan.length.seconds == 30 and plan.during == (10, 20)
    assert plan_of(options(count=5)).length.seconds is None
    assert plan_of(options(contend=1, contend_during="0:4 s")).during == (0, 4)


def test_a_wish_is_the_policy_s_own_where_it_has_one(bench):
    context = JobContext(bench.host)

    def told(**given):
        return wishes(context, options(**given), plan_of(options(**given)))

    assert told(policy="stepping") == (0.0, None)
    assert told(policy="stepping", accuracy="72") == (72.0, None)
    assert told(policy="failing") == (None, None)
    wish, vain = told(policy="failing", accuracy="72")
    assert wish is None and "takes no wish" in vain
