"""MOOFA's training plan."""

from __future__ import annotations

import pytest

from moofa.networks import MoofaRow, moofa_supernet, moofa_v2, moofa_v3
from moofa.plans import moofa
from ofa_mit import mobile_supernet
from ofa_mit.networks import ofa_resnet50
from ofa_mit.plan_options import ShrinkingOptions
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.testing import TrainingPlanSuite, toy_supernet


class TestPlan(TrainingPlanSuite):
    @pytest.fixture(params=[moofa_v3, ofa_resnet50, toy_supernet])
    def supernet(self, request):
        return request.param()

    @pytest.fixture
    def plan(self, supernet):
        return moofa(supernet, ShrinkingOptions())


def test_the_published_numbers():
    """Epochs, base rate, warm-up epochs and rate, subnets."""
    phases = moofa(moofa_v3(), ShrinkingOptions()).phases
    found = [
        (p.label, p.epochs, p.base_lr, p.warmup_epochs, p.warmup_lr, p.subnets) for p in phases
    ]
    assert found == [
        ("teacher", 180, 3e-2, 0, 3e-3, 1),
        ("kernel 1", 120, 3e-3, 5, 3e-3, 1),
        ("depth 1", 25, 2.5e-4, 0, 2.5e-3, 2),
        ("depth 2", 120, 7.5e-4, 5, 7.5e-5, 2),
        ("expand 1", 25, 2.5e-4, 0, 2.5e-5, 4),
        ("expand 2", 120, 2.5e-4, 5, 7.5e-5, 4),
    ]


def test_what_a_user_sets_of_all_phases():
    plan = moofa(moofa_v3(), ShrinkingOptions(hyper={"kd_ratio": 0.5}))
    assert plan.hyper == Hyperparameters(kd_ratio=0.5)


@pytest.mark.parametrize("supernet", [moofa_v2(), moofa_supernet("mine", MoofaRow(width=16))])
def test_its_supernets_are_trained_so(supernet):
    for one in (supernet, supernet.at([96]), supernet.with_classes(10), supernet.as_built()):
        assert one.plan == "moofa"
    assert mobile_supernet("another", supernet.row).plan == "ofa"
