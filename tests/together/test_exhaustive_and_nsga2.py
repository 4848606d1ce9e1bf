"""Searchers that score networks: all of a small space, generations of NSGA-II, random draws."""

from __future__ import annotations

import numpy as np
import pytest
from search_toys import Opaque, plain_predictor, toy

from ofa_plugins_core import Host
from ofa_plugins_core.builtin.random_search import RandomOptions, RandomSearch
from ofa_plugins_core.config import structure
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.pareto import non_dominated
from ofa_plugins_core.scoring import Scorer, objectives
from ofa_plugins_core.values import Constraint
from ofa_search.exact.pieces import LIMIT
from ofa_search.exact.searcher import Exact
from ofa_search.exhaustive import Exhaustive, ExhaustiveOptions, every
from ofa_search.nsga2 import Nsga2, Nsga2Options
from ofa_search.options import PIECE, ExactOptions


def compofa(front: bool = False) -> Problem:
    host = Host.discover()
    supernet = host.supernet("compofa")
    costs = {"flops": host.cost_model("flops").build(supernet)}
    return Problem(supernet, costs, plain_predictor(supernet.space), front=front)


def test_every_network_of_compofa_comes_once() -> None:
    found = np.concatenate(list(every(compofa().supernet.space)))
    assert len(found) == len(np.unique(found, axis=0)) == 1215


def test_trying_all_agrees_with_exact_search() -> None:
    for front in (False, True):
        asked = compofa(front)
        all_tried = Exhaustive().search(asked, np.random.default_rng(0))
        exact = Exact().search(asked, np.random.default_rng(0))
        assert all_tried.optimal and all_tried.evaluations == 1215
        names = objectives(asked)
        both = [Scorer(asked)(f.genes).minimised(names) for f in (all_tried, exact)]
        assert both[0] == pytest.approx(both[1])


def test_what_is_not_separable_can_be_tried_too() -> None:
    made = toy("mbconv", 2)
    costs = {"flops": Opaque(made.costs["flops"])}
    median = float(np.median(made.values(made.all)["flops"]))
    asked = Problem(
        made.supernet, costs, Opaque(made.predictor), (Constraint("flops", "<=", median),)
    )
    found = Exhaustive().search(asked, np.random.default_rng(0))
    fits = made.feasible(asked.constraints)
    assert made.values(found.genes)["accuracy"][0] == made.values(fits)["accuracy"].max()


def test_pieces_are_cut_where_the_options_say() -> None:
    assert ExactOptions().piece == PIECE == LIMIT


def test_a_large_space_is_refused_with_its_number() -> None:
    host = Host.discover()
    asked = Problem(host.supernet("moofa_v3"), {}, None, objective="flops")
    assert "87,034,621,970,289,943,404" in (Exhaustive().refuses(asked) or "")
    assert Exhaustive(ExhaustiveOptions(limit=100)).refuses(compofa()) is not None
    assert Exhaustive().refuses(compofa()) is None


@pytest.mark.parametrize("searcher", [Exhaustive(), Nsga2(Nsga2Options(20, 3)), RandomSearch()])
def test_what_does_not_fit_ends_with_the_smallest_value(searcher) -> None:
    made = toy("coupled", 4)
    asked = Problem(made.supernet, made.costs, made.predictor, (Constraint("flops", "<=", -5),))
    with pytest.raises(InfeasibleError) as caught:
        searcher.search(asked, np.random.default_rng(0))
    assert caught.value.smallest["flops"] == made.values(made.all)["flops"].min()


@pytest.mark.parametrize(
    "searcher", [Nsga2(Nsga2Options(40, 30)), RandomSearch(RandomOptions(5000))]
)
def test_a_small_front_is_nearly_found_by_drawing(searcher) -> None:
    made = toy("mbconv", 8)
    costs = {n: made.costs[n] for n in ("flops", "memory")}
    asked = Problem(made.supernet, costs, made.predictor, front=True)
    names = objectives(asked)
    found = searcher.search(asked, np.random.default_rng(0))
    points = Scorer(asked)(found.genes).minimised(names)
    whole = Scorer(asked)(made.all).minimised(names)
    whole = whole[non_dominated(whole)]
    assert len(non_dominated(points)) == len(points) >= 0.7 * len(whole)
    assert (np.diff(points[:, 1]) >= 0).all(), "sorted by the first cost"
    again = searcher.search(asked, np.random.default_rng(0))
    assert (found.genes == again.genes).all()


def test_a_bound_out_of_reach_is_told_beside_the_others_own_values() -> None:
    made = toy("coupled", 4)
    bounds = (Constraint("flops", "<=", -5), Constraint("memory", "<=", 10**6))
    asked = Problem(made.supernet, made.costs, made.predictor, bounds)
    with pytest.raises(InfeasibleError) as caught:
        Nsga2(Nsga2Options(20, 3)).search(asked, np.random.default_rng(0))
    values = made.values(made.all)
    assert caught.value.smallest == {n: values[n].min() for n in ("flops", "memory")}


def test_a_stage_that_is_cut_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = toy("mbconv", 2)
    asked = Problem(made.supernet, made.costs, made.predictor)
    assert Exhaustive().refuses(asked) is None
    monkeypatch.setattr("ofa_search.exhaustive._WHOLE", 8)
    assert "a stage has more than 8 combinations" in (Exhaustive().refuses(asked) or "")
    with pytest.raises(AssertionError):
        next(every(made.supernet.space))


@pytest.mark.parametrize(
    ("options", "key"),
    [
        (ExactOptions, "piece"),
        (ExhaustiveOptions, "limit"),
        (Nsga2Options, "population"),
        (Nsga2Options, "generations"),
    ],
)
def test_options_that_leave_nothing_to_do_are_refused(options: type, key: str) -> None:
    with pytest.raises(UsageError, match=rf"here: .{key}. must be >= 1"):
        structure({key: 0}, options, "here")
