"""A training plan as a plugin yields it: phases, what they share, what they are compared to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, evolve, field, frozen

from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.phases import Hyperparameters, Phase


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
