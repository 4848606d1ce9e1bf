"""Phases: what they are called and cost, and what a step of theirs draws."""

from __future__ import annotations

from typing import get_args, get_type_hints

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.phases import STEPS, Phase, at, continuous, draw, lowest_open
from ofa_plugins_core.testing import toy_supernet

SPACE = toy_supernet().space
DEPTH = Phase(step="depth", epochs=30, base_lr=0.1, warmup_epochs=3, subnets=2, open={"ks": 1})


def column(name):
    return next(i for i, gene in enumerate(SPACE.genes) if gene.name == name)


class TestNames:
    def test_a_phase_is_called_by_step_and_number(self):
        assert evolve(DEPTH, number=2).label == "depth 2"

    @pytest.mark.parametrize("step", ["teacher", "finetune"])
    def test_one_network_has_no_number(self, step):
        phase = evolve(DEPTH, step=step)
        assert (phase.label, phase.alone) == (step, True)

    def test_a_phase_costs_its_epochs_times_its_subnets(self):
        assert DEPTH.subnet_epochs == 60


class TestSteps:
    def test_they_are_those_that_can_be_asked_for(self):
        """``--step`` says them again, so that listing jobs loads no numpy."""
        offered, _ = get_args(get_type_hints(TrainOptions)["step"])
        assert get_args(offered) == STEPS


class TestShrinking:
    def test_warm_up_shrinks_alike(self):
        small = DEPTH.shrunk(1 / 3)
        assert (small.epochs, small.warmup_epochs) == (10, 1)

    def test_all_is_the_same_phase(self):
        assert DEPTH.shrunk(1.0) == DEPTH

    @given(st.floats(0, 1), st.integers(1, 200), st.integers(0, 199))
    def test_an_epoch_is_left_that_is_no_warm_up(self, share, epochs, warmup):
        small = evolve(DEPTH, epochs=epochs, warmup_epochs=warmup).shrunk(share)
        assert 0 <= small.warmup_epochs < small.epochs <= max(epochs, 1)


class TestDrawing:
    def test_only_the_largest_options_are_open(self):
        lowest = lowest_open(SPACE, DEPTH)
        assert {SPACE.genes[i].name for i in np.flatnonzero(lowest)} == {
            f"ks[{slot}]" for slot in range(4)
        }

    def test_more_than_all_options_are_all(self):
        assert not lowest_open(SPACE, evolve(DEPTH, open={"ks": 9})).any()

    def test_image_sizes_are_drawn_too(self):
        rows = np.concatenate([draw(SPACE, DEPTH, (0, 1, 0, step)) for step in range(30)])
        assert set(rows[:, 0]) == {0, 1}

    def test_the_subnets_of_a_step_differ(self):
        rows = draw(SPACE, evolve(DEPTH, subnets=20), (0, 0, 0, 0))
        assert len(np.unique(rows, axis=0)) > 1

    def test_a_sandwich_begins_with_the_largest_and_the_smallest(self):
        phase = evolve(DEPTH, open={}, subnets=4, sandwich=True)
        rows = draw(SPACE, phase, (0, 0, 0, 0))
        largest, smallest = SPACE.canonical(np.stack([SPACE.sizes - 1, 0 * SPACE.sizes]))
        assert (rows[0, 1:] == largest[1:]).all()
        assert (rows[1, 1:] == smallest[1:]).all()

    def test_others_of_a_sandwich_are_those_that_are_drawn_without(self):
        phase = evolve(DEPTH, open={}, subnets=4)
        plain, sandwich = (draw(SPACE, evolve(phase, sandwich=s), (5, 0, 1, 2)) for s in (0, 1))
        assert (plain[2:] == sandwich[2:]).all()


class TestPlaces:
    def test_ends_and_middle_of_what_is_open(self):
        depth, kernel = column("d[0]"), column("ks[0]")
        found = [at(SPACE, DEPTH, place) for place in (0.0, 1.0)]
        assert [int(row[depth]) for row in found] == [0, 1]
        assert [int(row[kernel]) for row in found] == [1, 1]

    @given(st.floats(0, 1))
    def test_they_are_at_the_largest_image_size(self, place):
        assert at(SPACE, DEPTH, place)[0] == 1


class TestImageSizes:
    def test_from_the_smallest_to_the_largest(self):
        assert continuous((128, 160)) == (128, 132, 136, 140, 144, 148, 152, 156, 160)

    def test_the_largest_is_always_there(self):
        assert continuous((32, 47), 8) == (32, 40, 47)
