"""One enumeration gives what a search for each bound gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compofa.targets.enumeration import FEW, Enumeration
from ofa_plugins_core import Host, InfeasibleError
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.testing.toys import ToyPredictor, toy_supernet
from ofa_plugins_core.values import Constraint
from ofa_search.exhaustive import Exhaustive, every

SUPERNET = toy_supernet()
FLOPS = Host.discover().cost_model("flops").build(SUPERNET)
PREDICTOR = ToyPredictor(SUPERNET.space, "additive", "made up")
PROBLEM = Problem(SUPERNET, {"flops": FLOPS}, PREDICTOR)
NETWORKS = 800


class Slow:
    """A cost that is no sum of tables, and counts what it is asked."""

    name, unit, kind, source = "slow", "ms", "measured", "a toy"

    def __init__(self):
        self.asked = 0

    def evaluate(self, archs):
        self.asked += len(archs)
        return np.asarray(FLOPS.evaluate(archs)) / 1e3


def bounds(*values, name="flops"):
    return [Constraint(name, "<=", value) for value in values]


@given(st.lists(st.floats(1e5, 3e7), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_each_bound_gets_what_a_search_of_its_own_finds(values):
    constraints = bounds(*values)
    found = Enumeration(PROBLEM, constraints)
    found.run()
    assert found.evaluations == found.total == NETWORKS
    for constraint in constraints:
        expected = searched_alone(constraint)
        if isinstance(expected, InfeasibleError):
            assert not len(found.genes(constraint))
            assert found.infeasible(constraint).smallest == expected.smallest
        else:
            assert found.genes(constraint).tolist() == expected.tolist()


def searched_alone(constraint):
    problem = PROBLEM.with_constraints((constraint,))
    try:
        return Exhaustive().search(problem, np.random.default_rng(0)).genes
    except InfeasibleError as error:
        return error


def test_what_is_not_a_table_is_scored_a_few_at_a_time_and_only_once():
    slow, kept = Slow(), []
    found = Enumeration(
        Problem(SUPERNET, {"slow": slow}, PREDICTOR), bounds(900, 1800, 2e9, name="slow")
    )
    found.run(keep=lambda scored: kept.append(len(scored["costs"]["slow"])))
    assert slow.asked == NETWORKS
    assert kept == list(range(FEW, NETWORKS + 1, FEW))


def test_what_was_kept_is_not_scored_again_and_gives_the_same():
    constraints, kept = bounds(900, 1800, 2e9, name="slow"), []

    def stop(scored):
        kept.append({"costs": dict(scored["costs"]), "accuracy": list(scored["accuracy"])})
        if len(kept) == 3:
            raise KeyboardInterrupt

    whole = Enumeration(Problem(SUPERNET, {"slow": Slow()}, PREDICTOR), constraints)
    whole.run()
    problem = Problem(SUPERNET, {"slow": Slow()}, PREDICTOR)
    stopped = Enumeration(problem, constraints)
    with pytest.raises(KeyboardInterrupt):
        stopped.run(keep=stop)
    assert stopped.evaluations == 3 * FEW

    again = Slow()
    resumed = Enumeration(Problem(SUPERNET, {"slow": again}, PREDICTOR), constraints)
    resumed.run(kept[-1])
    assert again.asked == NETWORKS - 3 * FEW
    for constraint in constraints:
        assert resumed.genes(constraint).tolist() == whole.genes(constraint).tolist()


@pytest.mark.parametrize(
    "kept",
    [
        {},
        {"costs": {"other": [1.0]}, "accuracy": [70.0]},
        {"costs": {"slow": [1.0, 2.0]}, "accuracy": [70.0]},
        {"costs": {"slow": [1.0]}, "accuracy": None},
    ],
    ids=["nothing", "another cost", "lengths differ", "no accuracies"],
)
def test_what_was_kept_of_something_else_is_not_taken(kept):
    slow = Slow()
    found = Enumeration(Problem(SUPERNET, {"slow": slow}, PREDICTOR), bounds(900, name="slow"))
    found.run(kept)
    assert slow.asked == NETWORKS


def test_where_nothing_fits_the_least_value_seen_is_told():
    slow = Slow()
    found = Enumeration(Problem(SUPERNET, {"slow": slow}, PREDICTOR), bounds(1e-3, name="slow"))
    found.run()
    error = found.infeasible(found.constraints[0])
    assert error.smallest["slow"] == pytest.approx(least_flops() / 1e3)
    assert "slow<=0.001" in error.binds


def test_of_tables_the_block_that_binds_is_named():
    found = Enumeration(PROBLEM, bounds(1.0))
    found.run()
    error = found.infeasible(found.constraints[0])
    assert error.smallest == {"flops": least_flops()}
    assert "largest term" in error.binds


def test_progress_ends_with_every_network():
    told = []
    Enumeration(PROBLEM, bounds(2e6)).run(listener=told.append)
    assert (told[-1].done, told[-1].total) == (NETWORKS, NETWORKS)


def least_flops():
    return min(int(FLOPS.evaluate(genes).min()) for genes in every(SUPERNET.space))
