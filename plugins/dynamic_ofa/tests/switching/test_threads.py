"""Torch's threads are put back when the last that wanted some lets go."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from dynamic_ofa.switching import threads  # noqa: E402
from dynamic_ofa.switching.threads import hold_threads, let_go  # noqa: E402
from ofa_plugins_core.errors import UsageError  # noqa: E402

BEFORE = 7


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """What torch is told, on a machine with cores enough."""
    found = [BEFORE]
    monkeypatch.setattr(torch, "get_num_threads", lambda: found[0])
    monkeypatch.setattr(torch, "set_num_threads", lambda count: found.__setitem__(0, count))
    monkeypatch.setattr(threads.machine, "check_threads", lambda count, pin: None)
    monkeypatch.setattr(threads, "RECORD", threads.Record())
    return found


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_one_that_is_left_keeps_its_own_and_the_last_puts_back(now, order):
    wanted = (1, 2)
    holds = [hold_threads(count) for count in wanted]
    assert now == [2]
    let_go(holds[order[0]])
    assert now == [wanted[order[1]]]
    let_go(holds[order[1]])
    assert now == [BEFORE]


def test_letting_go_twice_takes_nothing_from_the_others(now):
    one, two = hold_threads(1), hold_threads(1)
    for _ in range(2):
        let_go(one)
    assert now == [1]
    let_go(two)
    now[0] = 3  # somebody's own, since then
    let_go(two)
    assert now == [3]


def test_an_older_one_that_lets_go_leaves_what_was_set_since(now):
    older, newer = hold_threads(1), hold_threads(2)
    now[0] = 3  # a policy's action
    let_go(older)
    assert now == [3]
    let_go(newer)
    assert now == [BEFORE]


def test_who_wants_none_changes_nothing(now):
    let_go(hold_threads(None))
    assert now == [BEFORE]


def test_no_number_of_threads_is_refused_and_leaves_them(now):
    with pytest.raises(UsageError, match="threads: expected"):
        hold_threads(0)
    assert now == [BEFORE]
