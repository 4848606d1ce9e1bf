"""The learning rate of each step."""

import math
from itertools import pairwise

import pytest

pytest.importorskip("torch", reason="nn loads torch")

from ofa_plugins_core.nn.training.schedule import learning_rate
from ofa_plugins_core.phases import Phase

STEPS = 10
WARM = Phase(step="depth", epochs=7, base_lr=0.5, warmup_epochs=2, warmup_lr=0.1)
COLD = Phase(step="depth", epochs=5, base_lr=0.5)


def rates(phase):
    return [learning_rate(phase, STEPS, done) for done in range(phase.epochs * STEPS)]


def test_it_rises_by_equal_steps_from_where_the_warm_up_begins_to_the_base_rate():
    rise = rates(WARM)[: 2 * STEPS + 1]
    assert (rise[0], rise[-1]) == (0.1, 0.5)
    assert [b - a for a, b in pairwise(rise)] == pytest.approx([0.02] * 20)


def test_it_then_falls_along_half_a_cosine_that_ends_after_the_last_step():
    assert rates(COLD)[0] == 0.5
    assert rates(COLD)[25] == pytest.approx(0.25)
    assert rates(WARM)[20:] == pytest.approx(rates(COLD))
    last = 0.25 * (1 + math.cos(math.pi * 49 / 50))
    assert rates(COLD)[-1] == pytest.approx(last)
    assert learning_rate(COLD, STEPS, 50) == pytest.approx(0)
