"""One combination: what works, what is refused in which words, and every way to be broken."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core import (
    CostModelEntry,
    InfeasibleError,
    PredictorEntry,
    RuntimePolicyEntry,
    UsageError,
)
from ofa_plugins_core.composing.policies import STEPS, drive, levels_of, trace
from ofa_plugins_core.interfaces import Found
from ofa_plugins_core.measured import FittedFile, HeldOut, SizeSummary
from ofa_plugins_core.testing.toys import TOY_LEVELS, ToyPolicy, ToyPredictor, toy_cost


def draws(problem, generator, n=1):
    space = problem.supernet.space
    return space.canonical(space.sample(n, generator))


class Steady:
    """Decides for the same level at every step: what a function says of the levels."""

    def __init__(self, level):
        self.level = level

    def start(self, levels):
        return self.level(levels)

    def decide(self, state, observation):
        return state, state


class TestWhatWorks:
    def test_a_front_a_best_network_and_policies_on_the_front(self, cell_of):
        cell = cell_of()
        assert cell.outcome == "works"
        assert set(cell.answers) == {"front", "best"}
        assert cell.answers["front"].networks > 1
        assert cell.answers["best"].networks == 1
        assert cell.policies["toy"].outcome == "works"
        assert not cell.needs

    def test_without_a_predictor_the_least_cost_is_asked_for(self, cell_of):
        cell = cell_of(predictor="none")
        assert set(cell.answers) == {"least"}
        assert cell.policies["toy"].reason == "no level without a network of known accuracy"
        assert cell.outcome == "works"

    def test_auto_says_which_searcher_it_took(self, cell_of):
        assert cell_of(searcher="auto").answers["best"].searcher == "random"

    def test_a_searchers_quick_settings_are_taken(self, cell_of):
        assert cell_of().seconds < 5
        assert cell_of(searcher="auto").answers["best"].value == cell_of().answers["best"].value

    def test_a_table_is_made_up_and_said_to_be_needed(self, cell_of):
        cell = cell_of(cost="latency@table")
        assert cell.outcome == "works"
        assert cell.needs == {"cost": "latency@table needs its table"}

    def test_a_fit_is_made_up_where_none_ships(self, cell_of):
        def fit(task):
            ones, sizes = np.ones(5), task.supernet.resolutions
            told = tuple(SizeSummary(size, 30, 1.0, 70.0) for size in sizes)
            return FittedFile(b"{}", ".json", HeldOut(ones, ones, ones), told)

        def load(supernet, file, entry):
            if entry is None:
                raise UsageError(f"no plain one for {supernet.name}")
            assert entry.file.read_bytes() == b"{}"
            return ToyPredictor(supernet.space, "plain")

        form = PredictorEntry("plain", "a form", load, fit=fit)
        cell = cell_of("bare", predictor="plain", ofa_predictors=[form])
        assert cell.outcome == "works"
        assert cell.needs == {"predictor": "no plain one for bare"}


class TestWhatIsRefused:
    def test_a_predictor_without_a_fit_in_the_programs_own_words(self, cell_of):
        cell = cell_of("bare")
        assert cell.outcome == "refused"
        assert cell.reasons["given"].startswith("nothing fitted for bare")

    def test_a_cost_that_cannot_be_had(self, cell_of):
        def build(supernet, options):
            raise UsageError("needs a board", advice="plug one in")

        cell = cell_of(cost="volts", ofa_cost_models=[CostModelEntry("volts", "x", "V", build)])
        answer = cell.answers["given"]
        assert (answer.outcome, answer.reason) == ("refused", "needs a board")
        assert answer.advice == "plug one in"
        assert not cell.policies

    def test_a_question_that_a_searcher_does_not_take(self, cell_of, searcher_entry):
        entry = searcher_entry(lambda p, g: Found(draws(p, g, 1)[:1], False, 1))
        build = entry.build

        def picky(options):
            made = build(options)
            made.refuses = lambda problem: "no fronts" if problem.front else "no bounds"
            return made

        cell = cell_of(searcher="other", ofa_searchers=[evolve(entry, build=picky)])
        assert cell.outcome == "refused"
        assert cell.reasons["front"] == "other cannot take this: no fronts"
        assert cell.reasons["best"] == "other cannot take this: no bounds"


class TestWhatIsBroken:
    def broken(self, cell_of, searcher_entry, search, question="best", **more):
        cell = cell_of(searcher="other", ofa_searchers=[searcher_entry(search)], **more)
        assert cell.outcome == "broken"
        return cell.reasons[question]

    def test_a_searcher_that_raises(self, cell_of, searcher_entry):
        def search(problem, generator):
            raise ValueError("oh")

        assert "ValueError: oh" in self.broken(cell_of, searcher_entry, search)

    def test_a_network_outside_the_space(self, cell_of, searcher_entry):
        def search(problem, generator):
            return Found(draws(problem, generator) + np.uint8(7), False, 1)

        said = self.broken(cell_of, searcher_entry, search)
        assert said == "1 networks outside the space toy"

    def test_a_network_that_is_not_canonical(self, cell_of, searcher_entry):
        def search(problem, generator):
            genes = np.zeros((1, len(problem.supernet.space.genes)), np.uint8)
            genes[:, -1] = 1  # of a block that the depth leaves out
            return Found(genes, False, 1)

        assert self.broken(cell_of, searcher_entry, search) == "networks not in canonical form"

    def test_a_bound_that_is_not_met(self, cell_of, searcher_entry):
        def search(problem, generator):
            largest = (problem.supernet.space.sizes - 1).astype(np.uint8)
            return Found(largest[None], False, 1)

        assert "is not met" in self.broken(cell_of, searcher_entry, search)

    def test_a_front_with_networks_that_are_beaten(self, cell_of, searcher_entry):
        def search(problem, generator):
            return Found(draws(problem, generator, 30 if problem.front else 1), False, 30)

        assert "are beaten" in self.broken(cell_of, searcher_entry, search, "front")

    def test_nothing_found_where_half_of_the_networks_fit(self, cell_of, searcher_entry):
        def search(problem, generator):
            raise InfeasibleError("nothing fits", smallest={"params": 1.0}, binds="the stem")

        said = self.broken(cell_of, searcher_entry, search)
        assert said == "half of the networks fit, but: nothing fits"

    def test_a_cost_that_is_another_one_alone(self, cell_of):
        class Crowded:
            name, unit, kind, source = "crowded", "units", "computed", None

            def evaluate(self, archs):
                values = toy_cost().evaluate(archs).astype(float)
                return values + (len(values) > 1)

        entry = CostModelEntry("crowded", "x", "units", lambda s, o: Crowded())
        cell = cell_of(cost="crowded", ofa_cost_models=[entry])
        assert cell.outcome == "broken"
        assert "among others" in cell.reasons["front"]

    @pytest.mark.parametrize("part", ["value", "low", "high"])
    def test_an_accuracy_that_is_another_one_alone(self, cell_of, part):
        class Crowded(ToyPredictor):
            def predict(self, archs):
                told = super().predict(archs)
                moved = {part: getattr(told, part) + (len(told.value) > 1)}
                return evolve(told, **moved)

        form = PredictorEntry("crowded", "x", lambda s, f, e: Crowded(s.space, "crowded"))
        cell = cell_of(predictor="crowded", ofa_predictors=[form])
        assert cell.outcome == "broken"
        assert cell.reasons["front"].startswith("a network's accuracy")
        assert cell.reasons["front"].endswith(" alone")

    @pytest.mark.parametrize("least", [-1, 1.0, True])
    def test_a_policy_that_decides_for_no_level(self, cell_of, least):
        entry = RuntimePolicyEntry("far", "x", lambda options: Steady(lambda levels: least))
        cell = cell_of(ofa_runtime_policies=[entry])
        assert cell.outcome == "broken"
        assert cell.reasons["far"].startswith(f"level {least!r} of ")
        assert cell.policies["toy"].outcome == "works"

    def test_a_policy_that_decides_for_the_level_after_the_last(self, cell_of):
        entry = RuntimePolicyEntry("far", "x", lambda options: Steady(len))
        cell = cell_of(ofa_runtime_policies=[entry])
        told, of = cell.reasons["far"].removeprefix("level ").split(" of ")
        assert told == of

    def test_the_users_interruption_is_no_finding(self, cell_of, searcher_entry):
        def search(problem, generator):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            cell_of(searcher="other", ofa_searchers=[searcher_entry(search)])


class TestPolicies:
    def test_a_trace_is_quiet_loaded_tight_and_quiet_again(self):
        loads, limits = zip(*trace(TOY_LEVELS), strict=True)
        assert len(loads) == STEPS
        assert (loads[0], max(loads), loads[-1]) == (1.0, 2.5, 1.0)
        assert min(limits) < TOY_LEVELS[-1].latency < limits[0] == limits[-1]

    def test_a_policy_reacts_to_it(self):
        assert drive(ToyPolicy(), TOY_LEVELS) > 2

    def test_without_accuracies_there_are_no_levels(self):
        assert levels_of([], "params") == []
