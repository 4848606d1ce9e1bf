"""Plans: phases found by name, and what a user wants otherwise."""

from __future__ import annotations

import pytest
from attrs import evolve

from ofa_plugins_core.config import Words, structure
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.plans import Change, PlanOptions, flaw_of, phase_of
from ofa_plugins_core.testing import toy_plan, toy_supernet

PLAN = toy_plan()


def with_depths(count):
    teacher, depth, last = PLAN.phases
    depths = [evolve(depth, number=number) for number in range(1, count + 1)]
    return (teacher, *depths, last)


class TestPhaseOf:
    def test_a_step_of_one_phase_needs_no_number(self):
        assert phase_of(PLAN.phases, "depth", None) == 1

    def test_by_step_and_number(self):
        assert phase_of(with_depths(3), "depth", 2) == 2

    def test_a_step_that_the_plan_does_not_have(self):
        with pytest.raises(UsageError, match="no step width; its steps: teacher, depth, compound"):
            phase_of(PLAN.phases, "width", None)

    def test_several_phases_need_a_number(self):
        with pytest.raises(UsageError, match="--step depth needs --phase: 1 to 2"):
            phase_of(with_depths(2), "depth", None)

    def test_a_number_that_is_too_large(self):
        with pytest.raises(UsageError, match="--phase 3: step depth has phases 1 to 2 here"):
            phase_of(with_depths(2), "depth", 3)


class TestChanges:
    def test_one_phase_alone_is_changed(self):
        changed = PLAN.changed({"depth_1": Change(epochs=7, base_lr=0.5)})
        assert [p.epochs for p in changed.phases] == [3, 7, 4]
        assert changed.phases[1].base_lr == 0.5
        assert changed.phases[1].subnets == PLAN.phases[1].subnets

    def test_a_step_stands_for_all_its_phases_and_a_phase_wins_over_it(self):
        plan = evolve(PLAN, phases=with_depths(2))
        changed = plan.changed({"depth": Change(epochs=9), "depth_2": Change(epochs=5)})
        assert [p.epochs for p in changed.phases] == [3, 9, 5, 4]

    def test_fine_tuning_is_a_phase_too_and_what_it_is_compared_to_stays(self):
        changed = PLAN.changed({"finetune": Change(epochs=75), "teacher": Change(epochs=1)})
        assert changed.finetune.epochs == 75
        assert changed.full == PLAN.full

    def test_a_phase_that_there_is_not(self):
        with pytest.raises(UnknownNameError, match=r"unknown phase 'depht_1'.*depth_1"):
            PLAN.changed({"depht_1": Change(epochs=1)})

    def test_a_warm_up_has_to_end(self):
        with pytest.raises(UsageError, match="compound 1: 1 epochs of warm-up in 1 epochs"):
            PLAN.changed({"compound": Change(epochs=1)})

    @pytest.mark.parametrize(
        "wrong", [{"epochs": 0}, {"base_lr": 0.0}, {"subnets": 0}, {"warmup_lr": float("inf")}]
    )
    def test_numbers_that_no_phase_has(self, wrong):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Change(**wrong)

    def test_they_can_be_typed(self):
        typed = {"phases": Words("{depth_1: {epochs: 3, base_lr: 1e-3}}")}
        options = structure(typed, PlanOptions, "ofa")
        assert options.phases == {"depth_1": Change(epochs=3, base_lr=1e-3)}

    @pytest.mark.parametrize("text", ["deep", "{depth_1: {epoch: 3}}", "{depth_1: {"])
    def test_what_does_not_read_so_is_wrong_use(self, text):
        with pytest.raises(UsageError, match=r"ofa\.phases"):
            structure({"phases": Words(text)}, PlanOptions, "ofa")


class TestFlawOf:
    """What a plugin got wrong is told before hours are spent on it."""

    def test_a_good_plan_has_none(self):
        assert flaw_of(PLAN, toy_supernet()) is None

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"epochs": 0}, "teacher: 0 epochs"),
            ({"subnets": 0}, "teacher: 0 subnets a step"),
            ({"base_lr": float("nan")}, "teacher: learning rate nan"),
            ({"warmup_epochs": 1, "epochs": 1}, "teacher: 1 of 1 epochs are warm-up"),
            ({"open": {"zz": 2}}, "teacher opens zz, which is none of"),
            ({"open": {"d": 0}}, "teacher opens 0 options of d"),
        ],
    )
    def test_of_a_phase(self, changes, said):
        teacher, *others = PLAN.phases
        plan = evolve(PLAN, phases=(evolve(teacher, **changes), *others))
        assert flaw_of(plan, toy_supernet()).startswith(said)

    def test_of_the_whole(self):
        assert flaw_of(evolve(PLAN, phases=()), toy_supernet()) == "it has no phase"
        plan = evolve(PLAN, hyper=Hyperparameters(batch=0))
        assert flaw_of(plan, toy_supernet()) == "a batch of 0"
