"""Which phases a training job runs: the plan, what was chosen of it, and what it costs."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, evolve, frozen

from ofa_plugins_core.entries import JobContext, TrainingPlanEntry
from ofa_plugins_core.errors import PluginError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.handing import Guarded
from ofa_plugins_core.interfaces import PlannedSupernet, Supernet, TrainingPlan
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.choosing import entry_options
from ofa_plugins_core.jobs.results import Row
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.phases import Hyperparameters, Phase
from ofa_plugins_core.plans import PlanOptions, phase_of, with_hyper
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.reduction.together import chosen_together
from ofa_plugins_core.words import counted

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
        plan: as its plugin says, with the user's options.
        every: its phases as they are run: shrunk, with the user's epochs.
        finetune: of one subnet, likewise.
        supernet: over the image sizes that were asked for.
        numbers: of the phases that are run, from 0; -1: finetune.
        usual: the hyper-parameters of the plan where the user sets none.
    """

    name: str
    plan: TrainingPlan
    every: tuple[Phase, ...]
    finetune: Phase
    supernet: Supernet
    numbers: tuple[int, ...]
    usual: Hyperparameters = Hyperparameters()

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
        PluginError: nobody can train by the plan, or it leaves the user's hyper-parameters out.
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
    plan, usual = _planned(context, entry, supernet)
    _tell_unused(context, entry.name)
    _tell_together(context, supernet)
    numbers = _numbers(options, plan)
    every = tuple(_timed(options, p, n in numbers, n == 0) for n, p in enumerate(plan.phases))
    finetune = _timed(options, plan.finetune, -1 in numbers)
    return Chosen(name, plan, every, finetune, supernet, numbers, usual)


def _planned(
    context: JobContext, entry: TrainingPlanEntry, supernet: Supernet
) -> tuple[TrainingPlan, Hyperparameters]:
    """The plan, and the hyper-parameters that it has without the user's."""
    options = entry_options(context, entry)
    plan: TrainingPlan = entry.build(supernet, options)
    if not isinstance(options, PlanOptions) or not options.hyper:
        return plan, plan.hyper
    usual = entry.build(supernet, evolve(options, hyper={})).hyper
    if plan.hyper != with_hyper(usual, options.hyper):
        owner = f"{entry.build.plugin.label}: " if isinstance(entry.build, Guarded) else ""
        raise PluginError(
            f"{owner}training plan {entry.name!r} leaves its option hyper out",
            advice="it has to end with .changed(options.phases, options.hyper)",
        )
    return plan, usual


def _tell_together(context: JobContext, supernet: Supernet) -> None:
    """Tell where a plan has no phases for what a smaller space does not choose one by one."""
    if not isinstance(supernet, ReducedSupernet):
        return
    keys, count = chosen_together(supernet)
    if keys:
        said = (
            f"{supernet.name} chooses {' and '.join(keys)} together at {counted(count, 'block')}: "
            "there all that is left is open from the first elastic phase on, and phases that "
            "would open only one of them are left out"
        )
        context.listener(Notice(said))


def _tell_unused(context: JobContext, name: str) -> None:
    """Tell which options are of a plan that is not the one that runs."""
    plans = {entry.name for entry in context.host.entries("training_plans")}
    for other in sorted(plans.intersection(context.settings) - {name}):
        context.listener(Notice(f"the options of {other} have no effect: the plan is {name}"))


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
        f"{found.share:.1%} of the full schedule's {full:,}{_otherwise(found)}"
    )
    columns = ("phase", "epochs", "subnets\na step", "subnet-\nepochs", "rate", "warm-up", "open")
    return (title, columns, rows)


def _otherwise(found: Chosen) -> str:
    """The hyper-parameters that the user has set otherwise."""
    usual = asdict(found.usual)
    ours = {k: v for k, v in asdict(found.plan.hyper).items() if v != usual[k]}
    return "".join(f"; {key} {value:g} instead of {usual[key]:g}" for key, value in ours.items())


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
