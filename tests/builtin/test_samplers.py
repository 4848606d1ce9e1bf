"""Uniform draws, over options and over networks."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.builtin import samplers
from ofa_plugins_core.builtin.samplers import Uniform, UniformOptions
from ofa_plugins_core.testing import SamplerSuite
from ofa_plugins_core.testing.toys import everything, toy_supernet

TOY = toy_supernet()
DRAWS = 60_000


def counts(over):
    sampler = samplers.entry().build(TOY, UniformOptions(over))
    rows = sampler.sample(DRAWS, np.random.default_rng(0))
    every = everything(TOY.space)
    both, number = np.unique(np.concatenate([every, rows]), axis=0, return_counts=True)
    assert len(both) == len(every)
    return both, number - 1


def test_over_networks_each_is_equally_likely():
    _, found = counts("networks")
    expected = DRAWS / len(found)
    assert abs(found - expected).max() < 6 * np.sqrt(expected)


def test_over_options_shallow_networks_come_up_more_often():
    rows, found = counts("options")
    depths = rows[:, [1, 6]].sum(axis=1)
    # by options a stage of depth 1 is drawn half of the time, in 4 forms; of depth 2 in 16
    assert found[depths == 0].mean() == pytest.approx(DRAWS / 4 / 32, rel=0.05)
    assert found[depths == 2].mean() == pytest.approx(DRAWS / 4 / 512, rel=0.05)


@pytest.mark.parametrize("over", ["options", "networks"])
class TestLaws(SamplerSuite):
    """What every sampler keeps."""

    @pytest.fixture
    def sampler(self, supernet, over):
        return Uniform(supernet.space, over)
