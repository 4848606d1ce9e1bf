"""Random search: a baseline that keeps the best of what it draws."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.builtin.random_search import RandomOptions, RandomSearch
from ofa_plugins_core.config import structure
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.testing import toys
from ofa_plugins_core.values import Constraint


def test_more_draws_are_never_worse_and_are_counted():
    asked = toys.toy_problem()
    few, many = (
        RandomSearch(RandomOptions(draws=n)).search(asked, np.random.default_rng(0))
        for n in (10, 40_000)
    )
    accuracy = [asked.predictor.predict(f.genes).value[0] for f in (few, many)]
    assert accuracy[0] <= accuracy[1]
    assert (few.evaluations, many.evaluations) == (10, 40_000)
    assert not many.optimal


def test_without_a_predictor_only_costs_can_be_asked_for():
    asked = evolve(toys.toy_problem(), predictor=None)
    assert "no predictor" in RandomSearch().refuses(asked)
    cheapest = evolve(asked, objective=next(iter(asked.costs)))
    assert RandomSearch().refuses(cheapest) is None
    assert len(RandomSearch().search(cheapest, np.random.default_rng(0)).genes) == 1


def test_an_interruption_keeps_the_best_of_the_draws():
    def interrupt(event):
        raise KeyboardInterrupt

    found = RandomSearch().search(toys.toy_problem(), np.random.default_rng(0), interrupt)
    assert len(found.genes) == 1 and "interrupted" in found.note


def test_nothing_that_fits_is_an_error_with_the_smallest_value():
    asked = toys.toy_problem()
    name = next(iter(asked.costs))
    bounded = asked.with_constraints([Constraint(name, "<=", -1)])
    with pytest.raises(InfeasibleError) as caught:
        RandomSearch().search(bounded, np.random.default_rng(0))
    assert caught.value.smallest[name] >= 0


@pytest.mark.parametrize("draws", [0, -5])
def test_no_draws_are_refused_with_the_option(draws):
    with pytest.raises(UsageError, match=r"random: .draws. must be >= 1"):
        structure({"draws": draws}, RandomOptions, "random")
