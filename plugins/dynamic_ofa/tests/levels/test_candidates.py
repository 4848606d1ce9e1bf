"""Candidates come from a sweep, a run or a file."""

from __future__ import annotations

import json

import pytest
from attrs import evolve

from dynamic_ofa.levels.candidates import pool_of, ranged_options
from dynamic_ofa.levels.options import LevelsOptions
from ofa_plugins_core.errors import InfeasibleError, InputError, UsageError

SMALL = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": 32}
LARGE = {"ks": [5] * 4, "e": [3] * 4, "d": [2, 2], "image_size": 64}


def options(**given):
    return LevelsOptions(**{"supernet": "toy", **given})


def flops(candidates):
    return [c.costs["flops"]["value"] for c in candidates]


def test_without_a_range_bounds_lie_between_the_cheapest_network_and_the_largest(context):
    found = pool_of(context[0], options(points=5))
    costs = flops(found.candidates)
    ends = flops(pool_of(context[0], options(points=2)).candidates)
    assert costs == sorted(set(costs))
    assert (costs[0], costs[-1]) == tuple(ends)
    assert found.searched["bounds"] == 5 and found.searched["swept"] == "flops"


def test_every_candidate_says_what_was_predicted_and_what_was_computed(context):
    for found in pool_of(context[0], options(points=4)).candidates:
        assert found.accuracy["kind"] == "predicted" and found.accuracy["unit"] == "%"
        assert found.accuracy["source"] == "additive, imagenet"
        assert found.costs["flops"]["kind"] == "computed"


def test_a_range_is_taken_as_it_is_given(context):
    given = options(constraint=("params<=2k:9k",), points=4)
    assert ranged_options(context[0], given) == given


def test_a_floor_leaves_out_bounds_that_cannot_be_met_and_says_so(context, notices):
    all_of_them = pool_of(context[0], options(points=7)).candidates
    middle = sorted(c.accuracy["value"] for c in all_of_them)[3]
    found = pool_of(context[0], options(points=7, constraint=(f"accuracy>={middle}",)))
    assert {c.arch for c in found.candidates} < {c.arch for c in all_of_them}
    assert all(c.accuracy["value"] >= middle for c in found.candidates)
    assert found.searched["infeasible"] > 0
    assert any("cannot be met" in said for said in notices(context[1]))


def test_a_fixed_bound_ends_the_range(context):
    least, most = flops(pool_of(context[0], options(points=2)).candidates)
    bound = (least + most) / 2
    found = flops(
        pool_of(context[0], options(points=5, constraint=(f"flops<={bound}",))).candidates
    )
    assert max(found) <= bound and len(found) > 1


def test_a_range_that_no_network_meets_ends_with_the_least_that_one_reaches(context):
    least = min(flops(pool_of(context[0], options(points=2)).candidates))
    with pytest.raises(InfeasibleError, match="one reaches flops") as caught:
        pool_of(context[0], options(constraint=("flops<=1:100",), points=3))
    assert caught.value.exit_code == 3
    assert caught.value.smallest["flops"] == least
    assert f"{least:,}" in caught.value.message and "MACs" in caught.value.message


def test_nothing_is_left_of_a_sweep_that_cannot_be(context):
    with pytest.raises(InfeasibleError):
        pool_of(context[0], options(constraint=("flops<=1:100",), points=3))
    assert not context[0].out.exists()


def test_a_floor_that_no_network_meets_is_named(context):
    with pytest.raises(
        InfeasibleError, match=r"accuracy [\d.]+ % and flops .*, each alone; binds: the stem"
    ):
        pool_of(context[0], options(constraint=("accuracy>=99.9",), points=3))


def test_a_search_that_is_stopped_goes_on(context, monkeypatch):
    whole, search = pool_of(context[0], options(points=6)), search_of(context)
    calls = []

    def stopped(self, problem, *more):
        calls.append(problem)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return search(self, problem, *more)

    here = evolve(context[0], configuration={"job": "levels"})
    monkeypatch.setattr(type(searcher(context)), "search", stopped)
    with pytest.raises(KeyboardInterrupt):
        pool_of(here, options(points=6))
    assert {p.name for p in here.out.iterdir()} == {"config.yaml", "progress.json"}
    again = pool_of(evolve(here, resume=True), options(points=6))
    assert [c.arch for c in again.candidates] == [c.arch for c in whole.candidates]
    assert len(calls) == 4 + 3


def searcher(context):
    return context[0].host.searcher("exact").build(None)


def search_of(context):
    return type(searcher(context)).search


def test_candidates_of_a_file_are_taken_once_with_their_predictions(context, tmp_path):
    file = tmp_path / "archs.jsonl"
    file.write_text("".join(json.dumps(a) + "\n" for a in (SMALL, LARGE, SMALL)))
    found = pool_of(context[0], options(archs=file)).candidates
    assert [c.arch.as_dict() for c in found] == [SMALL, LARGE]
    assert all(c.accuracy["kind"] == "predicted" and "flops" in c.costs for c in found)


def test_candidates_of_a_run_are_those_of_its_front(context, tmp_path):
    said = {"value": 70.0, "unit": "%", "kind": "predicted"}
    item = {"arch": SMALL, "accuracy": said, "costs": {"flops": {**said, "unit": "MACs"}}}
    (tmp_path / "result.json").write_text(json.dumps({"supernet": "toy", "front": [item]}))
    (found,) = pool_of(context[0], options(run=tmp_path)).candidates
    assert found.accuracy == said


def test_a_run_without_accuracies_gets_predicted_ones(context, tmp_path):
    item = {"arch": SMALL, "accuracy": None, "costs": {}}
    (tmp_path / "result.json").write_text(json.dumps({"supernet": "toy", "front": [item]}))
    (found,) = pool_of(context[0], options(run=tmp_path)).candidates
    assert found.accuracy["kind"] == "predicted"


@pytest.mark.parametrize("wrong", [{"kind": "guessed"}, {"value": 170.0}, {"value": float("nan")}])
def test_accuracies_of_a_run_that_cannot_be_are_named(context, tmp_path, wrong):
    said = {"value": 70.0, "unit": "%", "kind": "predicted", **wrong}
    item = {"arch": SMALL, "accuracy": said, "costs": {}}
    (tmp_path / "result.json").write_text(json.dumps({"supernet": "toy", "front": [item]}))
    with pytest.raises(InputError, match="network 0: an accuracy"):
        pool_of(context[0], options(run=tmp_path))


def test_the_least_cost_needs_a_range_of_accuracies(context):
    with pytest.raises(UsageError, match="range of accuracies"):
        pool_of(context[0], options(minimize="flops"))


def test_a_search_whose_result_is_missing_is_said(context, tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        pool_of(context[0], options(run=tmp_path / "none"))
