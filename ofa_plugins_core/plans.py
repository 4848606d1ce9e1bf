"""A training plan as a plugin yields it: phases, what they share, what they are compared to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final, TypeAlias

from attrs import Attribute, asdict, evolve, field, fields, frozen

from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.interfaces import Supernet, TrainingPlan
from ofa_plugins_core.phases import STEPS, Hyperparameters, Phase
from ofa_plugins_core.values import Number, SearchSpace


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

    def changed(
        self, changes: Mapping[str, Change], hyper: Mapping[str, Number] | None = None
    ) -> Plan:
        """With what a user wants otherwise; ``full`` stays as it is.

        Args:
            changes: phase -> what changes. Phases go by ``depth_2``, or ``depth`` for all of a
                step; ``finetune`` is one, too.
            hyper: name of a hyper-parameter -> its value, of those that change.

        Raises:
            UnknownNameError: the plan has no such phase, or there is no such hyper-parameter.
            UsageError: it could be trained by without the changes, and cannot be with them.
        """
        if not changes and not hyper:
            return self
        *phases, finetune = changed((*self.phases, self.finetune), changes)
        shared = with_hyper(self.hyper, hyper or {})
        found = evolve(self, phases=tuple(phases), finetune=finetune, hyper=shared)
        flaw = plan_flaw(found)
        if flaw is not None and plan_flaw(self) is None:  # else the plugin is to blame
            raise UsageError(flaw, advice="this comes of the plan's options phases and hyper")
        return found


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
        """The phase with it."""
        given: dict[str, Any] = {k: v for k, v in asdict(self).items() if v is not None}
        return evolve(phase, **given)


def with_hyper(hyper: Hyperparameters, given: Mapping[str, Number]) -> Hyperparameters:
    """Hyper-parameters, some of them otherwise.

    Raises:
        UnknownNameError: there is no such one.
    """
    known = [f.name for f in fields(Hyperparameters)]
    for name in given:
        if name not in known:
            raise UnknownNameError("hyper-parameter", name, known)
    changes: dict[str, Any] = dict(given)
    return evolve(hyper, **changes)


def _check_hyper(_: object, __: Attribute[Any], given: Mapping[str, Number]) -> None:
    """Raises ValueError where no plan can be so, UnknownNameError for an unknown name."""
    flaw = hyper_flaw(with_hyper(Hyperparameters(), given))
    if flaw is not None:
        raise ValueError(f"hyper: {flaw}")


@frozen(kw_only=True)
class PlanOptions:
    """What a user can set of any plan; a plugin's own options may inherit it.

    The plan heeds them by ``Plan.changed(options.phases, options.hyper)``.
    """

    phases: Mapping[str, Change] = field(
        factory=dict,
        metadata={
            "help": "phase -> its own epochs, base_lr, warmup_epochs, warmup_lr, subnets",
            "example": "'{depth_1: {epochs: 30}}'",
        },
    )
    hyper: Mapping[str, Number] = field(
        factory=dict,
        validator=_check_hyper,
        metadata={
            "help": "what phases share: "
            "batch, momentum, weight_decay, label_smoothing, kd_ratio, min_scale",
            "example": "'{kd_ratio: 0.5}'",
        },
    )


def changed(phases: Sequence[Phase], changes: Mapping[str, Change]) -> tuple[Phase, ...]:
    """Phases with what a user wants otherwise; one phase's own change wins over its step's.

    Raises:
        UnknownNameError: there is no such phase.
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
    opened = (open_flaw(phase, supernet.space) for phase in plan.phases)
    return plan_flaw(plan) or next(filter(None, opened), None)


def plan_flaw(plan: TrainingPlan) -> str | None:
    """What of ``flaw_of`` shows without the supernet."""
    return whole_flaw(plan) or phases_flaw(plan) or hyper_flaw(plan.hyper) or teacher_flaw(plan)


def whole_flaw(plan: TrainingPlan) -> str | None:
    """Which part of a plan is missing or is something else, or None."""
    if not plan.phases:
        return "it has no phase"
    if not plan.full:
        return "it has nothing to compare its cost to: full is empty"
    if not _is_text(plan.source):
        return f"source is {plan.source!r}: expected the publication"
    parts: tuple[object, ...] = (*plan.phases, *plan.full, plan.finetune)
    for part in parts:
        if not isinstance(part, Phase):
            return f"{part!r:.60} stands where a Phase is due"
    hyper: object = plan.hyper
    return None if isinstance(hyper, Hyperparameters) else f"hyper is {hyper!r:.60}"


def phases_flaw(plan: TrainingPlan) -> str | None:
    """Which phase makes no sense, by itself or where it stands, or None."""
    numbers = (numbers_flaw(phase) for phase in (*plan.phases, *plan.full, plan.finetune))
    return next(filter(None, numbers), None) or order_flaw(plan)


def order_flaw(plan: TrainingPlan) -> str | None:
    """Which phase stands where it cannot, or None."""
    seen: set[tuple[str, int]] = set()
    for place, phase in enumerate(plan.phases):
        if phase.step == "finetune":
            return "finetune is one of its phases: it has a place of its own"
        if phase.step == "teacher" and place > 0:
            return f"teacher is phase {place + 1} of it: it has to be the first"
        if (phase.step, phase.number) in seen:
            return f"two of its phases are {phase.label}"
        seen.add((phase.step, phase.number))
    step = plan.finetune.step
    return None if step == "finetune" else f"the step of its finetune is {step}, not finetune"


def teacher_flaw(plan: TrainingPlan) -> str | None:
    """Why its phases cannot be taught, or None; where nothing is taught, there is no need to."""
    teacher: object = plan.teacher
    taught = plan.hyper.kd_ratio > 0 or any(phase.step == "teacher" for phase in plan.phases)
    if not taught or isinstance(teacher, Supernet):
        return None
    return f"its teacher is {teacher!r:.60}, which is no supernet"


_INT: Final = "a whole number"
_FLOAT: Final = "a number"
_WHOLE: Final = ("number", "epochs", "warmup_epochs", "subnets")
_NUMBERS: Final = ("base_lr", "warmup_lr")


def numbers_flaw(phase: Phase) -> str | None:
    """What of a phase makes no sense by itself, or None."""
    return _type_flaw(phase) or _range_flaw(phase)


def _type_flaw(phase: Phase) -> str | None:
    if phase.step not in STEPS:
        return f"{phase.step!r} is no step; the steps are {', '.join(STEPS)}"
    whole = [*_WHOLE, *(["sort"] if phase.sort is not None else [])]
    for names, fits, due in ((whole, _is_whole, _INT), (_NUMBERS, _is_number, _FLOAT)):
        for name in names:
            if not fits(value := getattr(phase, name)):
                return f"{phase.label}: {name} is {value!r}, not {due}"
    if not isinstance(phase.sandwich, bool):
        return f"{phase.label}: sandwich is {phase.sandwich!r}, not true or false"
    return None


def _range_flaw(phase: Phase) -> str | None:
    warm = phase.warmup_epochs
    demands: Mapping[str, bool] = {
        f"number {phase.number}: they count from 1": phase.number >= 1,
        f"{phase.epochs} epochs": phase.epochs >= 1,
        f"{phase.subnets} subnets a step": phase.subnets >= 1,
        f"{phase.subnets} subnets a step, but it trains one network": (
            phase.subnets == 1 or not phase.alone
        ),
        f"learning rate {phase.base_lr}": 0 < phase.base_lr < inf,
        f"warm-up from {phase.warmup_lr}": 0 <= phase.warmup_lr < inf,
        f"{warm} of {phase.epochs} epochs are warm-up": 0 <= warm < phase.epochs,
        f"sorts as phase {phase.sort}": phase.sort is None or phase.sort >= 0,
        # of two, nothing would ever be drawn: what lies between would stay untrained
        f"a sandwich of {phase.subnets}; largest, smallest and drawn ones are 3 or more": (
            phase.subnets >= 3 or not phase.sandwich
        ),
    }
    broken = next((said for said, met in demands.items() if not met), None)
    return None if broken is None else f"{phase.label}: {broken}"


def hyper_flaw(hyper: Hyperparameters) -> str | None:
    """Which number that the phases share makes no sense, or None."""
    for name, (expected, fits) in _RANGES.items():
        value = getattr(hyper, name)
        due, typed = (_INT, _is_whole) if name == "batch" else (_FLOAT, _is_number)
        if not typed(value):
            return f"{name} is {value!r}, not {due}"
        if not fits(value):
            return f"{name} is {value}: expected {due} {expected}"
    return None


_Range: TypeAlias = tuple[str, Callable[[Number], bool]]
_SHARE: Final[_Range] = ("from 0 up, below 1", lambda value: 0 <= value < 1)
_RANGES: Final[Mapping[str, _Range]] = {
    # as of --batch: batch norm takes the mean of several
    "batch": ("from 2 up", lambda value: 2 <= value < inf),
    "momentum": _SHARE,
    "weight_decay": _SHARE,
    "label_smoothing": _SHARE,
    "kd_ratio": ("from 0 up", lambda value: 0 <= value < inf),
    "min_scale": ("above 0, up to 1", lambda value: 0 < value <= 1),
}
"""What is shared -> the range in words, and whether a number is in it."""


def open_flaw(phase: Phase, space: SearchSpace) -> str | None:
    """What a phase opens, or sorts by, that a space does not have, or None."""
    return next(_open_flaws(phase, space), None)


def _open_flaws(phase: Phase, space: SearchSpace) -> Iterator[str]:
    options = _options(space)
    if not isinstance(phase.open, Mapping):
        yield f"{phase.label}: open is {phase.open!r:.60}, not dimensions and numbers of options"
    for key, count in phase.open.items():
        if key not in options:
            yield f"{phase.label} opens {key}, which is none of {sorted(options)}"
        if not _is_whole(count):
            yield f"{phase.label} opens {count!r} options of {key}: expected {_INT}"
        if count < 1:
            yield f"{phase.label} opens {count} options of {key}"
        if count > options[key]:
            yield f"{phase.label} opens {count} options of {key}, which has {options[key]}"
    most = max(options.values(), default=1)
    if phase.sort is not None and phase.sort >= most:
        yield f"{phase.label} sorts as phase {phase.sort}: no dimension has so many options"


def _options(space: SearchSpace) -> dict[str, int]:
    """Dimension -> most options of one of its genes; 1 where none is free."""
    own = {
        dimension.key: [int(space.sizes[e]) for e in dimension.entries if isinstance(e, int)]
        for dimension in space.dimensions
    }
    return {key: max(sizes, default=1) for key, sizes in own.items()}


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
