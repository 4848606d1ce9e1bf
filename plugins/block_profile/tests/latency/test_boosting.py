"""Gradient boosting on counts of ops: grown by scikit-learn, followed in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from block_profile.latency.boosting import Counts, fit_boosting, load_boosting
from block_profile.latency.options import BoostingOptions
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.testing import LatencyPredictorSuite, toy_supernet

TOY = toy_supernet()


class TestBoosting(LatencyPredictorSuite):
    @pytest.fixture
    def entry(self, forms):
        pytest.importorskip("sklearn")
        return forms["boosting"]

    @pytest.fixture
    def options(self):
        return BoostingOptions(trees=60)


def test_counts_are_of_each_op_in_each_unit_and_in_all():
    arch = {"ks": [3, 3, 5, 3], "e": [2, 2, 3, 2], "d": [2, 1], "image_size": 64}
    (row,) = Counts(TOY)(TOY.space.encode([arch])).tolist()
    # MBConv2_3x3, MBConv2_5x5, MBConv3_3x3, MBConv3_5x5
    assert row == [2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 1, 3, 64]


def test_the_trees_are_scikit_learns(task):
    from sklearn.ensemble import GradientBoostingRegressor

    options = BoostingOptions(trees=40, depth=2, rate=0.1)
    fit = fit_boosting(task, options)
    kept = len(fit.arrays["feature"])
    base = task.train.latency.mean()
    known = GradientBoostingRegressor(
        init="zero", n_estimators=kept, max_depth=2, learning_rate=0.1, random_state=1
    )
    known.fit(Counts(TOY)(task.train.genes), task.train.latency - base)
    found = load_boosting(TOY, fit).predict(task.dev.genes)
    assert found == pytest.approx(base + known.predict(Counts(TOY)(task.dev.genes)), rel=1e-12)


def test_as_many_trees_are_kept_as_do_best_on_the_dev_networks(task):
    shuffled = evolve(task.dev, latency=np.random.default_rng(0).permutation(task.dev.latency))
    few = fit_boosting(evolve(task, dev=shuffled), BoostingOptions())
    many = fit_boosting(task, BoostingOptions())
    assert len(few.arrays["feature"]) < len(many.arrays["feature"])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feature": np.full((1, 3), 99)}, "feature beyond"),
        ({"left": np.full((1, 3), -1)}, "left beyond"),
        ({"value": np.zeros((2, 3))}, "differ in shape"),
        ({"depth": np.zeros(3)}, "differ in shape"),
        ({"value": None}, "not whole"),
    ],
)
def test_trees_that_lead_nowhere_are_refused(change, said):
    nodes = {name: np.zeros((1, 3), int) for name in ("feature", "left", "right")}
    nodes |= {name: np.zeros((1, 3)) for name in ("threshold", "value")}
    arrays = {k: v for k, v in {**nodes, "depth": np.array(1), **change}.items() if v is not None}
    settings = {"words": list(Counts(TOY).spelling.words), "base": 1.0}
    with pytest.raises(InputError, match=said):
        load_boosting(TOY, LatencyFit(arrays, settings))


def test_trees_of_other_blocks_are_refused():
    with pytest.raises(InputError, match="other blocks than toy"):
        load_boosting(TOY, LatencyFit({}, {"words": ["MBConv9_9x9"]}))
