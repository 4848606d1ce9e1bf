"""Counts and draws by a sum's values, against listing small random spaces."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ofa_plugins_core import UsageError, summed
from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.summed import Summed
from ofa_plugins_core.values import Dimension, Gene, SearchSpace

few = settings(max_examples=60, deadline=None)


@st.composite
def spaces(draw):
    """(space, its canonical networks): one to three groups, some slots that may be unused."""
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
    grid = np.indices(tuple(space.sizes)).reshape(len(space.sizes), -1).T.astype(np.uint8)
    return space, np.unique(space.canonical(grid), axis=0)


@st.composite
def cases(draw, whole):
    """(space, networks, a sum of terms over up to three genes of neighbouring groups)."""
    space, rows = draw(spaces())
    factors = [Factor("constant", (), np.array(draw(st.integers(-5, 9))))]
    for group, columns in enumerate(space.groups):
        near = sorted({*columns, *(space.groups[group - 1] if group else ())})
        for _ in range(draw(st.integers(1, 2))):
            chosen = tuple(sorted(draw(st.sets(st.sampled_from(near), min_size=1, max_size=3))))
            shape = tuple(int(space.sizes[c]) for c in chosen)
            generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
            table = generator.integers(-10, 40, size=shape)
            table = table if whole else table + generator.random(shape)
            factors.append(Factor(f"f{len(factors)}", chosen, table))
    return space, rows, Separable("sum", tuple(factors))


@few
@given(cases(whole=True), st.integers(-40, 200), st.integers(-40, 200))
def test_a_range_of_whole_numbers_is_counted_and_drawn_exactly(case, one, two):
    space, rows, quantity = case
    low, high = sorted((one, two))
    values = quantity.evaluate(rows)
    inside = rows[(values > low) & (values <= high)]
    found = Summed.of(space, quantity, high)
    assert found.slack == 0
    assert 2 ** found.log_count(low, high) == pytest.approx(len(inside))
    if len(inside):
        drawn = found.propose(low, high, 40, np.random.default_rng(0))
        values = quantity.evaluate(drawn)
        assert ((values > low) & (values <= high)).all()
        assert np.array_equal(space.canonical(drawn), drawn)


@few
@given(cases(whole=False), st.floats(-40, 200), st.floats(-40, 200))
def test_of_real_numbers_all_of_a_range_is_proposed_and_little_else(case, one, two):
    space, rows, quantity = case
    low, high = sorted((one, two))
    values = quantity.evaluate(rows)
    found = Summed.of(space, quantity, high)
    near = (found.slack + 0.01) * found.unit
    total = 2 ** found.log_count(low, high)
    assert ((values > low) & (values <= high)).sum() <= total + 1e-6
    assert total <= ((values > low - 2 * near) & (values <= high + 2 * near)).sum() + 1e-6


@few
@given(cases(whole=False))
def test_every_network_is_as_likely_as_any_other(case):
    space, rows, quantity = case
    found = Summed.of(space, quantity)
    drawn = found.propose(-1e9, 1e9, 2000, np.random.default_rng(3))
    different, counts = np.unique(np.concatenate([rows, drawn]), axis=0, return_counts=True)
    assert len(different) == len(rows)
    expected = 2000 / len(rows)
    assert (abs(counts - 1 - expected) < 6 * np.sqrt(expected) + 3).all()


def long(slots):
    genes = [Gene(f"k[{i}]", (3, 5, 7), i) for i in range(slots)]
    space = SearchSpace.of("long", [32], genes, [Dimension("k", tuple(range(1, slots + 1)))])
    factors = [Factor(str(c), (c,), np.array([0, 1, 2])) for c in range(1, slots + 1)]
    return space, Separable("sum", tuple(factors))


@pytest.mark.parametrize("slots", [60, 900])
def test_the_rarest_sums_are_drawn_however_many_networks_there_are(slots):
    """3**900 is more than a floating-point number holds."""
    space, quantity = long(slots)
    found = Summed.of(space, quantity)
    assert found.log_count(-1, 2 * slots) == pytest.approx(slots * np.log2(3))
    top = found.propose(2 * slots - 1, 2 * slots, 3, np.random.default_rng(0))
    assert (top[:, 1:] == 2).all()


def test_whole_numbers_with_too_many_sums_are_rounded(monkeypatch):
    monkeypatch.setattr(summed, "MOST_STEPS", 8)
    space, quantity = long(6)
    found = Summed.of(space, quantity)
    assert found.slack > 0
    drawn = found.propose(5, 6, 300, np.random.default_rng(0))
    values = quantity.evaluate(drawn)
    assert ((values > 5) & (values <= 6)).any()


def test_a_maximum_is_not_for_it():
    space, quantity = long(2)
    with pytest.raises(UsageError, match="only a sum"):
        Summed.of(space, Separable("max", quantity.factors))


def test_terms_over_too_many_genes_are_refused(monkeypatch):
    monkeypatch.setattr(summed, "MOST_CELLS", 2)
    space, quantity = long(2)
    with pytest.raises(UsageError, match="hang together"):
        Summed.of(space, quantity)
