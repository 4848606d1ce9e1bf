"""Exact answers by elimination, and the evaluator, against listing small random spaces."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from ofa_plugins_core.chain import Counting, at_resolution, count_within, largest, smallest
from ofa_plugins_core.separable import Evaluator, Factor, Separable
from ofa_plugins_core.values import Dimension, Gene, SearchSpace


@frozen
class Case:
    """A space, separable quantities on it, and all of its canonical networks at one size."""

    space: SearchSpace
    quantities: tuple[Separable, ...]
    rows: np.ndarray


@st.composite
def cases(draw):
    """Two or three groups; factors within a group and between neighbours."""
    genes = []
    for group in range(draw(st.integers(1, 3))):
        control = len(genes) + 1
        genes.append(Gene(f"d[{group}]", (1, 2), group))
        for _ in range(draw(st.integers(0, 2))):
            table = np.array([[0, 0, 0], [0, 1, 2]] if draw(st.booleans()) else [[0, 0, 2]] * 2)
            genes.append(
                Gene(f"k[{len(genes)}]", (3, 5, 7), group, (control,), table.astype(np.uint8))
            )
    columns = range(1, len(genes) + 1)
    space = SearchSpace.of("random", [32], genes, [Dimension("all", tuple(columns))])
    quantities = tuple(draw(separables(space, r)) for r in ("sum", "max", "max"))
    grid = np.indices(tuple(space.sizes)).reshape(len(space.sizes), -1).T.astype(np.uint8)
    return Case(space, quantities, np.unique(space.canonical(grid), axis=0))


@st.composite
def separables(draw, space, reduce):
    """Factors over up to three genes of a group and the one before it."""
    factors = [Factor("constant", (), np.array(draw(st.integers(0, 9))))]
    for group, columns in enumerate(space.groups):
        near = sorted({*columns, *(space.groups[group - 1] if group else ())})
        for _ in range(draw(st.integers(0, 2))):
            chosen = draw(st.sets(st.sampled_from(near), min_size=1, max_size=3))
            genes = tuple(sorted(chosen))
            shape = tuple(int(space.sizes[c]) for c in genes)
            seed = draw(st.integers(0, 2**32 - 1))
            table = np.random.default_rng(seed).integers(0, 40, size=shape)
            factors.append(Factor(f"f{len(factors)}", genes, table))
    return Separable(reduce, tuple(factors))


small = settings(max_examples=60, deadline=None)


@small
@given(cases())
def test_smallest_and_largest(case):
    for quantity in case.quantities:
        listed = quantity.evaluate(every_row(case.space))
        for find, expected in ((smallest, listed.min()), (largest, listed.max())):
            value, row = find(case.space, quantity)
            assert value == expected
            assert quantity.evaluate(at_resolution(row, 0))[0] == expected


def every_row(space):
    return np.indices(tuple(space.sizes)).reshape(len(space.sizes), -1).T.astype(np.uint8)


@small
@given(cases(), st.integers(0, 45), st.integers(0, 45))
def test_counts(case, one, two):
    bounds = list(zip(case.quantities[1:], (one, two), strict=True))
    fits = np.all([q.evaluate(case.rows) <= b for q, b in bounds], axis=0)
    assert count_within(case.space, bounds) == fits.sum()
    assert count_within(case.space, []) == len(case.rows) == case.space.count()


@small
@given(cases(), st.integers(0, 45), st.integers(0, 45), st.integers(0, 2**32 - 1))
def test_draws_stay_within_bounds(case, one, two, seed):
    low, high = sorted((one, two))
    quantity, generator = case.quantities[1], np.random.default_rng(seed)
    inner, outer = (Counting.of(case.space, [(quantity, b)]) for b in (low, high))
    if outer.total:
        found = outer.draw(30, generator)
        assert (quantity.evaluate(found) <= high).all()
        assert np.array_equal(case.space.canonical(found), found)
    if outer.total > inner.total:
        found = outer.draw_beyond(inner, 30, generator)
        values = quantity.evaluate(found)
        assert ((values > low) & (values <= high)).all()
        assert np.array_equal(case.space.canonical(found), found)


def long_space(slots=60):
    """More networks than 64 bits count: 3**60."""
    genes = [Gene(f"k[{i}]", (3, 5, 7), i) for i in range(slots)]
    return SearchSpace.of("long", [32], genes, [Dimension("k", tuple(range(1, slots + 1)))])


class TestLong:
    """Counts of any length are exact, and so are draws of the few beyond a bound."""

    SPACE = long_space()
    PEAK = Separable("max", tuple(Factor(str(c), (c,), np.array([1, 1, c])) for c in range(1, 61)))

    def test_counts(self):
        assert count_within(self.SPACE, []) == 3**60
        assert count_within(self.SPACE, [(self.PEAK, 59)]) == 2 * 3**59

    def test_draws_between(self):
        inner, outer = (Counting.of(self.SPACE, [(self.PEAK, b)]) for b in (1, 2))
        assert outer.total - inner.total == 2**58 * 9 - 2**59 * 3
        found = outer.draw_beyond(inner, 50, np.random.default_rng(0))
        assert (self.PEAK.evaluate(found) == 2).all()


def test_draws_are_uniform_over_networks():
    table = np.array([[0, 0, 0], [0, 1, 2]], dtype=np.uint8)
    genes = [Gene("d", (1, 2), 0), Gene("k", (3, 5, 7), 0, (1,), table)]
    space = SearchSpace.of("four", [32], genes, [Dimension("all", (1, 2))])
    found = Counting.of(space).draw(40_000, np.random.default_rng(2))
    _, counts = np.unique(found, axis=0, return_counts=True)
    assert len(counts) == 4
    assert abs(counts - 10_000).max() < 500


@small
@given(cases(), st.sampled_from([1, 30, 2**20]))
def test_the_evaluator_is_the_plain_form(case, limit):
    """However the factors are packed."""
    per_size = [{32: q} for q in case.quantities]
    rows = every_row(case.space)
    together = Evaluator(case.space, tuple(per_size), limit=limit)(rows)
    for quantity, values in zip(case.quantities, together, strict=True):
        assert np.array_equal(values, quantity.evaluate(rows))


def test_the_evaluator_knows_image_sizes():
    genes = [Gene("k", (3, 5), 0)]
    space = SearchSpace.of("two", [32, 64], genes, [Dimension("k", (1,))])
    tables = {s: Separable("sum", (Factor("k", (1,), np.array([s, 2 * s])),)) for s in (32, 64)}
    (found,) = Evaluator(space, (tables,))(every_row(space))
    assert found.tolist() == [32, 64, 64, 128]


@pytest.mark.parametrize("reduce", ["sum", "max"])
def test_nothing_at_all_costs_nothing(reduce):
    space = SearchSpace.of("bare", [32], [Gene("k", (3, 5), 0)], [Dimension("k", (1,))])
    none = Separable(reduce, ())
    assert none.evaluate(every_row(space)).tolist() == [0, 0]
    assert smallest(space, none)[0] == 0
    assert Evaluator(space, ({32: none},))(every_row(space))[0].tolist() == [0, 0]
