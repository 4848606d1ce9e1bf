"""Toys to combine: a host of the core alone with one plugin, and whatever else a test brings."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

import pytest

from ofa_plugins_core import (
    FittedPredictorEntry,
    Host,
    PredictorEntry,
    RuntimePolicyEntry,
    SearcherEntry,
    SupernetEntry,
    UsageError,
)
from ofa_plugins_core.composing.axes import Asked, Combination, axes_of
from ofa_plugins_core.composing.bench import Bench
from ofa_plugins_core.composing.supplies import Supplies
from ofa_plugins_core.composing.trying import tried
from ofa_plugins_core.testing import in_process, toy_supernet
from ofa_plugins_core.testing.toys import ToyPolicy, ToyPredictor


def load(supernet: Any, file: Any, entry: Any) -> ToyPredictor:
    """A predictor for the toy alone."""
    if file is None and entry is None:
        raise UsageError(f"nothing fitted for {supernet.name}", advice="ofa run fit makes one")
    return ToyPredictor(supernet.space, "additive")


@pytest.fixture
def host_of(monkeypatch, tmp_path):
    """hook=records, … -> the core, the toys, and a plugin ``other`` with these."""
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "fitted"))
    monkeypatch.setenv("OFA_TABLES", str(tmp_path / "tables"))
    monkeypatch.setenv("OFA_REDUCED", str(tmp_path / "reduced"))
    toys = in_process(
        "toys",
        ofa_supernets=[
            SupernetEntry("toy", "a toy", toy_supernet),
            SupernetEntry("bare", "a toy, nothing fitted", lambda: toy_supernet("bare")),
        ],
        ofa_predictors=[PredictorEntry("additive", "made up", load)],
        ofa_fitted_predictors=[
            FittedPredictorEntry("additive", "toy", "imagenet", tmp_path / "none", "made up")
        ],
        ofa_runtime_policies=[RuntimePolicyEntry("toy", "a toy", lambda options: ToyPolicy())],
    )

    def make(**hooks):
        installed = {point.name for point in entry_points(group="ofa.plugins")}
        return Host.discover(installed, {"toys": toys, "other": in_process("other", **hooks)})

    return make


@pytest.fixture
def cell_of(host_of, tmp_path):
    """(names of a combination, hook=records, …) -> what it comes to."""

    def make(supernet="toy", cost="params", predictor="additive", searcher="random", **hooks):
        host = host_of(**hooks)
        bench = Bench(host, Supplies(host, tmp_path / "made"))
        policies = axes_of(host, Asked()).policies
        return tried(bench, Combination(supernet, cost, predictor, searcher), policies)

    return make


@pytest.fixture
def searcher_entry():
    """function (problem, generator) -> Found, as the searcher ``other`` that refuses nothing."""

    def make(search, **more):
        class Searcher:
            def refuses(self, problem):
                return None

            def search(self, problem, generator, listener=None):
                return search(problem, generator)

        return SearcherEntry("other", "a test's", lambda options: Searcher(), **more)

    return make
