"""The job ``ofa run train``: a supernet's plan, phase by phase; or one phase; or one subnet."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import as_yaml
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.events import Notice, Progress, silent
from ofa_plugins_core.jobs.networks import needs_torch
from ofa_plugins_core.jobs.planning import Chosen, chosen, plan_table, smoked
from ofa_plugins_core.jobs.results import INTERRUPTED, Row
from ofa_plugins_core.jobs.train_options import TrainOptions

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.trained import Trained  # noqa: TC004 - loads torch
    from ofa_plugins_core.jobs.training import Training
    from ofa_plugins_core.nn.engines import Engine

WEIGHTS: Final = "weights.pth"
LIBRARIES: Final = {"tensorboard": ("tensorboardX", "torch"), "wandb": ("wandb", "wandb")}
"""Tracker -> its library, and the extra that brings it."""


@frozen(eq=False)
class TrainResult:
    """What was trained.

    Attributes:
        run: its folder.
        found: the plan and what was chosen of it.
        phases: what each came to, in order; fewer than chosen where it was interrupted.
        about: supernet, data, engine: what all phases share.
        finished: what was made of the weights afterwards: predictor data, fit, search, file.
    """

    run: Path | None
    found: Chosen
    phases: Sequence[Trained]
    about: dict[str, Any]
    finished: dict[str, Any] | None = None

    @property
    def interrupted(self) -> bool:
        """Stopped before the end."""
        return bool(self.phases) and self.phases[-1].interrupted

    @property
    def validated(self) -> bool:
        """Whether there is anything to draw."""
        return any(phase.outcome.history for phase in self.phases)

    @property
    def exit_code(self) -> int:
        """Of the command."""
        return INTERRUPTED if self.interrupted else 0

    @property
    def weights(self) -> str | None:
        """The file with the result."""
        done = self.run is not None and not self.interrupted and self.phases
        return str(Path(str(self.run)) / WEIGHTS) if done else None

    def as_json(self) -> dict[str, Any]:
        """As ``--json`` prints it and result.json holds it."""
        found: dict[str, Any] = {"run": None if self.run is None else str(self.run), **self.about}
        if self.interrupted:
            found["interrupted"] = True
        found |= {
            "plan": self.found.name,
            "subnet_epochs": self.found.subnet_epochs,
            "share_of_full_schedule": round(self.found.share, 6),
            "weights": self.weights,
            "phases": [p.as_dict() for p in self.phases],
        }
        return found if self.finished is None else {**found, "finished": self.finished}

    def as_tables(self) -> list[Row]:
        """For the terminal: each phase, and the last one's subnets."""
        rows = [p.row() for p in self.phases]
        columns = ("phase", "epochs", "steps", "seconds", "best mean\ntop-1, %", "of epoch")
        tables: list[Row] = [(self._title(), columns, rows)]
        last = self.phases[-1].outcome.best if self.phases else None
        if last is not None:
            best = [[name, f"{value:.2f}"] for name, value in last["top1"].items()]
            tables.append(("subnets of the result", ("subnet@size", "top-1, %\nmeasured"), best))
        if self.finished is not None:
            tables.append(("afterwards", ("", ""), [[k, str(v)] for k, v in self.finished.items()]))
        return tables

    def _title(self) -> str:
        said = self.about
        where = f"{said['workers']} {'worker' if said['workers'] == 1 else 'workers'}"
        line = f"{said['supernet']} · {said['data']} · {said['engine']}, {where}"
        return line + (" · interrupted: --resume goes on" if self.interrupted else "")


@frozen(eq=False)
class PlanResult:
    """A plan that is shown and not run."""

    found: Chosen
    worth_keeping: bool = False

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        found = self.found
        return {
            "supernet": found.supernet.name,
            "plan": found.name,
            "source": found.plan.source,
            "subnet_epochs": found.subnet_epochs,
            "share_of_full_schedule": round(found.share, 6),
            "phases": [_phase_dict(p) for p in found.phases],
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        return [plan_table(self.found)]


def _phase_dict(phase: Any) -> dict[str, Any]:
    from ofa_plugins_core.config import plain

    return {"phase": phase.label, **plain(phase), "subnet_epochs": phase.subnet_epochs}


def run_train(context: JobContext, options: TrainOptions) -> TrainResult | PlanResult | None:
    """Train; None in a process that only helps the first.

    Raises:
        UsageError: options that do not fit together, or that the plan or the data cannot meet.
        InputError: data or weights are missing or broken, or nothing can be written.
        DivergedError: the loss is no number any more.
        PeerLostError: another worker has ended.
        MissingExtraError: torch, or Horovod, is not installed.
    """
    options = smoked(options)
    check(options)
    found = chosen(context, options)
    if options.show:
        return PlanResult(found)
    needs_torch("ofa run train")
    from ofa_plugins_core.nn import evaluating
    from ofa_plugins_core.nn.engines import joined

    compress = "fp16" if options.fp16_compression else "none"
    with (
        joined(options.device, options.engine, compress) as engine,  # type: ignore[arg-type]
        evaluating.threads(options.threads),
    ):
        told = context if engine.leads else evolve(context, listener=silent)
        options = evolve(options, track=_trackable(told, options))
        result = _trained(told, options, found, engine)
    if result is None or not engine.leads:
        return None
    if result.interrupted or not _finishes(options):
        return result
    from ofa_plugins_core.jobs.finishing import finished

    return evolve(result, finished=finished(context, options, result))


def _trackable(context: JobContext, options: TrainOptions) -> Any:
    """What is tracked: of the trackers that nobody asked for, those that are installed.

    Raises:
        MissingExtraError: one that was asked for is not.
    """
    usual = options.track == TrainOptions().track
    kept = []
    for name in options.track:
        library, extra = LIBRARIES.get(name, (None, ""))
        if library is None or find_spec(library) is not None:
            kept.append(name)
        elif usual:
            context.listener(Notice(f"{name} is left out: {library} is not installed"))
        else:
            raise MissingExtraError(f"--track {name}", "ofa-plugins-core", extra)
    return tuple(kept)


def _finishes(options: TrainOptions) -> bool:
    return options.all and (options.smoke if options.finish is None else options.finish)


def check(options: TrainOptions) -> None:
    """Refuse numbers that make no sense, before anything is loaded.

    Raises:
        UsageError: names the flag and what was found.
    """
    least = {"batch": 2, "accumulate": 1, "images": 1, "steps": 1, "validate_images": 1}
    least |= {"validate_every": 1, "calibrate": 2, "workers": 0, "keep": 1, "save_every": 1}
    least |= {"threads": 1}
    for name, bound in least.items():
        value = getattr(options, name)
        if value is not None and value < bound:
            flag = f"--{name.replace('_', '-')}"
            raise UsageError(f"{flag}: expected a whole number from {bound} up, found {value}")
    if not 0 <= options.shrink <= 1:
        raise UsageError(f"--shrink: expected a share from 0 to 1, found {options.shrink}")
    if not 0 < options.lr_scale < float("inf"):
        raise UsageError(f"--lr-scale: expected a number above 0, found {options.lr_scale}")
    if (options.step == "finetune") != (options.arch is not None):
        raise UsageError(
            "--step finetune continues one subnet: it needs --arch FILE, others do not"
        )
    if options.finish and not options.all:
        raise UsageError("--finish goes with --all: one step is not the whole plan")
    if options.precision == "fp16" and options.device == "cpu":
        raise UsageError("--precision fp16 is for GPUs", advice="bf16 works on CPUs, too")


def _trained(
    context: JobContext, options: TrainOptions, found: Chosen, engine: Engine
) -> TrainResult | None:
    from ofa_plugins_core.jobs.training import Training, place_of

    out = place_of(context, engine)
    if engine.leads:
        _announce(context, found)
    with _begun(context, out, engine.leads):
        training = Training.of(context, options, found, engine, out)
        return _phases(context, found, engine, training)


@contextmanager
def _begun(context: JobContext, out: Path, leads: bool) -> Iterator[None]:
    """The configuration in its place, for ``--resume`` after a kill at any moment.

    A mistake that is found before anything is trained leaves the place free again.
    """
    kept = out / runs.CONFIG
    new = leads and not kept.exists()
    if leads:
        runs.write(kept, as_yaml(context.configuration))
    try:
        yield
    except (UsageError, InputError):
        if new:
            _free(out)
        raise


def _free(out: Path) -> None:
    """Remove what a run has made that has trained nothing; what others have put there stays."""
    from ofa_plugins_core.jobs.training import PHASES
    from ofa_plugins_core.nn.training.tracking import BOARD, TABLE

    if any(out.glob(f"{PHASES}/*/*")):
        return
    with suppress(OSError):
        for name in (runs.CONFIG, TABLE):
            (out / name).unlink(missing_ok=True)
        for name in (BOARD, PHASES):
            shutil.rmtree(out / name, ignore_errors=True)
        out.rmdir()


def _phases(
    context: JobContext, found: Chosen, engine: Engine, training: Training
) -> TrainResult | None:
    out = training.out
    phases: list[Trained] = []
    for number in found.numbers:
        context.listener(Progress("phase", len(phases), len(found.numbers)))
        phases.append(training.phase(number, phases))
        if phases[-1].interrupted:
            break
        training.close(phases[-1])
    result = TrainResult(out, found, phases, training.about())
    if not result.interrupted and engine.leads:
        training.place_weights(phases[-1], out / WEIGHTS)
    engine.meet()
    return result


def _announce(context: JobContext, found: Chosen) -> None:
    """The plan, before hours are spent on it."""
    title, _, rows = plan_table(found)
    context.listener(Notice(title))
    for label, epochs, subnets, cost, rate, warm, opened in rows:
        warmed = f", warm-up {warm}" if warm else ""
        cost = f"epochs {epochs} × subnets {subnets} = {cost}"
        said = f"{cost}, rate {rate}{warmed}; {opened}"
        context.listener(Notice(f"  {label}: {said}"))
