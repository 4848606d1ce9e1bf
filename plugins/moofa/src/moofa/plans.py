"""MOOFA's training plan: progressive shrinking at lower learning rates."""

from __future__ import annotations

from typing import Final

from ofa_mit.plan_options import ShrinkingOptions
from ofa_mit.plans import finetune
from ofa_mit.schedules import progressive
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.phases import Phase
from ofa_plugins_core.plans import Plan

MOOFA: Final = (
    Phase(step="teacher", epochs=180, base_lr=3e-2, warmup_lr=3e-3),
    Phase(step="kernel", epochs=120, base_lr=3e-3, warmup_epochs=5, warmup_lr=3e-3),
    Phase(step="depth", number=1, epochs=25, base_lr=2.5e-4, warmup_lr=2.5e-3, subnets=2),
    Phase(
        step="depth",
        number=2,
        epochs=120,
        base_lr=7.5e-4,
        warmup_epochs=5,
        warmup_lr=7.5e-5,
        subnets=2,
    ),
    Phase(step="expand", number=1, epochs=25, base_lr=2.5e-4, warmup_lr=2.5e-5, subnets=4),
    Phase(
        step="expand",
        number=2,
        epochs=120,
        base_lr=2.5e-4,
        warmup_epochs=5,
        warmup_lr=7.5e-5,
        subnets=4,
    ),
    Phase(step="width", number=1, epochs=25, base_lr=2.5e-4, warmup_lr=2.5e-5, subnets=4),
    Phase(
        step="width",
        number=2,
        epochs=120,
        base_lr=2.5e-4,
        warmup_epochs=5,
        warmup_lr=7.5e-5,
        subnets=4,
    ),
)
"""MOOFA's schedule (2024), for 64 images a worker, as published; without warm-up epochs a warm-up's
rate says nothing. The width phases are ours, for supernets that have widths: those of expand again.
"""


def moofa(supernet: Supernet, options: ShrinkingOptions) -> Plan:
    """Progressive shrinking with MOOFA's learning rates.

    How an extracted subnet is continued is not published: as Once-for-All's, at the rate of MOOFA's
    short phases.

    Raises:
        UsageError: the supernet has a dimension that no step opens, or the options make no plan.
    """
    phases = progressive(supernet.space, MOOFA)
    return Plan(
        phases=phases,
        teacher=supernet,
        full=phases,
        finetune=finetune(2.5e-4, options.finetune_epochs),
        source="MOOFA (2024), published training configuration",
    ).changed(options.phases, options.hyper)
