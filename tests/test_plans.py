"""Plans: phases found by name, and what a user wants otherwise."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.config import Words, structure
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.phases import Hyperparameters, Phase
from ofa_plugins_core.plans import Change, PlanOptions, flaw_of, phase_of
from ofa_plugins_core.testing import toy_plan, toy_supernet
from ofa_plugins_core.testing.laws import LawBrokenError
from ofa_plugins_core.testing.laws.plan import LAWS

PLAN = toy_plan()
GUIDE = Path(__file__).parents[1] / "docs" / "plugins.md"


def with_depths(count):
    teacher, depth, last = PLAN.phases
    depths = [evolve(depth, number=number) for number in range(1, count + 1)]
    return (teacher, *depths, last)


def with_teacher(**changes):
    teacher, *others = PLAN.phases
    return evolve(PLAN, phases=(evolve(teacher, **changes), *others))


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
        with pytest.raises(UsageError, match="compound 1: 1 of 1 epochs are warm-up"):
            PLAN.changed({"compound": Change(epochs=1)})

    @pytest.mark.parametrize("step", ["teacher", "finetune"])
    def test_one_network_has_no_subnets(self, step):
        """The cost would count networks that nobody trains."""
        with pytest.raises(UsageError, match=f"{step}: 3 subnets a step, but it trains one"):
            PLAN.changed({step: Change(subnets=3)})
        assert PLAN.changed({step: Change(subnets=1)}).phases == PLAN.phases

    def test_a_sandwich_of_two_has_nothing_between(self):
        phases = (evolve(PLAN.phases[2], subnets=4, sandwich=True),)
        with pytest.raises(UsageError, match="compound 1: a sandwich of 2; largest, smallest and"):
            evolve(PLAN, phases=phases).changed({"compound": Change(subnets=2)})

    def test_what_the_plugin_got_wrong_is_not_the_users(self):
        """It stays as it is, for ``flaw_of`` to tell."""
        wrong = evolve(PLAN, finetune=evolve(PLAN.finetune, base_lr=0.0))
        changed = wrong.changed({"teacher": Change(subnets=3)})
        assert flaw_of(changed, toy_supernet()) is not None

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


class TestHyper:
    """What phases share can be set, too."""

    def test_what_is_not_given_stays_the_plans(self):
        plan = evolve(PLAN, hyper=Hyperparameters(batch=256))
        assert plan.changed({}, {"kd_ratio": 0.5}).hyper == Hyperparameters(batch=256, kd_ratio=0.5)
        assert plan.changed({}, {}) is plan

    def test_who_wants_a_teacher_where_there_is_none_is_told(self):
        alone = evolve(
            PLAN, phases=PLAN.phases[1:], teacher=None, hyper=Hyperparameters(kd_ratio=0)
        )
        assert flaw_of(alone, toy_supernet()) is None
        with pytest.raises(UsageError, match="its teacher is None, which is no supernet"):
            alone.changed({}, {"kd_ratio": 1})

    @pytest.mark.parametrize(
        "given", [Words("{kd_ratio: 0.5, batch: 8}"), {"kd_ratio": 0.5, "batch": 8}]
    )
    def test_they_can_be_typed_and_written(self, given):
        options = structure({"hyper": given}, PlanOptions, "ofa")
        assert options.hyper == {"kd_ratio": 0.5, "batch": 8}
        assert isinstance(options.hyper["batch"], int)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{kd_ration: 1}", "unknown hyper-parameter 'kd_ration'; nearest known: kd_ratio"),
            ("{kd_ratio: -1}", "hyper: kd_ratio is -1: expected a number from 0 up"),
            ("{kd_ratio: .inf}", "hyper: kd_ratio is inf: expected a number from 0 up"),
            ("{momentum: 1}", "hyper: momentum is 1: expected a number from 0 up, below 1"),
            ("{weight_decay: 1.5}", "hyper: weight_decay is 1.5: expected"),
            ("{label_smoothing: -0.1}", "hyper: label_smoothing is -0.1: expected"),
            ("{min_scale: 0}", "hyper: min_scale is 0: expected a number above 0, up to 1"),
            ("{batch: 1}", "hyper: batch is 1: expected a whole number from 2 up"),
            ("{batch: 8.5}", "hyper: batch is 8.5, not a whole number"),
            ("{kd_ratio: much}", "hyper.kd_ratio: expected a whole number or a number, found"),
            ("often", "hyper: expected a mapping"),
        ],
    )
    def test_what_no_plan_has_is_wrong_use(self, text, said):
        with pytest.raises(UsageError, match=r"^ofa[.:]") as caught:
            structure({"hyper": Words(text)}, PlanOptions, "ofa")
        assert said in caught.value.message


WRONG_PHASES = [
    ({"epochs": 0}, "teacher: 0 epochs"),
    ({"epochs": 1.5}, "teacher: epochs is 1.5, not a whole number"),
    ({"epochs": "3"}, "teacher: epochs is '3', not a whole number"),
    ({"epochs": True}, "teacher: epochs is True, not a whole number"),
    ({"number": 0}, "teacher: number 0: they count from 1"),
    ({"subnets": 0}, "teacher: 0 subnets a step"),
    ({"subnets": 3}, "teacher: 3 subnets a step, but it trains one network"),
    ({"base_lr": float("nan")}, "teacher: learning rate nan"),
    ({"base_lr": "0.1"}, "teacher: base_lr is '0.1', not a number"),
    ({"warmup_epochs": 1, "epochs": 1}, "teacher: 1 of 1 epochs are warm-up"),
    ({"sandwich": 1}, "teacher: sandwich is 1, not true or false"),
    ({"step": "my step/../x"}, "'my step/../x' is no step; the steps are teacher, kernel"),
    ({"sort": 1.5}, "teacher: sort is 1.5, not a whole number"),
    ({"sort": -1}, "teacher: sorts as phase -1"),
    ({"sort": 2}, "teacher sorts as phase 2: no dimension has so many options"),
    ({"open": {"zz": 2}}, "teacher opens zz, which is none of"),
    ({"open": {"d": 0}}, "teacher opens 0 options of d"),
    ({"open": {"d": 1.5}}, "teacher opens 1.5 options of d: expected a whole number"),
    ({"open": {"ks": 99}}, "teacher opens 99 options of ks, which has 2"),
    ({"open": ["ks"]}, "teacher: open is ['ks'], not dimensions"),
]
"""Changes of the teacher's phase -> what is said of the plan."""

WRONG_PLANS = [
    ({"phases": ()}, "it has no phase"),
    ({"phases": (PLAN.finetune,)}, "finetune is one of its phases"),
    ({"phases": PLAN.phases[::-1]}, "teacher is phase 3 of it: it has to be the first"),
    ({"phases": PLAN.phases[:2] + PLAN.phases[1:]}, "two of its phases are depth 1"),
    ({"phases": ({"step": "depth"},)}, "{'step': 'depth'} stands where a Phase is due"),
    ({"finetune": PLAN.phases[2]}, "the step of its finetune is compound, not finetune"),
    ({"finetune": None}, "None stands where a Phase is due"),
    ({"full": ()}, "it has nothing to compare its cost to: full is empty"),
    ({"source": 3}, "source is 3: expected the publication"),
    ({"teacher": None}, "its teacher is None, which is no supernet"),
    ({"hyper": None}, "hyper is None"),
    ({"hyper": Hyperparameters(batch=0)}, "batch is 0: expected a whole number from 2"),
    ({"hyper": Hyperparameters(batch=8.5)}, "batch is 8.5, not a whole number"),
    ({"hyper": Hyperparameters(kd_ratio="1")}, "kd_ratio is '1', not a number"),
    ({"hyper": Hyperparameters(momentum=1.0)}, "momentum is 1.0: expected a number"),
]
"""Changes of the plan -> what is said of it."""


class TestFlawOf:
    """What a plugin got wrong is told before hours are spent on it."""

    def test_a_good_plan_has_none(self):
        assert flaw_of(PLAN, toy_supernet()) is None

    @pytest.mark.parametrize(("changes", "said"), WRONG_PHASES)
    def test_of_a_phase(self, changes, said):
        assert flaw_of(with_teacher(**changes), toy_supernet()).startswith(said)

    @pytest.mark.parametrize(("changes", "said"), WRONG_PLANS)
    def test_of_the_whole(self, changes, said):
        assert flaw_of(evolve(PLAN, **changes), toy_supernet()).startswith(said)

    @pytest.mark.parametrize("subnets", [1, 2])
    def test_a_sandwich_draws_what_lies_between(self, subnets):
        phase = Phase(step="compound", epochs=1, base_lr=0.1, subnets=subnets, sandwich=True)
        said = f"compound 1: a sandwich of {subnets}; largest, smallest and drawn ones are 3"
        assert flaw_of(evolve(PLAN, phases=(phase,)), toy_supernet()).startswith(said)
        enough = evolve(PLAN, phases=(evolve(phase, subnets=3),))
        assert flaw_of(enough, toy_supernet()) is None

    @pytest.mark.parametrize(
        "plan",
        [with_teacher(**changes) for changes, _ in WRONG_PHASES]
        + [evolve(PLAN, **changes) for changes, _ in WRONG_PLANS],
    )
    def test_a_law_says_the_same(self, plan):
        """What the test kit lets pass can be trained by."""
        said = []
        for law in LAWS:
            try:
                law(plan, toy_supernet(), np.random.default_rng(0))
            except LawBrokenError as broken:
                said.append(str(broken))
            except Exception:  # a law about something else, which the flaw has made pointless
                continue
        assert flaw_of(plan, toy_supernet()) in said


@pytest.mark.skipif(not GUIDE.is_file(), reason="the docs are not there")
def test_the_plan_in_the_docs_keeps_the_laws_and_heeds_its_options():
    (code,) = re.findall(r"```python\n# late\.py.*?```", GUIDE.read_text(encoding="utf-8"), re.S)
    module = {}
    exec(code.removeprefix("```python").removesuffix("```"), module)
    (entry,) = module["ofa_training_plans"]()
    options = entry.options(phases={"depth": Change(epochs=30)}, hyper={"kd_ratio": 0.5})
    plan = entry.build(toy_supernet(), options)
    assert (plan.phases[1].epochs, plan.hyper.kd_ratio) == (30, 0.5)
    for law in LAWS:
        law(plan, toy_supernet(), np.random.default_rng(0))
