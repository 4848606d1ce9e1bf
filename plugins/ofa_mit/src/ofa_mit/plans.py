"""Once-for-All's training plan, and one without a teacher."""

from __future__ import annotations

from typing import Final

from ofa_mit.plan_options import SandwichOptions, ShrinkingOptions
from ofa_mit.schedules import OFA, progressive
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.phases import Phase
from ofa_plugins_core.plans import Plan

WARMUP: Final = 5
"""Epochs of warm-up of a phase that begins with fresh weights or new options."""


def ofa(supernet: Supernet, options: ShrinkingOptions) -> Plan:
    """Progressive shrinking.

    The paper continues an extracted subnet for 25 or 75 epochs; its rate is not published: that of
    the short phases, which are continued networks, too.

    Raises:
        UsageError: the supernet has a dimension that no step opens, or the options make no plan.
    """
    phases = progressive(supernet.space, OFA)
    return Plan(
        phases=phases,
        teacher=supernet,
        full=phases,
        finetune=finetune(2.5e-3, options.finetune_epochs),
        source="Once-for-All (ICLR 2020, arXiv 1908.09791), section 3.3",
    ).changed(options.phases, options.hyper)


def sandwich(supernet: Supernet, options: SandwichOptions) -> Plan:
    """Everything at once, from fresh weights: the largest teaches the smallest and drawn subnets.

    Ours are the numbers: the teacher's rate of Once-for-All, and by default so many epochs that its
    cost (1,160 subnet epochs) is that of progressive shrinking with its teacher (1,170).

    Raises:
        UsageError: the supernet has a dimension that no step opens, or the options make no plan.
    """
    teacher = OFA[0]
    phase = Phase(
        step="compound",
        epochs=options.epochs,
        base_lr=teacher.base_lr,
        warmup_epochs=min(WARMUP, options.epochs - 1),
        warmup_lr=teacher.base_lr / 10,
        subnets=options.subnets,
        sandwich=True,
    )
    return Plan(
        phases=(phase,),
        teacher=supernet,
        full=progressive(supernet.space, OFA),
        finetune=finetune(2.5e-3, options.finetune_epochs),
        source="sandwich rule and in-place distillation of Yu and Huang (ICCV 2019), as in "
        "BigNAS (ECCV 2020); epochs and rates are ours",
    ).changed(options.phases, options.hyper)


def finetune(base_lr: float, epochs: int) -> Phase:
    """One extracted subnet, continued without a warm-up."""
    return Phase(step="finetune", epochs=epochs, base_lr=base_lr)
