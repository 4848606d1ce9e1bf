"""CompOFA's training plan: all at once, half of the cost."""

from __future__ import annotations

import pytest

from compofa.networks import compofa as fixed
from compofa.networks import compofa_elastic as elastic
from compofa.plans import compofa
from ofa_mit.networks import ofa_mbv3_w1_0
from ofa_mit.plan_options import ShrinkingOptions
from ofa_plugins_core.phases import Hyperparameters
from ofa_plugins_core.testing import TrainingPlanSuite, toy_supernet


def plan_for(supernet):
    return compofa(supernet, ShrinkingOptions())


class TestPlan(TrainingPlanSuite):
    @pytest.fixture(params=[fixed, elastic, ofa_mbv3_w1_0, toy_supernet])
    def supernet(self, request):
        return request.param()

    @pytest.fixture
    def plan(self, supernet):
        return plan_for(supernet)


def test_the_published_numbers():
    """Rates for 256 images a worker; where the warm-up begins is ours."""
    plan = plan_for(fixed())
    found = [(p.label, p.epochs, p.warmup_epochs, p.subnets) for p in plan.phases]
    assert found == [("teacher", 180, 0, 1), ("compound 1", 25, 0, 4), ("compound 2", 120, 5, 4)]
    assert [p.base_lr for p in plan.phases] == pytest.approx([0.325, 0.01, 0.03])
    assert plan.hyper.batch == 256


def test_what_a_user_sets_of_all_phases():
    """What is not set stays CompOFA's."""
    plan = compofa(fixed(), ShrinkingOptions(hyper={"kd_ratio": 0.5}))
    assert plan.hyper == Hyperparameters(batch=256, kd_ratio=0.5)


def test_what_it_saves():
    """145 epochs of four subnets against progressive shrinking's 990 subnet epochs."""
    plan = plan_for(fixed())
    cost, full = (
        sum(p.subnet_epochs for p in phases if not p.alone) for phases in (plan.phases, plan.full)
    )
    assert (cost, full) == (580, 990)


def test_fixed_kernels_are_taught_by_the_largest_ones():
    """K7 D4 E6 of the uncoupled network, at the same image sizes and for the same classes."""
    supernet = fixed().with_classes(10).at([160, 224])
    teacher = plan_for(supernet).teacher
    assert teacher.name == "compofa+uncoupled"
    assert teacher.resolutions == (160, 224)
    (largest,) = teacher.space.decode(teacher.space.sizes[None] - 1)
    assert largest.as_dict() == {"ks": [7] * 20, "e": [6] * 20, "d": [4] * 5, "image_size": 224}
    own, others = (n.geometry().blocks(largest) for n in (ofa_mbv3_w1_0(), teacher))
    assert [b.ops for b in own[:-1]] == [b.ops for b in others[:-1]]
    assert others[-1].ops[0].channels_out == 10


def test_free_kernels_teach_themselves():
    supernet = elastic()
    assert plan_for(supernet).teacher is supernet


@pytest.mark.parametrize("supernet", [fixed(), elastic()])
def test_its_supernets_are_trained_so(supernet):
    for one in (supernet, supernet.at([96]), supernet.with_classes(10), supernet.as_built()):
        assert one.plan == "compofa"
