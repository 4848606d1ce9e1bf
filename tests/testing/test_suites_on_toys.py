"""The suites hold for the toys, and for a searcher that looks at every network."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import frozen

from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.testing import (
    CostModelSuite,
    DeviceSuite,
    PredictorSuite,
    RuntimePolicySuite,
    SamplerSuite,
    SearcherSuite,
    SupernetSuite,
    ToyDevice,
    ToyPolicy,
    ToyPredictor,
    TrainingPlanSuite,
    everything,
    toy_cost,
    toy_plan,
    toy_supernet,
)
from ofa_plugins_core.testing.laws.searcher import dominated, measured, objectives
from ofa_plugins_core.values import Genes, SearchSpace


class TestToySupernet(SupernetSuite):
    @pytest.fixture
    def supernet(self):
        return toy_supernet()


class TestDeeperToySupernet(SupernetSuite):
    @pytest.fixture
    def supernet(self):
        return toy_supernet("deep", (48, 64, 96), stages=3)


@frozen
class Uniform:
    space: SearchSpace

    def sample(self, n: int, generator: np.random.Generator) -> Genes:
        return self.space.canonical(self.space.sample(n, generator))


class TestUniformSampler(SamplerSuite):
    @pytest.fixture
    def sampler(self, supernet):
        return Uniform(supernet.space)


class TestSumOfBlocks(CostModelSuite):
    @pytest.fixture
    def cost_model(self, supernet):
        return toy_cost("params", supernet)


class TestMaximumOverBlocks(CostModelSuite):
    @pytest.fixture
    def cost_model(self, supernet):
        return toy_cost("largest", supernet)


class TestToyPredictor(PredictorSuite):
    @pytest.fixture
    def predictor(self, supernet):
        return ToyPredictor(supernet.space)


class TestToyPolicy(RuntimePolicySuite):
    @pytest.fixture
    def policy(self):
        return ToyPolicy()


class TestToyDevice(DeviceSuite):
    @pytest.fixture
    def device(self):
        return ToyDevice(noise=0.05, disturbed=0.1)


class TestToyPlan(TrainingPlanSuite):
    @pytest.fixture
    def plan(self, supernet):
        return toy_plan(supernet)


class LooksAtEverything:
    """Small enough to be right beyond doubt: lists all networks."""

    def refuses(self, problem: Problem) -> str | None:
        return None

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        rows = everything(problem.supernet.space)
        listener(Progress("network", len(rows), len(rows)))
        inside = rows[_met(problem, rows)]
        if len(inside) == 0:
            raise InfeasibleError("nothing fits", smallest=_smallest(problem, rows), binds="bound")
        if problem.front:
            points = objectives(problem, inside)
            return Found(inside[~dominated(points, points)], True, len(rows))
        values = measured(problem, problem.objective, inside)
        best = values.argmax() if problem.objective == "accuracy" else values.argmin()
        return Found(inside[[best]], True, len(rows))


def _met(problem: Problem, rows: Genes) -> np.ndarray:
    met = [c.met(measured(problem, c.name, rows)) for c in problem.constraints]
    return np.all(met, axis=0) if met else np.ones(len(rows), dtype=bool)


def _smallest(problem: Problem, rows: Genes) -> dict[str, float]:
    return {name: float(cost.evaluate(rows).min()) for name, cost in problem.costs.items()}


class TestLooksAtEverything(SearcherSuite):
    @pytest.fixture
    def searcher(self):
        return LooksAtEverything()


class TestLooksAtFewNetworks(SearcherSuite):
    """A searcher that claims nothing: laws on what is optimal leave it in peace."""

    @pytest.fixture
    def searcher(self):
        class Modest(LooksAtEverything):
            def search(self, problem, generator, listener=silent):
                found = super().search(problem, generator, listener)
                return Found(found.genes, False, found.evaluations)

        return Modest()
