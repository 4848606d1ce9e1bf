"""A training plan as a plugin yields it: phases, what they share, what they are compared to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from typing import Any

from attrs import asdict, evolve, field, frozen

from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.interfaces import Supernet, TrainingPlan
from ofa_plugins_core.phases import Hyperparameters, Phase
from ofa_plugins_core.values import SearchSpace


@frozen(eq=False, kw_only=True)
class Plan:
    """Phases of a supernet's training, as data; see ``interfaces.TrainingPlan``.

    Attributes:
        phases: in order; the first is the teacher's, where it needs one.
        hyper: what they share.
        teacher: the supernet whose largest network teaches; CompOFA's with fixed kernels is taught
            by a network with the largest ones.
        full: the schedule to which the plan's cost is compared.
        finetune: one extracted subnet, continued.
        source: publication.
    """

    phases: tuple[Phase, ...]
    teacher: Supernet
    full: tuple[Phase, ...]
    finetune: Phase
    source: str
    hyper: Hyperparameters = Hyperparameters()

    def shrunk(self, share: float) -> Plan:
        """Every phase with that share of its epochs; ``full`` stays as it is."""
        phases = tuple(phase.shrunk(share) for phase in self.phases)
        return evolve(self, phases=phases, finetune=self.finetune.shrunk(share))

    def changed(self, changes: Mapping[str, Change]) -> Plan:
        """With what a user wants otherwise; ``full`` stays as it is.

        Args:
            changes: phase -> what changes. Phases go by ``depth_2``, or ``depth`` for all of a
                step; ``finetune`` is one, too.

        Raises:
            UnknownNameError: the plan has no such phase.
        """
        *phases, finetune = changed((*self.phases, self.finetune), changes)
        return evolve(self, phases=tuple(phases), finetune=finetune)


@frozen(kw_only=True)
class Change:
    """What a user wants otherwise in a phase; None: as the plan has it. See ``phases.Phase``."""

    epochs: int | None = None
    base_lr: float | None = None
    warmup_epochs: int | None = None
    warmup_lr: float | None = None
    subnets: int | None = None

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where no phase can be so."""
        for name, least in (("epochs", 1), ("subnets", 1), ("warmup_epochs", 0), ("warmup_lr", 0)):
            value = getattr(self, name)
            if value is not None and not least <= value < float("inf"):
                raise ValueError(f"{name}: must be {least} or more, found {value}")
        if self.base_lr is not None and not 0 < self.base_lr < float("inf"):
            raise ValueError(f"base_lr: must be more than 0, found {self.base_lr}")

    def of(self, phase: Phase) -> Phase:
        """The phase with it.

        Raises:
            UsageError: the warm-up would be as long as the phase.
        """
        given: dict[str, Any] = {k: v for k, v in asdict(self).items() if v is not None}
        found = evolve(phase, **given)
        if found.warmup_epochs >= found.epochs:
            raise UsageError(
                f"{found.label}: {found.warmup_epochs} epochs of warm-up in {found.epochs} epochs",
                advice="warmup_epochs has to be less than epochs",
            )
        return found


@frozen(kw_only=True)
class PlanOptions:
    """What a user can set of any plan; a plugin's own options may inherit it."""

    phases: Mapping[str, Change] = field(
        factory=dict,
        metadata={
            "help": "phase -> its own epochs, base_lr, warmup_epochs, warmup_lr, subnets",
            "example": "'{depth_1: {epochs: 30}}'",
        },
    )


def changed(phases: Sequence[Phase], changes: Mapping[str, Change]) -> tuple[Phase, ...]:
    """Phases with what a user wants otherwise; one phase's own change wins over its step's.

    Raises:
        UnknownNameError: there is no such phase.
        UsageError: a warm-up would be as long as its phase.
    """
    known = {key for phase in phases for key in (phase.step, key_of(phase))}
    for name in changes:
        if name not in known:
            raise UnknownNameError("phase", name, sorted(known))
    out = []
    for phase in phases:
        both = [changes[key] for key in (phase.step, key_of(phase)) if key in changes]
        given = {k: v for c in both for k, v in asdict(c).items() if v is not None}
        out.append(Change(**given).of(phase) if given else phase)
    return tuple(out)


def key_of(phase: Phase) -> str:
    """What a phase goes by in options and files: ``depth_2``; ``teacher`` has no number."""
    return phase.step if phase.alone else f"{phase.step}_{phase.number}"


def phase_of(phases: Sequence[Phase], step: str, number: int | None) -> int:
    """The place of a phase in a plan.

    Args:
        number: None where the step has one phase.

    Raises:
        UsageError: the plan has no such step, or not so many phases of it.
    """
    own = [p.number for p in phases if p.step == step]
    if not own:
        steps = ", ".join(dict.fromkeys(p.step for p in phases))
        raise UsageError(f"this plan has no step {step}; its steps: {steps}")
    if number is None and len(own) > 1:
        raise UsageError(f"--step {step} needs --phase: 1 to {len(own)}")
    if number is not None and number not in own:
        raise UsageError(
            f"--phase {number}: step {step} has {_phases(len(own))} here",
            advice="a step opens one more option a phase: options less one are its phases",
        )
    wanted = own[0] if number is None else number
    return next(i for i, p in enumerate(phases) if (p.step, p.number) == (step, wanted))


def _phases(count: int) -> str:
    return "one phase" if count == 1 else f"phases 1 to {count}"


# ------------------------------------------------------------------------------- no plan


def flaw_of(plan: TrainingPlan, supernet: Supernet) -> str | None:
    """Why a plan cannot be trained by, or None: what a plugin got wrong, before hours are spent."""
    if not plan.phases:
        return "it has no phase"
    found = [numbers_flaw(phase) for phase in (*plan.phases, *plan.full, plan.finetune)]
    found += [hyper_flaw(plan.hyper), *(open_flaw(p, supernet.space) for p in plan.phases)]
    return next(filter(None, found), None)


def numbers_flaw(phase: Phase) -> str | None:
    """Which number of a phase makes no sense, or None."""
    warm = phase.warmup_epochs
    demands: Mapping[str, bool] = {
        f"{phase.epochs} epochs": phase.epochs >= 1,
        f"{phase.subnets} subnets a step": phase.subnets >= 1,
        f"learning rate {phase.base_lr}": 0 < phase.base_lr < inf,
        f"warm-up from {phase.warmup_lr}": 0 <= phase.warmup_lr < inf,
        f"{warm} of {phase.epochs} epochs are warm-up": 0 <= warm < phase.epochs,
        f"sorts as phase {phase.sort}": phase.sort is None or phase.sort >= 0,
        "a sandwich of one subnet": phase.subnets >= 2 or not phase.sandwich,
    }
    broken = next((said for said, met in demands.items() if not met), None)
    return None if broken is None else f"{phase.label}: {broken}"


def hyper_flaw(hyper: Hyperparameters) -> str | None:
    """Which number that the phases share makes no sense, or None."""
    demands: Mapping[str, bool] = {
        f"a batch of {hyper.batch}": hyper.batch >= 1,
        f"momentum is {hyper.momentum}": 0 <= hyper.momentum < 1,
        f"weight_decay is {hyper.weight_decay}": 0 <= hyper.weight_decay < 1,
        f"label_smoothing is {hyper.label_smoothing}": 0 <= hyper.label_smoothing < 1,
        f"kd_ratio is {hyper.kd_ratio}": 0 <= hyper.kd_ratio < inf,
        f"min_scale is {hyper.min_scale}": 0 < hyper.min_scale <= 1,
    }
    return next((said for said, met in demands.items() if not met), None)


def open_flaw(phase: Phase, space: SearchSpace) -> str | None:
    """What a phase opens that a space does not have, or None."""
    return next(_open_flaws(phase, space), None)


def _open_flaws(phase: Phase, space: SearchSpace) -> Iterator[str]:
    keys = {dimension.key for dimension in space.dimensions}
    for key, count in phase.open.items():
        if key not in keys:
            yield f"{phase.label} opens {key}, which is none of {sorted(keys)}"
        if count < 1:
            yield f"{phase.label} opens {count} options of {key}"
