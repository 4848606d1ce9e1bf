"""Gradient boosting on counts of ops: grown by scikit-learn, followed in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from block_profile.latency.boosting import fit_boosting, load_boosting
from block_profile.latency.counts import Counts
from block_profile.latency.options import BoostingOptions
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.testing import LatencyPredictorSuite, toy_supernet
from ofa_plugins_core.values import RESOLUTION

TOY = toy_supernet()
SETTINGS = {"words": list(Counts(TOY).spelling.words), "base": 1.0}
NODES = ("feature", "left", "right", "threshold", "value")


def nodes():
    """One tree of three nodes that adds nothing."""
    found = {name: np.zeros((1, 3), int) for name in NODES[:3]}
    return {**found, **{n: np.zeros((1, 3)) for n in NODES[3:]}, "depth": np.array(1)}


class TestBoosting(LatencyPredictorSuite):
    @pytest.fixture
    def entry(self, forms):
        pytest.importorskip("sklearn")
        return forms["boosting"]

    @pytest.fixture
    def options(self):
        return BoostingOptions(trees=60)


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


def test_where_all_trees_are_used_the_note_says_that_more_may_do_better(task):
    assert "more may do better" in fit_boosting(task, BoostingOptions(trees=3)).note
    settled = evolve(task, dev=evolve(task.dev, latency=np.flip(task.dev.latency)))
    assert "more may do better" not in fit_boosting(settled, BoostingOptions()).note


def test_what_equals_a_threshold_goes_left():
    """A stump that asks for the image size, 64."""
    arrays = {**nodes(), "feature": np.array([[13, 0, 0]]), "threshold": np.array([[64.0, 0, 0]])}
    arrays["value"] = np.array([[0, 1.0, 2.0]])
    arrays["left"], arrays["right"] = np.array([[1, 1, 2]]), np.array([[2, 1, 2]])
    trees = load_boosting(TOY, LatencyFit(arrays, SETTINGS))
    genes = TOY.space.canonical(np.zeros((1, len(TOY.space.genes)), np.uint8))
    genes[:, RESOLUTION] = TOY.resolutions.index(64)
    assert trees.predict(genes).tolist() == [2.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feature": np.full((1, 3), 99)}, "feature beyond"),
        ({"feature": np.full((1, 3), 0.5)}, "feature holds no whole numbers"),
        ({"left": np.full((1, 3), -1)}, "left beyond"),
        ({"value": np.zeros((2, 3))}, "differ in shape"),
        ({"value": np.full((1, 3), 1e308)}, "value is beyond"),
        ({"depth": np.zeros(3, int)}, "differ in shape"),
        ({"depth": np.array(-3)}, "depth beyond"),
        ({"depth": np.array(0.5)}, "depth holds no whole numbers"),
        ({name: np.zeros((0, 3), int) for name in NODES}, "they are none"),
        ({"value": None}, "value missing"),
    ],
)
def test_trees_that_lead_nowhere_are_refused(change, said):
    arrays = {k: v for k, v in {**nodes(), **change}.items() if v is not None}
    with pytest.raises(InputError, match=said):
        load_boosting(TOY, LatencyFit(arrays, SETTINGS))


@pytest.mark.parametrize(
    ("base", "said"),
    [
        (1e308, "base is beyond"),
        (float("nan"), "base is beyond"),
        ("nan", "base is 'nan', no number"),
        (True, "no number"),
        (None, "no number"),
    ],
)
def test_a_base_that_is_no_time_is_refused(base, said):
    with pytest.raises(InputError, match=said):
        load_boosting(TOY, LatencyFit(nodes(), {**SETTINGS, "base": base}))


def test_trees_of_other_blocks_are_refused():
    with pytest.raises(InputError, match="of other blocks than toy"):
        load_boosting(TOY, LatencyFit({}, {"words": ["MBConv9_9x9"]}))
