"""What searchers that score networks share: reach, ties, and sentences that say something."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve, frozen

from ofa_plugins_core.archive import Archive, demand_reachable, filled, reachable, run_out, unmet
from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.scoring import Scores, best_row, precedence, ranking, tabled_part
from ofa_plugins_core.testing import toys
from ofa_plugins_core.values import Constraint


@frozen
class Untold:
    """A cost without tables."""

    name: str = "untold"
    unit: str = "J"
    kind: str = "computed"
    source: str | None = None

    def evaluate(self, archs):
        assert len(archs), "nothing to evaluate"
        return np.ones(len(archs))


def test_each_bound_out_of_reach_is_told_with_its_own_value():
    asked = toys.toy_problem()
    first, second = list(asked.costs)[:2]
    bounds = [Constraint(first, "<=", -1), Constraint(second, "<=", 1e15)]
    with pytest.raises(InfeasibleError) as caught:
        demand_reachable(asked.with_constraints(bounds))
    expected = {c.name: reachable(asked, c) for c in bounds}
    assert caught.value.smallest == expected
    assert expected[first] != expected[second]
    assert caught.value.binds == str(bounds[0])


def test_a_bound_that_tables_cannot_tell_is_left_to_the_search():
    asked = evolve(toys.toy_problem(), costs={"untold": Untold()})
    demand_reachable(asked.with_constraints([Constraint("untold", "<=", 0)]))


def test_nothing_looked_at_is_said_in_a_whole_sentence():
    asked = evolve(toys.toy_problem(), costs={"untold": Untold()})
    asked = asked.with_constraints([Constraint("untold", "<=", 0)])
    message = unmet(asked, {}, 0).message
    assert message.endswith("has untold<=0")


def test_no_networks_are_no_question():
    asked = evolve(toys.toy_problem(), costs={"untold": Untold()})
    archive = Archive(asked.with_constraints([Constraint("untold", "<=", 0)]))
    scores = archive.add(archive.genes)
    assert len(scores.of("untold")) == len(scores.of("accuracy")) == 0
    assert (archive.evaluations, archive.extremes) == (0, {})


def test_what_tables_can_tell_is_a_problem_of_its_own():
    asked = toys.toy_problem()
    name = next(iter(asked.costs))
    asked = evolve(asked, costs={**asked.costs, "untold": Untold()})
    bounds = [Constraint(name, "<=", 1), Constraint("untold", "<=", 1)]
    part = tabled_part(asked.with_constraints(bounds))
    assert (list(part.costs), part.predictor, part.constraints) == ([name], None, (bounds[0],))


class TestTies:
    """Two networks are equally good by the objective: see Problem."""

    def best(self, objective, costs, accuracy):
        asked = evolve(
            toys.toy_problem(), costs=dict.fromkeys(costs, Untold()), objective=objective
        )
        scores = Scores({n: np.array(v) for n, v in costs.items()}, np.array(accuracy))
        best = best_row(asked, scores)
        assert ranking(asked, scores)[0] == best[0]
        return int(best[0])

    def test_of_equal_accuracy_the_smaller_first_cost_wins_then_the_next(self):
        assert self.best("accuracy", {"a": [2, 1], "b": [1, 2]}, [70.0, 70.0]) == 1
        assert self.best("accuracy", {"a": [1, 1], "b": [2, 1]}, [70.0, 70.0]) == 1

    def test_of_equal_cost_the_higher_accuracy_wins_then_the_other_costs(self):
        assert self.best("b", {"a": [1, 2], "b": [3, 3]}, [70.0, 71.0]) == 1
        assert self.best("b", {"a": [2, 1], "b": [3, 3]}, [70.0, 70.0]) == 1

    def test_without_a_predictor_costs_alone_decide(self):
        asked = evolve(toys.toy_problem(), predictor=None, objective="x")
        assert precedence(asked) == ("x", *asked.costs)


@pytest.fixture
def archive():
    return Archive(toys.toy_problem())


@pytest.fixture
def drawn(archive):
    space, generator = archive.problem.supernet.space, np.random.default_rng(0)
    return lambda count: space.canonical(space.sample(count, generator))


class TestFilled:
    def test_stops_where_there_are_enough(self, drawn, archive):
        genes, scores = filled(3, 10, drawn, archive.met)
        assert len(genes) == len(scores.accuracy) == 3

    def test_gives_fewer_where_the_tries_run_out(self, drawn, archive):
        genes, _ = filled(3, 2, drawn, lambda rows: archive.met(rows[:1]))
        assert len(genes) == archive.evaluations == 2

    def test_draws_only_what_is_still_wanted(self, drawn, archive):
        asked = []
        filled(3, 9, lambda n: asked.append(n) or drawn(n), lambda rows: archive.met(rows[:1]))
        assert asked == [3, 2, 1]


def test_a_run_that_is_stopped_gives_what_it_has_seen(drawn, archive):
    def evolve():
        archive.add(drawn(5))
        raise KeyboardInterrupt

    found = run_out(archive, evolve)
    assert len(found.genes)
    assert "after 5 networks" in found.note
