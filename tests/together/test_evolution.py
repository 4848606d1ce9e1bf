"""The published evolutionary search: stays in the space, meets the bounds, ends."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_mit.evolution import Evolution, EvolutionOptions, _Run
from ofa_plugins_core import Host
from ofa_plugins_core.config import structure
from ofa_plugins_core.errors import InfeasibleError, UsageError
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.scoring import Scorer
from ofa_plugins_core.values import parse_constraint

SHORT = Evolution(EvolutionOptions(population=30, generations=20))


def problem(name: str, *bounds: str, **more) -> Problem:
    host = Host.discover()
    supernet = host.supernet(name).at((160, 192))
    costs = {c: host.cost_model(c).build(supernet) for c in ("peak_memory", "flops")}
    (fit, *_) = host.fitted("additive", name)
    predictor = host.predictor("additive").load(supernet, None, fit)
    return Problem(supernet, costs, predictor, tuple(map(parse_constraint, bounds)), **more)


@pytest.mark.parametrize("name", ["moofa_v3", "compofa_elastic", "ofa_resnet50"])
def test_what_it_finds_meets_the_bounds_and_is_better_than_chance(name):
    asked = problem(name, "peak_memory<=2M")
    found = SHORT.search(asked, np.random.default_rng(0))
    scores = Scorer(asked)(found.genes)
    assert scores.met(asked.constraints).all()
    assert not found.optimal
    assert found.evaluations > 20 * 20
    drawn = asked.supernet.space.sample(500, np.random.default_rng(1))
    assert scores.of("accuracy")[0] > np.median(Scorer(asked)(drawn).of("accuracy"))


def test_the_same_seed_gives_the_same_network_and_another_seed_another_run():
    asked = problem("moofa_v3", "flops<=250M")
    first, again, other = (SHORT.search(asked, np.random.default_rng(s)) for s in (1, 1, 2))
    assert (first.genes == again.genes).all() and first.evaluations == again.evaluations
    assert (first.genes != other.genes).any()


def test_it_minimises_a_cost_too():
    asked = problem("moofa_v3", "accuracy>=70", objective="flops")
    found = SHORT.search(asked, np.random.default_rng(0))
    scores = Scorer(asked)(found.genes)
    assert scores.of("accuracy")[0] >= 70
    assert scores.of("flops")[0] < 250e6


def test_a_bound_out_of_reach_ends_at_once_with_the_smallest_value():
    with pytest.raises(InfeasibleError) as caught:
        Evolution().search(problem("moofa_v3", "peak_memory<=100k"), np.random.default_rng(0))
    assert caught.value.smallest["peak_memory"] > 100_000


def test_bounds_that_clash_end_after_bounded_tries():
    few = Evolution(EvolutionOptions(population=10, generations=5, tries=5))
    with pytest.raises(InfeasibleError) as caught:
        few.search(problem("moofa_v3", "flops<=130M", "accuracy>=76"), np.random.default_rng(0))
    assert "looked at" in str(caught.value)


def test_fronts_are_left_to_others():
    assert "front" in (Evolution().refuses(problem("moofa_v3", front=True)) or "")


def test_the_children_of_the_last_generation_are_looked_at():
    asked = problem("moofa_v3")
    one = Evolution(EvolutionOptions(population=20, generations=1))
    found = one.search(asked, np.random.default_rng(3))
    first_draws = 2**13
    assert found.evaluations == first_draws + 15


def test_an_interruption_keeps_what_was_found():
    def interrupt(event):
        if event.done == 3:
            raise KeyboardInterrupt

    found = SHORT.search(problem("moofa_v3", "flops<=250M"), np.random.default_rng(0), interrupt)
    assert len(found.genes) == 1 and "interrupted" in found.note


class Slow:
    """A cost without tables, which counts what it is asked."""

    name, unit, kind, source = "slow", "J", "computed", None

    def __init__(self, inner):
        self.inner, self.asked = inner, []

    def evaluate(self, archs):
        self.asked.append(archs)
        return self.inner.evaluate(archs) / 1e6


def slow_problem(*bounds: str):
    asked = problem("moofa_v3", *bounds)
    slow = Slow(asked.costs["flops"])
    return slow, evolve(asked, costs={**asked.costs, "slow": slow})


def test_a_slow_cost_is_asked_only_about_what_the_tables_let_through():
    bounds = ("peak_memory<=800k", "flops<=350M", "slow<=345")
    slow, asked = slow_problem(*bounds)
    events = []
    SHORT.search(asked, np.random.default_rng(0), events.append)
    genes = np.concatenate(slow.asked)
    for name, bound in (("peak_memory", 800_000), ("flops", 350e6)):
        assert (asked.costs[name].evaluate(genes) <= bound).all()
    assert len(genes) < 30 * 50 + 20 * 22 * 50
    first = [e for e in events if e.what == "first networks"]
    assert first and first[-1].done == first[-1].total == 30
    assert all(e.what == "generation" for e in events[len(first) :])


def test_a_slow_cost_beyond_its_bound_is_given_up_after_bounded_tries():
    slow, asked = slow_problem("slow<=1")
    few, events = Evolution(EvolutionOptions(population=10, tries=3)), []
    with pytest.raises(InfeasibleError, match="none of 30 networks looked at"):
        few.search(asked, np.random.default_rng(0), events.append)
    assert sum(map(len, slow.asked)) == 3 * 10
    assert [e.note for e in events] == ["nothing fits yet"] * 3


def test_first_networks_are_drawn_within_bounds_on_maxima():
    asked = problem("moofa_v3", "peak_memory<=500k")
    run = _Run(asked, EvolutionOptions(), np.random.default_rng(0))
    genes = run._drawn(500)
    assert (asked.costs["peak_memory"].evaluate(genes) <= 500_000).all()
    assert (genes == asked.supernet.space.canonical(genes)).all()
    assert len(np.unique(genes, axis=0)) > 400


@pytest.mark.parametrize(
    ("key", "value"),
    [("population", 0), ("generations", -1), ("tries", 0), ("mutation", 1.5), ("parents", -0.1)],
)
def test_options_that_make_no_sense_are_refused(key, value):
    with pytest.raises(UsageError, match=rf"evolution: .{key}. must be [<>]= "):
        structure({key: value}, EvolutionOptions, "evolution")
