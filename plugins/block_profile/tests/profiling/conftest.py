"""The toy's catalogue, a host that knows the toy, and jobs run on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from attrs import frozen

from block_profile.profiling.options import ProfileOptions
from block_profile.profiling.specs import Catalogue
from ofa_plugins_core import (
    CostModelEntry,
    Host,
    JobContext,
    PredictorEntry,
    SupernetEntry,
)
from ofa_plugins_core.testing import in_process
from ofa_plugins_core.testing.toys import ToyPredictor, ToySupernet, toy_cost, toy_supernet


@frozen(eq=False)
class Counted:
    """A cost that is no table: parameters; it counts how often it is asked, and may be stopped."""

    supernet: ToySupernet
    asked: list
    name: str = "counted"
    unit: str = "count"
    kind: str = "measured"
    source: str = "made up"

    def evaluate(self, archs):
        if len(self.asked) in self.stops:
            self.stops.discard(len(self.asked))
            raise KeyboardInterrupt
        self.asked.extend(archs)
        return toy_cost("params", self.supernet).evaluate(archs)

    stops: set = frozenset()


@pytest.fixture
def catalogue() -> Catalogue:
    """Of the toy: two units of two layers, four blocks each."""
    return Catalogue.of(toy_supernet().geometry())


@pytest.fixture
def asked() -> list:
    """Networks that the cost ``counted`` was asked for."""
    return []


@pytest.fixture
def stops() -> set:
    """After so many networks ``counted`` is interrupted, once each."""
    return set()


@pytest.fixture
def toy_host(asked: list, stops: set) -> Host:
    """With the toy, its predictor, a maximum and a cost that is no table."""
    costs = [
        CostModelEntry("largest", "…", "items", lambda s, o: toy_cost("largest", s)),
        CostModelEntry("counted", "…", "count", lambda s, o: Counted(s, asked, stops=stops)),
    ]
    plugin = in_process(
        "toys",
        ofa_supernets=[SupernetEntry("toy", "…", toy_supernet)],
        ofa_predictors=[PredictorEntry("toy", "…", lambda s, file, fit: ToyPredictor(s.space))],
        ofa_cost_models=costs,
    )
    return Host.discover(extra={"toys": plugin})


@pytest.fixture
def profiled(toy_host: Host) -> Callable:
    """Runs the job on the toy; options by keyword, ``out``, ``seed`` and ``resume`` of the run."""
    from block_profile.profiling.job import run_profile

    def run(out=None, seed=0, resume=False, told=None, **options):
        given = {"supernet": "toy", "predictor": "toy", "metrics": ("accuracy,params",), **options}
        listener = (lambda event: None) if told is None else told.append
        context = JobContext(toy_host, listener, seed, out, resume)
        return run_profile(context, ProfileOptions(**given))

    return run


@pytest.fixture
def generator() -> np.random.Generator:
    """With a fixed seed."""
    return np.random.default_rng(3)
