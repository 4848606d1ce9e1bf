"""Exact search on small random spaces: it finds what trying every network finds."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_toys import Opaque, Shape, Toy, toy

from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.pareto import non_dominated
from ofa_plugins_core.values import Constraint, Genes
from ofa_search.exact.searcher import Exact, ExactOptions

SHAPES = get_args(Shape)
COSTS = ("memory", "flops", "latency", "buffer")
GENERATOR = np.random.default_rng(0)


def problem(made: Toy, constraints: tuple[Constraint, ...] = (), **more: Any) -> Problem:
    names = more.pop("costs", COSTS)
    costs = {n: made.costs[n] for n in names}
    return Problem(made.supernet, costs, more.pop("predictor", made.predictor), constraints, **more)


@st.composite
def bounded(draw: st.DrawFn, most: int = 4) -> tuple[Toy, tuple[Constraint, ...]]:
    """A toy and bounds that lie at values some network has, or beside them."""
    made = toy(
        draw(st.sampled_from(SHAPES)), draw(st.integers(0, 10**6)), draw(st.sampled_from([4, 50]))
    )
    values = made.values(made.all)
    constraints = []
    for _ in range(draw(st.integers(1, most))):
        name = draw(st.sampled_from((*COSTS, "accuracy")))
        low = (name == "accuracy") ^ draw(st.booleans() if draw(st.booleans()) else st.just(False))
        share = draw(st.floats(0.0, 1.0))
        bound = float(np.quantile(values[name], share, method="nearest"))
        constraints.append(
            Constraint(name, ">=" if low else "<=", bound + draw(st.sampled_from([0, 0, 0.3])))
        )
    return made, tuple(constraints)


def value(made: Toy, name: str, genes: Genes) -> float:
    return float(made.values(genes)[name][0])


@settings(max_examples=150, deadline=None)
@given(bounded(), st.sampled_from(("accuracy", *COSTS)), st.sampled_from([2**15, 8]))
def test_the_best_network_is_the_best_of_all(
    case: tuple[Toy, tuple[Constraint, ...]], objective: str, piece: int
) -> None:
    made, constraints = case
    fits = made.feasible(constraints)
    asked = problem(made, constraints, objective=objective)
    exact = Exact(ExactOptions(piece=piece))
    if not len(fits):
        with pytest.raises(InfeasibleError):
            exact.search(asked, GENERATOR)
        return
    found = exact.search(asked, GENERATOR)
    every = made.values(fits)[objective]
    best = every.max() if objective == "accuracy" else every.min()
    assert value(made, objective, found.genes) == pytest.approx(best, abs=1e-7)
    assert (fits == found.genes[0]).all(axis=1).any(), "feasible, and in canonical form"
    assert found.optimal and found.evaluations == 0


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 10**6), st.sampled_from(COSTS))
def test_equally_accurate_networks_are_told_apart_by_the_first_cost(
    shape: Shape, seed: int, cost: str
) -> None:
    made = toy(shape, seed, coarse=4)  # sums of eighths: ties are exact
    found = Exact().search(problem(made, costs=(cost,)), GENERATOR)
    values = made.values(made.all)
    best = np.isclose(values["accuracy"], values["accuracy"].max(), rtol=0, atol=1e-9)
    assert value(made, cost, found.genes) == pytest.approx(values[cost][best].min())


@settings(max_examples=60, deadline=None)
@given(
    bounded(most=2),
    st.booleans(),
    st.lists(st.sampled_from(COSTS), min_size=1, max_size=3, unique=True),
    st.sampled_from([2**15, 8]),
)
def test_a_front_is_what_nothing_beats(
    case: tuple[Toy, tuple[Constraint, ...]], bound: bool, costs: list[str], piece: int
) -> None:
    made, constraints = case
    constraints = tuple(c for c in constraints if bound and _fits_a_front(c, costs))
    asked = problem(made, constraints, costs=costs, front=True, points=0)
    fits = made.feasible(constraints)
    if not len(fits):
        with pytest.raises(InfeasibleError):
            Exact().search(asked, GENERATOR)
        return
    found = Exact(ExactOptions(piece=piece)).search(asked, GENERATOR)
    assert points(made, costs, found.genes) == pytest.approx(
        whole_front(made, costs, fits), abs=1e-7
    )
    first = made.values(found.genes)[costs[0]]
    assert (np.diff(first) >= 0).all(), "sorted by the first cost"
    assert found.optimal and found.epsilon is None


def _fits_a_front(constraint: Constraint, costs: list[str]) -> bool:
    return constraint.name in costs or (constraint.name, constraint.relation) == ("accuracy", ">=")


def test_a_front_under_a_ceiling_on_accuracy_is_refused() -> None:
    asked = problem(toy(SHAPES[0], 0), (Constraint("accuracy", "<=", 50),), front=True)
    assert "ceiling" in str(Exact().refuses(asked))


def points(made: Toy, costs: list[str], genes: Genes) -> Any:
    values = made.values(genes)
    columns = np.stack([-values["accuracy"], *(values[c] for c in costs)], axis=1)
    return columns[np.lexsort(columns.round(9).T[::-1])]


def whole_front(made: Toy, costs: list[str], genes: Genes) -> Any:
    columns = points(made, costs, genes).round(9)
    return columns[non_dominated(columns)]


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 10**6))
def test_costs_can_be_traded_without_a_predictor(shape: Shape, seed: int) -> None:
    made = toy(shape, seed)
    asked = problem(made, costs=("memory", "flops"), predictor=None, objective="flops", front=True)
    found = Exact().search(asked, GENERATOR)
    values = made.values(made.all)
    columns = np.stack([values["memory"], values["flops"]], axis=1)
    expected = columns[non_dominated(columns)]
    shown = made.values(found.genes)
    assert np.stack([shown["memory"], shown["flops"]], axis=1) == pytest.approx(expected)


def test_the_front_of_one_cost_alone_is_its_minimum() -> None:
    made = toy("mbconv", 1)
    asked = problem(made, costs=("flops",), predictor=None, objective="flops", front=True)
    found = Exact().search(asked, GENERATOR)
    assert len(found.genes) == 1
    assert value(made, "flops", found.genes) == made.values(made.all)["flops"].min()


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 10**6), st.integers(2, 20))
def test_a_thinned_front_is_within_its_epsilon(shape: Shape, seed: int, most: int) -> None:
    made = toy(shape, seed)
    costs = ["memory", "flops", "latency"]
    asked = problem(made, costs=costs, front=True, points=most)
    found = Exact().search(asked, GENERATOR)
    whole = whole_front(made, costs, made.all)
    kept = points(made, costs, found.genes)
    assert len(kept) <= most or found.epsilon is None
    if found.epsilon is None:
        assert len(kept) == len(whole)
        return
    reach = np.array([found.epsilon[n] for n in ("accuracy", *costs)]) + 1e-6
    near = (np.abs(whole[:, None, :] - kept[None, :, :]) <= reach).all(axis=2)
    assert near.any(axis=1).all(), "each dropped point has a kept one within epsilon"


def test_a_problem_that_is_not_separable_is_refused_with_the_reason() -> None:
    made = toy("mbconv", 0)
    rough = problem(made, predictor=Opaque(made.predictor))
    assert "predictor" in (Exact().refuses(rough) or "")
    costs = {"memory": Opaque(made.costs["memory"])}
    assert "memory" in (Exact().refuses(Problem(made.supernet, costs, made.predictor)) or "")
    assert "no predictor" in (Exact().refuses(problem(made, predictor=None)) or "")
    assert Exact().refuses(problem(made)) is None


def test_an_impossible_bound_names_the_smallest_value_and_the_block() -> None:
    made = toy("mbconv", 3)
    with pytest.raises(InfeasibleError) as caught:
        Exact().search(problem(made, (Constraint("flops", "<=", -1),)), GENERATOR)
    assert caught.value.smallest["flops"] == made.values(made.all)["flops"].min()
    assert "flops<=-1" in caught.value.binds and (
        "block" in caught.value.binds or "head" in caught.value.binds
    )


def test_bounds_that_only_clash_name_what_each_reaches_under_the_other() -> None:
    made = toy("mbconv", 5)
    values = made.values(made.all)
    top = float(values["accuracy"].max()) - 1e-9
    needed = values["flops"][values["accuracy"] >= top].min()
    clash = (Constraint("flops", "<=", float(needed) - 1), Constraint("accuracy", ">=", top))
    with pytest.raises(InfeasibleError) as caught:
        Exact().search(problem(made, clash), GENERATOR)
    assert caught.value.smallest["flops"] == needed
    under = values["accuracy"][values["flops"] <= needed - 1].max()
    assert caught.value.smallest["accuracy"] == pytest.approx(under)
    assert "under accuracy>=" in str(caught.value)


def test_the_same_question_has_the_same_answer() -> None:
    made = toy("chained", 9, coarse=3)
    bounds = (Constraint("latency", "<=", float(np.median(made.values(made.all)["latency"]))),)
    first, again = (
        Exact().search(problem(made, bounds), np.random.default_rng(seed)).genes for seed in (0, 1)
    )
    assert (first == again).all()
