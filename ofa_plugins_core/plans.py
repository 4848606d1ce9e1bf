"""A training plan as a plugin yields it: phases, what they share, what they are compared to."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.phases import Hyperparameters, Phase


@frozen(eq=False, kw_only=True)
class Plan:
    """Phases of a supernet's training, as data; see ``interfaces.TrainingPlan``.

    Attributes:
        phases: in order; the first is the teacher's.
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
