"""CompOFA's training plan: depth and expand ratio at once."""

from __future__ import annotations

from typing import Final

from attrs import evolve

from compofa.networks import CompoundRow
from ofa_mit import RowSupernet, mobile_supernet
from ofa_mit.plan_options import ShrinkingOptions
from ofa_mit.plans import finetune
from ofa_mit.schedules import OFA, progressive
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.phases import Hyperparameters, Phase
from ofa_plugins_core.plans import Plan

BATCH: Final = 256
"""Images a worker for which the learning rates are meant."""

SHORT: Final = 0.08 * BATCH / 2048
"""Learning rate of the short phase: 0.08 for 2,048 images."""

LONG: Final = 0.24 * BATCH / 2048
"""Learning rate of the long phase: 0.24 for 2,048 images."""

COMPOUND: Final = (
    Phase(step="compound", number=1, epochs=25, base_lr=SHORT, subnets=4),
    Phase(
        step="compound",
        number=2,
        epochs=120,
        base_lr=LONG,
        warmup_epochs=5,
        warmup_lr=LONG / 10,
        subnets=4,
    ),
)
"""As published (CompOFA, ICLR 2021), but for the rate where the warm-up begins: a tenth, as OFA's
here."""


def compofa(supernet: Supernet, options: ShrinkingOptions) -> Plan:
    """A teacher, then everything that is open at once, in two phases.

    Its cost is compared to progressive shrinking of the same network without the coupling. With
    fixed kernels the teacher is that network, too, whose kernels are the largest. The teacher's
    phase is Once-for-All's, its rate for as many images as the others' here; how a subnet is
    continued is not published: at the rate of the short phase.

    Raises:
        UsageError: the supernet has a dimension that progressive shrinking does not open, or the
            options make no plan.
    """
    free = uncoupled(supernet)
    full = progressive(free.space, OFA)
    teacher = evolve(full[0], base_lr=full[0].base_lr * BATCH / Hyperparameters().batch)
    return Plan(
        phases=(teacher, *COMPOUND),
        hyper=Hyperparameters(batch=BATCH),
        teacher=free if _fixes_kernels(supernet) else supernet,
        full=full,
        finetune=finetune(SHORT, options.finetune_epochs),
        source="CompOFA (ICLR 2021), section 3",
    ).changed(options.phases, options.hyper)


def uncoupled(supernet: Supernet) -> Supernet:
    """The same network with free kernels, depths and expand ratios; another's supernet as it is."""
    if not isinstance(supernet, RowSupernet) or not isinstance(supernet.row, CompoundRow):
        return supernet
    free = mobile_supernet(f"{supernet.name}+uncoupled", supernet.row)
    return free.at(supernet.resolutions)


def _fixes_kernels(supernet: Supernet) -> bool:
    return any(dimension.fixed for dimension in supernet.space.dimensions)
