"""``ofa run contest`` on the toy: seeds, comparisons, interruptions, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from block_profile.reducing.contest import JOURNAL, searched
from block_profile.reducing.contest_result import Found
from ofa_plugins_core.archive import reachable
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.events import Progress
from ofa_plugins_core.interfaces import Found as Searched
from ofa_plugins_core.testing.toys import toy_cost, toy_problem
from ofa_plugins_core.values import Constraint


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


def test_fewer_repeats_than_there_are_are_refused(contest, tmp_path: Path) -> None:
    out = tmp_path / "run"
    contest(out=out, cost=("params",), repeats=3)

    with pytest.raises(UsageError, match="has 3 repeats already, more than --repeats 2"):
        contest(out=out, cost=("params",), repeats=2, resume=True)


@pytest.fixture
def hopeless(tmp_path: Path) -> str:
    """A control without the small ratio: it has no network as cheap as the others have."""
    file = tmp_path / "hopeless.yaml"
    drops = [{"block": {"e": 2}}]
    file.write_text(json.dumps({"base": "toy", "reduction": {"name": "hopeless", "drop": drops}}))
    return str(file)


def test_a_control_without_a_network_is_told_and_the_contest_goes_on(
    contest, hopeless, toy_host
) -> None:
    small = toy_host.supernet("toy+small")
    problem = toy_problem(supernet=small, costs={"params": toy_cost("params", small)})
    least = reachable(problem, Constraint("params", "<=", 0.0))

    found = contest(constraint=(f"params<={least}",), control=hopeless, repeats=2)

    told = found.as_json()
    assert told["spaces"]["control"]["without_network"] == 2
    assert [(c["of"], c["against"]) for c in told["comparisons"]] == [("reduced", "whole")]
    (title, _, rows), _ = found.as_tables()
    assert "some found no network within the bounds" in title
    assert [(row[2], row[3] == "none found") for row in rows] == [
        ("2 of 2", False),
        ("2 of 2", False),
        ("0 of 2", True),
    ]


def test_a_verdict_says_which_repeats_it_leaves_out(contest) -> None:
    found = contest(repeats=3)
    lacking = evolve(found, found={**found.found, ("control", 1): Found((), 7)})

    verdicts = [c["verdict"] for c in lacking.as_json()["comparisons"]]
    left = "; control: only the 2 of 3 repeats that found a network"
    assert [v.endswith(left) for v in verdicts] == [False, True, True]
    assert lacking.as_json()["comparisons"][1]["values"] == [3, 2]
    assert [row[1].count("only the") for row in lacking.as_tables()[1][2]] == [0, 1, 1]


def test_every_repeat_of_every_space_draws_its_own(contest, monkeypatch) -> None:
    def drawn(problem, searcher, generator):
        return Found(((float(generator.random()), 1.0),), 1)

    monkeypatch.setattr("block_profile.reducing.contest.searched", drawn)
    found = contest(supernet="toy+small")

    values = [v for role in ("reduced", "whole", "control") for v in found.values(role)]
    assert len(set(values)) == 9


def test_a_search_that_was_stopped_is_no_result() -> None:
    class Stopped:
        def search(self, problem, generator, listener):
            genes = problem.supernet.space.sample(1, generator)
            return Searched(genes, False, 1, interrupted=True)

    with pytest.raises(KeyboardInterrupt):
        searched(toy_problem(), Stopped(), np.random.default_rng(0))
