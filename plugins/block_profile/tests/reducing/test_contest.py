"""``ofa run contest`` on the toy: seeds, comparisons, interruptions, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from block_profile.reducing.contest import JOURNAL
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.events import Progress


def test_each_space_is_searched_so_many_times_and_compared(contest) -> None:
    found = contest(cost=("params",))

    told = json.loads(json.dumps(found.as_json()))
    assert told["measure"] == "hypervolume" and told["unit"] == "% count"
    assert {r: len(s["values"]) for r, s in told["spaces"].items()} == dict.fromkeys(
        ("reduced", "whole", "control"), 3
    )
    assert told["evaluations"] == 9 * (20 + 3 * 30)
    assert [(c["of"], c["against"]) for c in told["comparisons"]] == [
        ("reduced", "whole"),
        ("reduced", "control"),
        ("control", "whole"),
    ]
    assert "toy+small" in found.as_tables()[0][0]


def test_without_a_cost_the_most_accurate_network_counts(contest) -> None:
    found = contest()

    assert found.as_json()["measure"] == "accuracy"
    bounded = contest(constraint=("params<=6000",))
    assert max(bounded.values("whole")) < max(found.values("whole"))


def test_the_same_seed_gives_the_same_and_another_another(contest) -> None:
    one, again, other = (contest(cost=("params",), seed=s).as_json() for s in (1, 1, 2))

    assert one == again
    assert one["spaces"]["control"] != other["spaces"]["control"]


def test_a_control_of_the_users_own_is_the_same_in_every_repeat(contest, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text('base: toy\nreduction:\n  name: own\n  drop: [{"block": {"k": 5}}]\n')

    found = contest(control=str(own))

    assert found.as_json()["control"] == "toy+own"
    with pytest.raises(UsageError, match="toy is no smaller space of toy"):
        contest(control="toy")


def test_an_interrupt_keeps_what_is_done_and_resume_comes_to_the_same(
    contest, tmp_path: Path
) -> None:
    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.done == 4:
            raise KeyboardInterrupt

    out = tmp_path / "run"
    stopped = contest(out=out, cost=("params",), listener=stop)
    assert (stopped.exit_code, len(stopped.found)) == (130, 4)
    assert len((out / JOURNAL).read_text().splitlines()) == 1 + 4
    stopped.as_tables()

    resumed = contest(out=out, cost=("params",), resume=True)

    straight = contest(cost=("params",))
    assert resumed.exit_code == 0
    assert resumed.as_json()["spaces"] == straight.as_json()["spaces"]
    with pytest.raises(UsageError, match="another measurement"):
        contest(out=out, cost=("params",), resume=True, seed=5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"supernet": "toy"}, "toy is no smaller space"),
        ({"goal": "pareto"}, "compared against one cost"),
        ({"cost": ("params", "flops")}, "compared against one cost"),
        ({"goal": "pareto", "cost": ("params",), "constraint": ("params<=1M",)}, "no bound"),
        ({"reference": (1.0, 2.0)}, "of a hypervolume"),
        ({"cost": ("params",), "reference": (1.0,)}, "expected ACCURACY,COST"),
        ({"constraint": ("params<=1k:2k",)}, "no range of bounds"),
        ({"predictor": None}, "additive"),
    ],
)
def test_what_cannot_be_compared_is_refused(contest, options: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        contest(**options)


def test_a_bound_that_nothing_meets_ends_at_once(contest) -> None:
    with pytest.raises(InfeasibleError):
        contest(constraint=("params<=1",))


def test_a_reference_point_of_the_users_own(contest) -> None:
    found = contest(cost=("params",), reference=(0.0, 1e6))

    assert found.at == (0.0, 1e6)
    assert min(found.values("whole")) > 1e7


def test_more_repeats_go_on_with_those_that_are_there(contest, tmp_path: Path) -> None:
    out = tmp_path / "run"
    contest(out=out, cost=("params",), repeats=2)

    more = contest(out=out, cost=("params",), repeats=3, resume=True)

    assert more.as_json()["spaces"] == contest(cost=("params",)).as_json()["spaces"]
    assert len((out / JOURNAL).read_text().splitlines()) == 1 + 9
