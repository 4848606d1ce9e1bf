"""Mutation by unit: one block in a unit changes, in the way that was chosen, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from block_profile.reducing import mutation
from block_profile.reducing.mutation import UnitMutation
from block_profile.reducing.options import MutationOptions
from block_profile.reducing.units import mutated, parts_of
from ofa_plugins_core.archive import reachable
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.scoring import Scorer
from ofa_plugins_core.testing import SearcherSuite
from ofa_plugins_core.testing.toys import toy_cost, toy_problem, toy_supernet
from ofa_plugins_core.values import Constraint

WHOLE = toy_supernet()
SMALL = reduced(WHOLE, Reduction("small", drop=(Drop({"k": 3, "e": 2}),), depth=(2, 1)))


def children(supernet, seed: int, chance: float, count: int = 200):
    generator = np.random.default_rng(seed)
    space = supernet.space
    parents = space.canonical(space.sample(count, generator))
    parts = parts_of(supernet.geometry())
    return parents, mutated(space, parts, parents, chance, generator)


def blocks(arch, unit: int) -> list[tuple]:
    """The blocks in use of a unit of the toy: two layers each."""
    slots = range(2 * unit, 2 * unit + arch["d"][unit])
    return [(arch["ks"][s], arch["e"][s]) for s in slots]


@given(st.integers(0, 2**32))
def test_a_unit_gains_loses_or_swaps_one_block(seed: int) -> None:
    parents, made = children(WHOLE, seed, 1.0, 40)
    kinds = set()
    for before, after in zip(
        (a.as_dict() for a in WHOLE.space.decode(parents)),
        (a.as_dict() for a in WHOLE.space.decode(made)),
        strict=True,
    ):
        for unit in (0, 1):
            old, new = blocks(before, unit), blocks(after, unit)
            if len(old) == len(new):
                assert sum(a != b for a, b in zip(old, new, strict=True)) == 1
            else:
                shared = min(len(old), len(new))
                assert abs(len(old) - len(new)) == 1 and old[:shared] == new[:shared]
            kinds.add(len(new) - len(old))
    assert kinds == {-1, 0, 1}


def test_every_unit_is_mutated_with_the_probability() -> None:
    parents, made = children(WHOLE, 5, 0.5, 4000)
    groups = WHOLE.space.groups

    shares = [(parents[:, list(g)] != made[:, list(g)]).any(axis=1).mean() for g in groups]
    assert shares == pytest.approx([0.5, 0.5], abs=0.03)
    assert (children(WHOLE, 5, 0.0)[0] == children(WHOLE, 5, 0.0)[1]).all()


def test_children_in_a_smaller_space_stay_in_it_and_units_of_one_depth_swap() -> None:
    parents, made = children(SMALL, 2, 1.0)

    SMALL.space.encode(SMALL.space.decode(made))
    depths = [a.as_dict()["d"][1] for a in SMALL.space.decode(made)]
    assert set(depths) == {1}
    second = list(SMALL.space.groups[1])
    assert (parents[:, second] != made[:, second]).any(axis=1).all()


def test_every_gene_is_in_one_part() -> None:
    for supernet in (WHOLE, SMALL):
        parts = parts_of(supernet.geometry())
        columns = [c for p in parts for b in p.blocks for c in b]
        columns += [p.depth for p in parts if p.depth is not None]
        there = [c for c in range(1, len(supernet.space.genes)) if supernet.space.sizes[c] > 1]
        assert len(columns) == len(set(columns))
        assert set(columns) >= set(there)


class TestUnitMutation(SearcherSuite):
    @pytest.fixture
    def searcher(self) -> UnitMutation:
        return UnitMutation(MutationOptions(first=50, rounds=10, children=50))


@pytest.mark.parametrize("front", [True, False])
def test_it_scores_as_many_networks_as_published(front: bool) -> None:
    supernet = WHOLE
    problem = toy_problem(front=front, costs={"params": toy_cost("params", supernet)})

    found = UnitMutation().search(problem, np.random.default_rng(0))

    assert found.evaluations == (100 + 10 * 200 if front else 20 + 4 * 50)


def test_with_rounds_enough_the_best_of_the_toy_is_found() -> None:
    problem: Problem = toy_problem()
    searcher = UnitMutation(MutationOptions(rounds=20))

    found = searcher.search(problem, np.random.default_rng(1))

    space = WHOLE.space
    every = Scorer(problem)(space.canonical(space.sample(20_000, np.random.default_rng(2))))
    assert every.accuracy is not None
    assert Scorer(problem)(found.genes).accuracy == pytest.approx([every.accuracy.max()])


@pytest.fixture
def parents_seen(monkeypatch):
    """What children are made of, each round: parents, and the archive at that time."""
    seen = []
    original = mutation._Run._children

    def spy(run, parents, count):
        seen.append((parents.copy(), run.archive.genes.copy()))
        return original(run, parents, count)

    monkeypatch.setattr(mutation._Run, "_children", spy)
    return seen


def test_of_a_front_all_that_are_non_dominated_have_children(parents_seen) -> None:
    problem = toy_problem(front=True, costs={"params": toy_cost("params", WHOLE)})

    UnitMutation(MutationOptions(parents=1)).search(problem, np.random.default_rng(0))

    assert max(len(parents) for parents, _ in parents_seen) > 1
    assert all(np.array_equal(parents, front) for parents, front in parents_seen)


def test_of_the_best_network_ten_different_ones_have_children(parents_seen) -> None:
    UnitMutation(MutationOptions(rounds=8)).search(toy_problem(), np.random.default_rng(0))

    for parents, best in parents_seen:
        assert len(parents) == len(np.unique(parents, axis=0)) == 10
        assert np.array_equal(parents[:1], best)


def test_where_no_drawn_network_fits_it_starts_from_the_least() -> None:
    free = toy_problem(costs={"params": toy_cost("params", WHOLE)})
    least = reachable(free, Constraint("params", "<=", 0.0))
    assert least is not None
    problem = free.with_constraints([Constraint("params", "<=", least)])

    found = UnitMutation(MutationOptions(first=1, tries=1)).search(
        problem, np.random.default_rng(0)
    )

    assert Scorer(problem)(found.genes).of("params").tolist() == [least]
