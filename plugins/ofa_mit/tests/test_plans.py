"""Progressive shrinking as data: Once-for-All's phases and numbers, on its networks and others."""

from __future__ import annotations

import pytest
from attrs import evolve

from ofa_mit.networks import MBV3_W1_0, RESNET50, mobile_supernet, ofa_mbv3_w1_0, ofa_resnet50
from ofa_mit.networks import residual_supernet as residual
from ofa_mit.plan_options import SandwichOptions, ShrinkingOptions
from ofa_mit.plans import ofa, sandwich
from ofa_mit.schedules import OFA, progressive
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import PlannedSupernet
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.plans import Change
from ofa_plugins_core.testing import TrainingPlanSuite, toy_supernet
from ofa_plugins_core.values import Dimension

PLANS = {
    "ofa": lambda supernet: ofa(supernet, ShrinkingOptions()),
    "sandwich": lambda supernet: sandwich(supernet, SandwichOptions()),
}
SUPERNETS = {
    "toy": toy_supernet,
    "mobile": ofa_mbv3_w1_0,
    "residual": ofa_resnet50,
    "many": lambda: mobile_supernet("many", evolve(MBV3_W1_0, ks=(3, 5, 7, 9), d=(1, 2, 3, 4))),
    "few": lambda: mobile_supernet("few", evolve(MBV3_W1_0, ks=(3,), e=(3, 6), d=(2, 4))),
    "one": lambda: mobile_supernet("one", evolve(MBV3_W1_0, ks=(5,), e=(4,), d=(3,))),
}


class TestPlans(TrainingPlanSuite):
    @pytest.fixture(params=SUPERNETS)
    def supernet(self, request):
        return SUPERNETS[request.param]()

    @pytest.fixture(params=PLANS)
    def plan(self, request, supernet):
        return PLANS[request.param](supernet)


def numbers(phases):
    return [(p.label, p.epochs, p.base_lr, p.warmup_epochs, p.subnets) for p in phases]


def test_the_published_numbers():
    """Learning rates a worker of 64 images; the teacher's is 2.6 on 32 workers."""
    assert numbers(PLANS["ofa"](ofa_mbv3_w1_0()).phases) == [
        ("teacher", 180, 2.6 / 32, 0, 1),
        ("kernel 1", 120, 3e-2, 5, 1),
        ("depth 1", 25, 2.5e-3, 0, 2),
        ("depth 2", 120, 7.5e-3, 5, 2),
        ("expand 1", 25, 2.5e-3, 0, 4),
        ("expand 2", 120, 7.5e-3, 5, 4),
    ]


def test_what_each_phase_opens():
    found = [dict(p.open) for p in progressive(ofa_mbv3_w1_0().space, OFA)]
    assert found == [
        {"ks": 1, "e": 1, "d": 1},
        {"e": 1, "d": 1},
        {"e": 1, "d": 2},
        {"e": 1},
        {"e": 2},
        {},
    ]


def test_channels_are_sorted_before_each_expand_phase():
    """First all, then only inside the bounds of the two widest, which are trained by then."""
    found = {p.label: p.sort for p in progressive(ofa_mbv3_w1_0().space, OFA)}
    assert {label: sort for label, sort in found.items() if sort is not None} == {
        "expand 1": 0,
        "expand 2": 1,
    }


def test_a_resnet_has_widths_last_and_no_kernels():
    labels = [p.label for p in progressive(ofa_resnet50().space, OFA)]
    steps = ["depth", "expand", "width"]
    assert labels == ["teacher", *(f"{step} {i}" for step in steps for i in (1, 2))]


def test_more_options_are_more_phases_the_last_of_them_long():
    phases = progressive(SUPERNETS["many"]().space, OFA)
    depth = [(p.label, p.epochs, p.open.get("d")) for p in phases]
    assert [d for d in depth if d[0].startswith("depth")] == [
        ("depth 1", 25, 2),
        ("depth 2", 25, 3),
        ("depth 3", 120, None),
    ]
    assert [p.label for p in phases if p.step == "kernel"] == ["kernel 1"]


def test_two_options_are_one_long_phase_and_one_is_none():
    phases = progressive(SUPERNETS["few"]().space, OFA)
    assert [(p.label, p.epochs) for p in phases[1:]] == [("depth 1", 120), ("expand 1", 120)]
    assert [p.label for p in progressive(SUPERNETS["one"]().space, OFA)] == ["teacher"]


def test_a_dimension_that_no_step_opens_is_refused():
    space = toy_supernet().space
    renamed = [evolve(d, key="groups") if d.key == "ks" else d for d in space.dimensions]
    assert isinstance(renamed[0], Dimension)
    with pytest.raises(UsageError, match="opens ks, d, e, w: toy has groups, too"):
        progressive(evolve(space, dimensions=tuple(renamed)), OFA)


def test_a_sandwich_costs_what_progressive_shrinking_does():
    plan = PLANS["sandwich"](ofa_mbv3_w1_0())
    cost, full = (sum(p.subnet_epochs for p in phases) for phases in (plan.phases, plan.full))
    assert (cost, full) == (1160, 1170)


def test_what_a_user_sets():
    options = ShrinkingOptions(finetune_epochs=75, phases={"depth": Change(subnets=3)})
    plan = ofa(ofa_mbv3_w1_0(), options)
    assert plan.finetune.epochs == 75
    assert [p.subnets for p in plan.phases if p.step == "depth"] == [3, 3]
    assert sandwich(toy_supernet(), SandwichOptions(epochs=3)).phases[0].warmup_epochs == 2


def test_what_a_user_sets_of_all_phases():
    hyper = {"kd_ratio": 0.5, "weight_decay": 1e-4}
    plans = (
        ofa(toy_supernet(), ShrinkingOptions(hyper=hyper)),
        sandwich(toy_supernet(), SandwichOptions(hyper=hyper)),
    )
    for plan in plans:
        assert plan.hyper == Hyperparameters(kd_ratio=0.5, weight_decay=1e-4)


def test_phases_of_the_users_that_make_no_plan():
    with pytest.raises(UsageError, match="compound 1: a sandwich of 2"):
        sandwich(toy_supernet(), SandwichOptions(phases={"compound": Change(subnets=2)}))
    with pytest.raises(UsageError, match="teacher: 3 subnets a step, but it trains one network"):
        ofa(toy_supernet(), ShrinkingOptions(phases={"teacher": Change(subnets=3)}))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ShrinkingOptions(finetune_epochs=0),
        lambda: SandwichOptions(epochs=0),
        lambda: SandwichOptions(subnets=2),
    ],
)
def test_numbers_that_make_no_plan(wrong):
    with pytest.raises(ValueError, match="must be"):
        wrong()


@pytest.mark.parametrize("supernet", [ofa_mbv3_w1_0(), residual("mine", RESNET50)])
def test_a_supernet_says_which_plan_is_its_usual_one(supernet):
    assert isinstance(supernet, PlannedSupernet)
    for one in (supernet, supernet.at([96]), supernet.with_classes(10), supernet.as_built()):
        assert one.plan == "ofa"
