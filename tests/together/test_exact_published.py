"""Exact search on the published spaces, against an independent solver and other searchers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
import pytest
from attrs import evolve
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix
from search_toys import ToyPredictor, plain_predictor

from ofa_plugins_core import Host
from ofa_plugins_core.builtin.random_search import RandomOptions, RandomSearch
from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.interfaces import CostModel, Problem, Supernet
from ofa_plugins_core.pareto import non_dominated
from ofa_plugins_core.scoring import Scorer, objectives
from ofa_plugins_core.values import Constraint, Genes, parse_constraint
from ofa_search.exact import knapsack
from ofa_search.exact.counting import count_fitting
from ofa_search.exact.question import Question, ask
from ofa_search.exact.searcher import Exact
from ofa_search.exact.thresholds import Filter

GENERATOR = np.random.default_rng(0)
SUPERNETS = ("moofa_v3", "ofa_mbv3_w1.0", "ofa_resnet50")
BOUNDED = ("peak_memory", "flops", "params", "peak_memory_mcunet")


@lru_cache
def subject(name: str) -> tuple[Supernet, dict[str, CostModel], ToyPredictor]:
    host = Host.discover()
    supernet = host.supernet(name).at((128, 192))
    costs = {c: host.cost_model(c).build(supernet) for c in BOUNDED}
    return supernet, costs, plain_predictor(supernet.space, gain=8)


def problem(
    name: str, constraints: Sequence[Constraint] = (), costs: Sequence[str] = BOUNDED
) -> Problem:
    supernet, models, predictor = subject(name)
    return Problem(supernet, {c: models[c] for c in costs}, predictor, tuple(constraints))


def random_bounds(name: str, seed: int, most: int = 4) -> tuple[Constraint, ...]:
    """Two to four bounds around those of a random network, so that they are met, and bite."""
    generator = np.random.default_rng(seed)
    supernet, costs, _ = subject(name)
    like = supernet.space.canonical(supernet.space.sample(1, generator))
    chosen = generator.choice(BOUNDED, size=generator.integers(2, most + 1), replace=False)
    return tuple(Constraint(c, "<=", float(costs[c].evaluate(like)[0])) for c in chosen)


# ------------------------------------------------------------------ an independent solver


def milp_best(asked: Problem) -> float | None:
    """The best accuracy by mixed-integer programming: a binary a combination of a block's genes."""
    values = [
        milp_at(ask(asked, i, asked.constraints, asked.predictor.separable(s)))  # type: ignore[union-attr]
        for i, s in enumerate(asked.supernet.resolutions)
    ]
    return max((v for v in values if v is not None), default=None)


def milp_at(question: Question) -> float | None:
    space = question.problem.supernet.space
    quantities = [question.value, *(b.quantity for b in question.bounds)]
    scopes = wide_scopes(
        [f.genes for q in (*quantities, *(f.quantity for f in question.filters)) for f in q.factors]
    )
    sizes = [int(np.prod(space.sizes[list(s)])) for s in scopes]
    start = np.concatenate([[0], np.cumsum(sizes)])
    rows, low, high = consistency(space.sizes, scopes, start)
    for bound in question.bounds:
        row, fixed = weights(bound.quantity, space.sizes, scopes, start)
        scale = abs(bound.limit) or 1.0
        rows.append(row / scale)
        low.append(-np.inf)
        high.append((bound.limit - fixed) / scale)
    gain, _ = weights(question.value, space.sizes, scopes, start)
    upper = np.ones(start[-1])
    for limit in question.filters:
        upper[np.flatnonzero(forbidden(limit, space.sizes, scopes, start))] = 0
    solved = milp(
        -gain,
        constraints=LinearConstraint(csr_matrix(np.array(rows)), low, high),
        integrality=np.ones(start[-1]),
        bounds=Bounds(0, upper),
        options={"mip_rel_gap": 0},
    )
    if solved.status != 0:
        return None
    genes = decoded(solved.x, space.sizes, scopes, start, question.index)
    assert question.meets(genes), "re-checked in whole numbers"
    return float(question.shown("accuracy", genes)[0])


def wide_scopes(scopes: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    distinct = sorted(set(scopes), key=len, reverse=True)
    return [
        s for i, s in enumerate(distinct) if s and not any(set(s) < set(t) for t in distinct[:i])
    ]


def consistency(sizes: np.ndarray, scopes: list[tuple[int, ...]], start: np.ndarray):
    """One combination a block; blocks that share a gene agree on it."""
    rows, low, high = [], [], []
    marginal: dict[int, list[np.ndarray]] = {}
    for number, scope in enumerate(scopes):
        row = np.zeros(start[-1])
        row[start[number] : start[number + 1]] = 1
        rows.append(row)
        low.append(1)
        high.append(1)
        grid = np.indices([int(sizes[g]) for g in scope]).reshape(len(scope), -1)
        for axis, gene in enumerate(scope):
            picked = np.zeros((int(sizes[gene]), start[-1]))
            for option in range(int(sizes[gene])):
                picked[option, start[number] : start[number + 1]] = grid[axis] == option
            marginal.setdefault(gene, []).append(picked)
    for shared in marginal.values():
        for other in shared[1:]:
            rows.extend(other - shared[0])
            low.extend([0] * len(other))
            high.extend([0] * len(other))
    return rows, low, high


def weights(quantity, sizes, scopes, start) -> tuple[np.ndarray, float]:
    row, fixed = np.zeros(start[-1]), 0.0
    for factor in quantity.factors:
        if not factor.genes:
            fixed += float(factor.table[()])
            continue
        number = next(i for i, s in enumerate(scopes) if set(factor.genes) <= set(s))
        row[start[number] : start[number + 1]] += spread(factor, sizes, scopes[number])
    return row, fixed


def forbidden(limit: Filter, sizes, scopes, start) -> np.ndarray:
    out = np.zeros(start[-1], dtype=bool)
    for factor in limit.quantity.factors:
        if factor.genes:
            number = next(i for i, s in enumerate(scopes) if set(factor.genes) <= set(s))
            out[start[number] : start[number + 1]] |= (
                spread(factor, sizes, scopes[number]) > limit.bound
            )
    return out


def spread(factor, sizes, scope) -> np.ndarray:
    grid = np.indices([int(sizes[g]) for g in scope]).reshape(len(scope), -1)
    return np.asarray(factor.table, dtype=float)[tuple(grid[scope.index(g)] for g in factor.genes)]


def decoded(x, sizes, scopes, start, index) -> Genes:
    genes = np.zeros((1, len(sizes)), dtype=np.uint8)
    genes[0, 0] = index
    for number, scope in enumerate(scopes):
        grid = np.indices([int(sizes[g]) for g in scope]).reshape(len(scope), -1)
        genes[0, list(scope)] = grid[:, x[start[number] : start[number + 1]].argmax()]
    return genes


@pytest.mark.parametrize("name", SUPERNETS)
@pytest.mark.parametrize("seed", range(3))
def test_it_equals_a_mixed_integer_solver_on_random_bounds(name: str, seed: int) -> None:
    asked = problem(name, random_bounds(name, seed))
    asked = evolve(asked, supernet=asked.supernet.at((asked.supernet.resolutions[seed % 2],)))
    found = Exact().search(asked, GENERATOR)
    accuracy = Scorer(asked)(found.genes).accuracy
    assert accuracy is not None
    assert accuracy[0] == pytest.approx(milp_best(asked), abs=1e-6)


# ------------------------------------------------------------------ never beaten


@pytest.mark.parametrize("name", SUPERNETS)
def test_no_random_network_beats_it(name: str) -> None:
    asked = problem(name, random_bounds(name, 11, most=2))
    found = Exact().search(asked, GENERATOR)
    drawn = RandomSearch(RandomOptions(draws=1_000_000)).search(asked, np.random.default_rng(1))
    scores = Scorer(asked)
    assert scores(found.genes).of("accuracy")[0] >= scores(drawn.genes).of("accuracy")[0] - 1e-9


@pytest.mark.parametrize("searcher", ["evolution", "nsga2"])
def test_no_searcher_that_draws_beats_it(searcher: str) -> None:
    host = Host.discover()
    entry = host.searcher(searcher)
    other = entry.build(entry.options(population=40, generations=25))  # type: ignore[call-arg]
    for bound in ("peak_memory<=400k", "flops<=250M"):
        asked = problem("moofa_v3", [parse_constraint(bound)], ("peak_memory", "flops"))  # type: ignore[list-item]
        best = Scorer(asked)(Exact().search(asked, GENERATOR).genes).of("accuracy")[0]
        theirs = Scorer(asked)(other.search(asked, np.random.default_rng(2)).genes)
        assert theirs.met(asked.constraints).all()
        assert best >= theirs.of("accuracy")[0] - 1e-9


# ------------------------------------------------------------------ fronts


@pytest.mark.parametrize("name", SUPERNETS)
@pytest.mark.parametrize("cost", ["peak_memory", "flops"])
def test_no_random_network_lies_beyond_a_front(name: str, cost: str) -> None:
    asked = evolve(problem(name, (), [cost]), front=True)
    found = Exact().search(asked, GENERATOR)
    points = Scorer(asked)(found.genes).minimised(objectives(asked))
    assert found.optimal
    assert len(non_dominated(points)) == len(points)
    drawn = asked.supernet.space.sample(50_000, np.random.default_rng(3))
    theirs = Scorer(asked)(drawn).minimised(objectives(asked))
    reach = np.searchsorted(points[:, 1], theirs[:, 1], side="right") - 1
    assert (reach >= 0).all(), "nothing is cheaper than the cheapest of the front"
    assert (points[reach, 0] <= theirs[:, 0] + 1e-9).all(), "nothing as cheap is more accurate"


def test_a_front_and_its_bounds_agree() -> None:
    """Each point of the front is what a search under its own cost finds."""
    asked = evolve(problem("moofa_v3", (), ["peak_memory"]), front=True)
    front = Exact().search(asked, GENERATOR)
    scores = Scorer(asked)(front.genes)
    for row in range(0, len(front.genes), 5):
        bound = Constraint("peak_memory", "<=", float(scores.of("peak_memory")[row]))
        alone = Exact().search(evolve(asked, front=False, constraints=(bound,)), GENERATOR)
        assert (alone.genes[0] == front.genes[row]).all()


def test_several_costs_are_thinned_and_say_by_how_much() -> None:
    asked = evolve(problem("ofa_resnet50", (), ["peak_memory", "flops"]), front=True, points=60)
    asked = evolve(asked, supernet=asked.supernet.at((128,)))
    found = Exact().search(asked, GENERATOR)
    assert 10 < len(found.genes) <= 60
    assert found.epsilon is not None
    names = objectives(asked)
    kept = Scorer(asked)(found.genes).minimised(names)
    drawn = asked.supernet.space.sample(20_000, np.random.default_rng(4))
    theirs = Scorer(asked)(drawn).minimised(names)
    theirs = theirs[non_dominated(theirs)]
    reach = np.array([found.epsilon[n] for n in names]) + 1e-9
    matched = (kept[:, None, :] <= theirs[None, :, :] + reach).all(axis=2).any(axis=0)
    assert matched.all()


def test_an_interrupted_front_keeps_the_resolutions_that_are_done() -> None:
    asked = evolve(problem("moofa_v3", (), ["flops"]), front=True)

    def interrupt(event: object) -> None:
        if getattr(event, "what", "") == "resolution":
            raise KeyboardInterrupt

    found = Exact().search(asked, GENERATOR, interrupt)
    assert len(found.genes) and not found.optimal
    assert found.note is not None and "128" in found.note


def test_an_interrupted_search_keeps_its_best(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = problem("moofa_v3", [Constraint("flops", "<=", 3e8), Constraint("params", "<=", 5e6)])

    def interrupted(join: object, portion: int, first_only: bool = False) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(knapsack._Join, "run", interrupted)
    found = Exact().search(asked, GENERATOR)
    assert Scorer(asked)(found.genes).met(asked.constraints).all()
    assert not found.optimal and "interrupted" in (found.note or "")


# ------------------------------------------------------------------ bounds, counts, errors


def least_flops(floor: float) -> Callable[[Problem], Problem]:
    bound = Constraint("accuracy", ">=", floor)
    return lambda asked: evolve(asked, objective="flops", constraints=(bound,))


def test_the_least_cost_for_an_accuracy_undoes_the_best_accuracy_for_a_cost() -> None:
    asked = problem("moofa_v3", [Constraint("flops", "<=", 2e8)], ["flops"])
    best = Exact().search(asked, GENERATOR)
    scores = Scorer(asked)(best.genes)
    back = Exact().search(least_flops(float(scores.of("accuracy")[0]))(asked), GENERATOR)
    assert Scorer(asked)(back.genes).of("flops")[0] == scores.of("flops")[0]


def test_bounds_from_below_hold() -> None:
    bounds = [parse_constraint(b) for b in ("peak_memory>=450k", "flops>=200M", "params<=6M")]
    asked = problem("moofa_v3", bounds, ("peak_memory", "flops", "params"))  # type: ignore[arg-type]
    found = Exact().search(evolve(asked, objective="flops"), GENERATOR)
    assert Scorer(asked)(found.genes).met(asked.constraints).all()
    assert Scorer(asked)(found.genes).of("flops")[0] < 201e6


@pytest.mark.parametrize("objective", ["accuracy", "peak_memory"])
def test_a_floor_that_other_bounds_put_out_of_reach_is_known_at_once(objective: str) -> None:
    bounded = problem("moofa_v3", [Constraint("flops", "<=", 2e8)], ["peak_memory", "flops"])
    best = Exact().search(bounded, GENERATOR)
    reached = float(Scorer(bounded)(best.genes).of("accuracy")[0])
    met = Constraint("accuracy", ">=", reached)
    asked = evolve(bounded, constraints=(*bounded.constraints, met), objective=objective)
    assert Scorer(asked)(Exact().search(asked, GENERATOR).genes).of("accuracy")[0] >= reached
    out_of_reach = Constraint("accuracy", ">=", reached + 0.01)
    with pytest.raises(InfeasibleError) as caught:
        Exact().search(asked.with_constraints((*bounded.constraints, out_of_reach)), GENERATOR)
    assert caught.value.smallest["accuracy"] == pytest.approx(reached)


def test_an_infeasible_peak_names_the_op_that_binds() -> None:
    with pytest.raises(InfeasibleError) as caught:
        Exact().search(
            problem("moofa_v3", [Constraint("peak_memory", "<=", 1e5)], ["peak_memory"]), GENERATOR
        )
    error = caught.value
    assert error.smallest == {"peak_memory": 299_520}
    assert "stage 5 block 2, expand" in error.binds and "299,520" in str(error)


@pytest.mark.parametrize(
    ("name", "bound", "counts"),
    [
        ("moofa_v3", 400_000, [3453955651465956, 3453955651465956, 15563786440410, 131546882142]),
        ("ofa_mbv3_w1.0", 325_000, [5171776478495047512, 0, 0, 0]),
    ],
)
def test_networks_under_a_peak_are_counted_exactly(
    name: str, bound: int, counts: list[int]
) -> None:
    host = Host.discover()
    supernet = host.supernet(name).at((128, 160, 192, 224))
    costs = {"peak_memory": host.cost_model("peak_memory").build(supernet)}
    found = count_fitting(supernet, costs, [Constraint("peak_memory", "<=", bound)], GENERATOR)
    assert [c.value for c in found.values()] == counts
    assert all(c.exact for c in found.values())


def test_networks_under_a_sum_are_estimated_with_an_error() -> None:
    supernet, costs, _ = subject("ofa_resnet50")
    median = float(np.median(costs["flops"].evaluate(supernet.space.sample(2000, GENERATOR))))
    bounds = [Constraint("flops", "<=", median)]
    few, many = (
        count_fitting(supernet, costs, bounds, np.random.default_rng(n), draws=n)[192]
        for n in (2000, 40_000)
    )
    assert abs(few.value - many.value) < 5 * few.error
    assert 0 < many.error < few.error
    assert many.value < supernet.space.count()
