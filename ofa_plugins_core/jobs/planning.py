"""Which phases a training job runs: the plan, what was chosen of it, and what it costs."""

from __future__ import annotations

from typing import Any, Final

from attrs import evolve, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import PlannedSupernet, Supernet, TrainingPlan
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.choosing import entry_options
from ofa_plugins_core.jobs.results import Row
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.phases import Phase
from ofa_plugins_core.plans import phase_of

SMOKE_SUPERNET: Final = "ofa_small"
SMOKE_SIZES: Final = (48, 64)
"""For supernets of larger images."""
SMOKE_STEPS: Final = 20
SMOKE_EPOCHS: Final = 8
"""Of the first phase, which learns from nothing; the others take one."""
SMOKE_BATCH: Final = 32
SMOKE_IMAGES: Final = 100
SMOKE_CALIBRATION: Final = 64


@frozen(eq=False)
class Chosen:
    """What is going to be trained.

    Attributes:
        name: of the plan.
        plan: as its plugin says.
        every: its phases as they are run: shrunk, with the user's epochs.
        finetune: of one subnet, likewise.
        supernet: over the image sizes that were asked for.
        numbers: of the phases that are run, from 0; -1: finetune.
    """

    name: str
    plan: TrainingPlan
    every: tuple[Phase, ...]
    finetune: Phase
    supernet: Supernet
    numbers: tuple[int, ...]

    @property
    def phases(self) -> tuple[Phase, ...]:
        """Those that are run, in order."""
        return tuple(self.phase(n) for n in self.numbers)

    def phase(self, number: int) -> Phase:
        """By its place in the plan; -1: finetune."""
        return self.finetune if number < 0 else self.every[number]

    @property
    def subnet_epochs(self) -> int:
        """Epochs times subnets a step, over the phases that are run."""
        return sum(p.subnet_epochs for p in self.phases)

    @property
    def share(self) -> float:
        """Of the full schedule's subnet-epochs."""
        return self.subnet_epochs / max(1, sum(p.subnet_epochs for p in self.plan.full))


def smoked(options: TrainOptions) -> TrainOptions:
    """The options of a smoke test: minutes instead of days; what the user set stays."""
    if not options.smoke:
        return options
    small = {
        "supernet": SMOKE_SUPERNET,
        "steps": SMOKE_STEPS,
        "batch": SMOKE_BATCH,
        "validate_images": SMOKE_IMAGES,
    }
    unset: dict[str, Any] = {k: v for k, v in small.items() if getattr(options, k) is None}
    calibrate = min(options.calibrate, SMOKE_CALIBRATION)
    shrink = 0.0 if options.shrink == 1 else options.shrink
    return evolve(options, **unset, shrink=shrink, calibrate=calibrate)


def chosen(context: JobContext, options: TrainOptions) -> Chosen:
    """The phases that were asked for.

    Raises:
        UsageError: neither or both of --all and --step, a step or phase that the plan has not.
        UnknownNameError: no such supernet or plan.
    """
    if options.supernet is None:
        raise UsageError("ofa run train needs --supernet NAME", advice="ofa list supernets")
    supernet = context.host.supernet(options.supernet)
    if options.image_sizes is not None:
        supernet = supernet.at(options.image_sizes)
    elif options.smoke and min(supernet.resolutions) > max(SMOKE_SIZES):
        supernet = supernet.at(SMOKE_SIZES)
    elif options.arch is not None:  # one subnet is continued at its own image size
        supernet = supernet.at(read_archs(options.arch, supernet).supernet.resolutions)
    _check_validated(options, supernet)
    name = options.plan or _usual(context, supernet)
    entry = context.host.training_plan(name)
    plan = entry.build(supernet, entry_options(context, entry))
    numbers = _numbers(options, plan)
    every = tuple(_timed(options, p, n in numbers, n == 0) for n, p in enumerate(plan.phases))
    finetune = _timed(options, plan.finetune, -1 in numbers)
    return Chosen(name, plan, every, finetune, supernet, numbers)


def _check_validated(options: TrainOptions, supernet: Supernet) -> None:
    """Images are read for the sizes that are trained on: others would mean nothing."""
    least, most = min(supernet.resolutions), max(supernet.resolutions)
    for size in options.validate_sizes or ():
        if not least <= size <= most:
            raise UsageError(
                f"--validate-sizes: {size} pixels are not among those trained on, {least} to {most}"
            )


def _timed(options: TrainOptions, phase: Phase, run: bool, first: bool = False) -> Phase:
    """A phase with the share of its epochs, or the number of them, that the user wants."""
    if options.epochs is None or not run:
        shrunk = phase if options.shrink == 1 else phase.shrunk(options.shrink)
        few = first and options.smoke and options.shrink == 0
        return evolve(shrunk, epochs=SMOKE_EPOCHS) if few else shrunk
    if options.epochs < 1:
        raise UsageError(f"--epochs: expected a whole number from 1 up, found {options.epochs}")
    warmup = min(phase.warmup_epochs, options.epochs - 1)
    return evolve(phase, epochs=options.epochs, warmup_epochs=warmup)


def _usual(context: JobContext, supernet: Supernet) -> str:
    name = supernet.plan if isinstance(supernet, PlannedSupernet) else None
    if name is not None:
        return name
    known = ", ".join(e.name for e in context.host.entries("training_plans")) or "none"
    raise UsageError(
        f"{supernet.name} names no training plan of its own", advice=f"--plan NAME; known: {known}"
    )


def _numbers(options: TrainOptions, plan: TrainingPlan) -> tuple[int, ...]:
    if options.all == (options.step is not None):
        raise UsageError(
            "train what? give --all for the whole plan, or --step STEP for one",
            advice=f"steps of this plan: {', '.join(p.label for p in plan.phases)}; and finetune",
        )
    if options.all:
        if options.phase is not None:
            raise UsageError("--phase goes with --step, not with --all")
        taught = options.teacher is not None
        return tuple(n for n, p in enumerate(plan.phases) if not (taught and p.step == "teacher"))
    if options.step == "finetune":
        return (-1,)
    return (phase_of(plan.phases, str(options.step), options.phase),)


def plan_table(found: Chosen) -> Row:
    """The plan as a table: what opens, for how long, at which rate, at what cost."""
    rows = [_plan_row(p) for p in found.phases]
    full = sum(p.subnet_epochs for p in found.plan.full)
    title = (
        f"plan {found.name} ({found.plan.source}): {found.subnet_epochs:,} subnet-epochs, "
        f"{found.share:.1%} of the full schedule's {full:,}"
    )
    columns = ("phase", "epochs", "subnets\na step", "subnet-\nepochs", "rate", "warm-up", "open")
    return (title, columns, rows)


def _plan_row(phase: Phase) -> list[str]:
    warm = f"{phase.warmup_epochs} from {phase.warmup_lr:g}" if phase.warmup_epochs else ""
    return [
        phase.label,
        str(phase.epochs),
        str(phase.subnets),
        str(phase.subnet_epochs),
        f"{phase.base_lr:g}",
        warm,
        _open(phase),
    ]


def _open(phase: Phase) -> str:
    if phase.alone:
        return "one network"
    limited = [f"{key}: {count} largest" for key, count in phase.open.items()]
    return ", ".join(limited) or "everything"
