"""Which plan a training job runs, with what the user sets of it, and what it says beforehand."""

from __future__ import annotations

import pytest
from attrs import evolve

from ofa_plugins_core import (
    Host,
    JobContext,
    PluginError,
    ReductionEntry,
    SupernetEntry,
    TrainingPlanEntry,
    UsageError,
)
from ofa_plugins_core.config import Words
from ofa_plugins_core.jobs.planning import chosen, plan_table
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.plans import PlanOptions
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.testing import in_process, toy_plan, toy_supernet


def heeding(supernet, options):
    return toy_plan(supernet).changed(options.phases, options.hyper)


def deaf(supernet, options):
    """Written before there were hyper-parameters to set."""
    return toy_plan(supernet).changed(options.phases)


PLANS = {"mine": heeding, "other": heeding, "deaf": deaf}


@pytest.fixture
def planned():
    """(plan, --set) -> what is chosen, and the notices; in a smaller space of the toy if named."""
    entries = [TrainingPlanEntry(n, "…", build, options=PlanOptions) for n, build in PLANS.items()]
    plugin = in_process(
        "outside",
        ofa_supernets=[SupernetEntry("toy", "…", toy_supernet)],
        ofa_training_plans=entries,
        ofa_reductions=[
            ReductionEntry(Reduction("paired", drop=(Drop({"k": 5, "e": 2}),)), "…"),
            ReductionEntry(Reduction("plain", drop=(Drop({"k": 5}),)), "…"),
        ],
    )
    host = Host.discover(extra={"x": plugin})

    def plan(name="mine", space="toy", **settings):
        said = []
        typed = {n: {k: Words(v) for k, v in given.items()} for n, given in settings.items()}
        context = JobContext(host, lambda event: said.append(event.message), settings=typed)
        return chosen(context, TrainOptions(supernet=space, plan=name, all=True)), said

    return plan


def test_a_plan_is_taken_as_its_plugin_says(planned):
    found, said = planned()
    assert [p.label for p in found.phases] == ["teacher", "depth 1", "compound 1"]
    assert "instead of" not in plan_table(found)[0]
    assert said == []


def test_hyper_parameters_reach_the_plan_and_are_told_before_the_start(planned):
    found, _ = planned(mine={"hyper": "{kd_ratio: 0.5, momentum: 0.9}"})
    usual = toy_plan().hyper
    assert found.plan.hyper == evolve(usual, kd_ratio=0.5)
    assert plan_table(found)[0].endswith("; kd_ratio 0.5 instead of 1")


def test_a_plan_that_leaves_them_out_is_its_plugins_fault(planned):
    with pytest.raises(PluginError, match="'x' 0: training plan 'deaf' leaves its option hyper"):
        planned("deaf", deaf={"hyper": "{kd_ratio: 0.5}"})


@pytest.mark.parametrize(
    "given",
    [
        {"phases": "{teacher: {subnets: 3}}"},
        {"phases": "{compound: {epochs: 1}}"},
        {"hyper": "{kd_ratio: -1}"},
        {"hyper": "{kd: 1}"},
    ],
)
def test_what_the_user_sets_wrongly_is_the_users(planned, given):
    with pytest.raises(UsageError):
        planned(mine=given)


def test_options_of_a_plan_that_does_not_run_are_told(planned):
    _, said = planned(mine={"phases": "{}"}, other={"phases": "{depth_1: {epochs: 5}}"})
    assert said == ["the options of other have no effect: the plan is mine"]


def test_choices_that_a_smaller_space_makes_together_are_told(planned):
    _, said = planned(space="toy+paired")
    assert said == [
        "toy+paired chooses ks and e together at 4 blocks: there all that is left is open from the "
        "first elastic phase on, and phases that would open only one of them are left out"
    ]
    assert planned(space="toy+plain")[1] == []
