"""The loop of one phase: steps, validation after epochs, checkpoints, and the best kept."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import torch
from attrs import define, field, frozen
from torch import nn

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.errors import InputError, OfaError
from ofa_plugins_core.events import Listener, Notice, Progress, silent
from ofa_plugins_core.nn.checkpoints import about_of, read_state, write_state
from ofa_plugins_core.nn.training.samples import TrainingImages
from ofa_plugins_core.nn.training.saving import Checkpoints, Position, State
from ofa_plugins_core.nn.training.schedule import learning_rate
from ofa_plugins_core.nn.training.sharing import average_statistics, shared
from ofa_plugins_core.nn.training.steps import Stepper, seed_of
from ofa_plugins_core.nn.training.tracking import Tracker
from ofa_plugins_core.phases import Phase, draw
from ofa_plugins_core.values import ArchLike, SearchSpace

BEST: Final = "best.pth"
DONE: Final = "done.json"
READ_EVERY: Final = 0.5
"""Seconds between readings of the loss that are shown."""


class DivergedError(OfaError):
    """The loss is no number any more; the last good checkpoint is kept."""

    exit_code = 2


@frozen(eq=False)
class Pace:
    """How often what is done.

    Attributes:
        steps_most: steps of an epoch at most, None for all; a smoke test takes few.
        save_every: steps between checkpoints, besides those at the ends of epochs.
        validate_every: epochs between validations; the last is always validated.
        keep: checkpoints that are kept.
    """

    steps_most: int | None = None
    save_every: int = 500
    validate_every: int = 1
    keep: int = 2


@frozen(eq=False)
class Course:
    """What a phase trains, and with what.

    Attributes:
        phase: as the plan says. number: its place in the plan, from 0.
        seed: of every random choice.
        stepper: the network and its optimiser.
        images: to train on.
        sizes: of images, pixels.
        space: of the subnets, or None for a network that stands alone.
        rate: the plan's learning rates times this.
        validate: () -> ``{"top1": {…}, "mean": percent}``.
        published: () -> tensors under their published names, for the file of the best.
        about: what that file says of itself.
        of: what is trained on what: checkpoints of something else are refused.
        folder: of the phase.
        pace, listener: how it goes, and who is told.
        tracker: (steps of the phase that are done) -> what the rest is tracked with.
        origin: steps of the phases before, for trackers.
    """

    phase: Phase
    number: int
    seed: int
    stepper: Stepper
    images: TrainingImages
    sizes: Sequence[int]
    space: SearchSpace | None
    rate: float
    validate: Callable[[], Mapping[str, Any]]
    published: Callable[[], Mapping[str, torch.Tensor]]
    about: Mapping[str, Any]
    of: Mapping[str, Any]
    folder: Path
    pace: Pace
    tracker: Callable[[int], Tracker]
    listener: Listener = silent
    origin: int = 0

    @property
    def steps(self) -> int:
        """Of an epoch."""
        most = self.pace.steps_most
        return self.images.steps if most is None else min(most, self.images.steps)


@frozen(eq=False)
class Outcome:
    """What a phase came to.

    Attributes:
        best: validation of the epoch that is kept; None where nothing was validated.
        history: all validations.
        steps: that were made, in this run and in those it went on with.
        interrupted: it stopped before its end; a checkpoint is kept.
    """

    best: Mapping[str, Any] | None
    history: Sequence[Mapping[str, Any]]
    steps: int
    interrupted: bool = False


@define(eq=False)
class Loop:
    """Runs a phase from where it stands to its end."""

    course: Course
    state: State = field(init=False)
    checkpoints: Checkpoints = field(init=False)
    tracker: Tracker = field(init=False)

    def __attrs_post_init__(self) -> None:
        course = self.course
        self.state = State(Position(), plain(dict(course.of)))
        self.checkpoints = Checkpoints(course.folder, course.pace.keep, course.listener)

    def run(self) -> Outcome:
        """Train to the end, or until the user interrupts.

        Raises:
            DivergedError: the loss is no number; the last good checkpoint stays.
            InputError: a checkpoint cannot be written.
            PeerLostError: another worker has ended.
        """
        self._resume()
        self.tracker = self.course.tracker(self.state.position.done)
        try:
            with _interruptible(self.course.stepper.runner.engine.count == 1) as asked:
                for number in range(self.state.position.epoch, self.course.phase.epochs):
                    if not self._epoch(number, asked):
                        return self._outcome(interrupted=True)
        finally:
            self.tracker.close()
        return self._outcome()

    # ------------------------------------------------------------------------ an epoch

    def _epoch(self, number: int, asked: Callable[[], bool]) -> bool:
        """The rest of an epoch, its validation and its checkpoint; False: interrupted.

        Asked for in the last step or while it was validated, the end comes after both: a plan does
        not go on with its next phase then.
        """
        course, start = self.course, self.state.position.step
        course.stepper.network.train()
        batches = course.images.epoch(number, course.sizes, start)
        shown = time.monotonic()
        for step in range(start, course.steps):
            loss = self._step(number, step, next(batches))
            if time.monotonic() - shown > READ_EVERY:
                self._show(number, step + 1, loss)
                shown = time.monotonic()
            if step + 1 < course.steps:
                if asked():
                    self._save()
                    return False
                if self.state.position.done % course.pace.save_every == 0:
                    self._save()
        close = getattr(batches, "close", None)
        if close is not None:
            close()  # an epoch that was cut short leaves readers behind otherwise
        self._finish(number)
        return not asked()

    def _step(self, number: int, step: int, blocks: Sequence[Any]) -> float:
        course, position = self.course, self.state.position
        rate = course.rate * learning_rate(course.phase, course.steps, position.done)
        for group in course.stepper.optimiser.param_groups:
            group["lr"] = rate
        key = (course.seed, course.number, number, step)
        seeds = [seed_of(*key, block) for block in course.images.mine]
        loss = course.stepper.step(self._archs(key), blocks, seeds)
        if not math.isfinite(loss):
            raise self._diverged(number, step, loss)
        total, count = self.state.losses
        self.state = self.state.moved(
            position=position.next(course.steps), losses=(total + loss, count + 1)
        )
        self.tracker.log(course.origin + position.done + 1, {"loss": loss, "rate": rate})
        return loss

    def _archs(self, key: Sequence[int]) -> Sequence[ArchLike | None]:
        space = self.course.space
        if space is None:
            return [None]
        return space.decode(draw(space, self.course.phase, key))

    def _show(self, number: int, done: int, loss: float) -> None:
        course = self.course
        label, epochs = course.phase.label, course.phase.epochs
        course.listener(Progress(label, number, epochs, "epochs"))
        course.listener(Progress(f"{label}: step", done, course.steps, f"loss {loss:.3f}"))

    def _diverged(self, number: int, step: int, loss: float | None = None) -> DivergedError:
        """Of a step, both counted from 0; with a loss that is no number, or such weights."""
        what = "weights are no numbers" if loss is None else f"the loss is {loss}"
        kept = self.checkpoints.found()
        where = f"{kept[-1]} is the last good checkpoint" if kept else "no checkpoint was written"
        return DivergedError(
            f"{what} in {self.course.phase.label}, epoch {number + 1}, "
            f"step {step + 1}: training has diverged; {where}",
            advice="a smaller --lr-scale into another --out, --precision bf16 or fp32, or going "
            "without --fp16-compression may help",
        )

    # ------------------------------------------------------------------------ its end

    def _finish(self, number: int) -> None:
        """Validate, keep the best, write a checkpoint."""
        course, state = self.course, self.state
        self._check_sound()
        average_statistics(course.stepper.network, course.stepper.runner.engine)
        total, count = state.losses
        values = {"epoch": number + 1, "train_loss": total / max(1, count)}
        last, best = number + 1 == course.phase.epochs, False
        if last or (number + 1) % course.pace.validate_every == 0:
            found = {**values, **course.validate()}
            best = self._judged(found)
            values |= {f"top1_{name}": v for name, v in found["top1"].items()}
            values["top1_mean"] = found["mean"]
        self.tracker.log(course.origin + state.position.done, values)
        self.state = self.state.moved(losses=(0.0, 0))
        self._save(averaged=True)
        if best:  # after the checkpoint, which can make this file again
            self._write_best()

    def _judged(self, found: Mapping[str, Any]) -> bool:
        """Remember a validation; whether it is the best so far."""
        before = self.state.best
        better = before is None or found["mean"] > before["mean"]
        history = (*self.state.history, found)
        self.state = self.state.moved(best=found if better else before, history=history)
        return better

    def _write_best(self) -> None:
        course, best = self.course, self.state.best
        if best is not None and course.stepper.runner.engine.leads:
            about = {**course.about, "epoch": best["epoch"], "mean": best["mean"]}
            write_state(course.folder / BEST, course.published(), about=about)

    # ------------------------------------------------------------------------ checkpoints

    def _save(self, averaged: bool = False) -> None:
        stepper = self.course.stepper
        if not averaged:
            self._check_sound()
            average_statistics(stepper.network, stepper.runner.engine)
        if stepper.runner.engine.leads:
            tensors = {
                "model": stepper.network.state_dict(),
                "optimiser": stepper.optimiser.state_dict(),
                "scaler": stepper.scaler.state_dict(),
            }
            self.checkpoints.save(self.state, tensors)
        stepper.runner.engine.meet()

    def _check_sound(self) -> None:
        """Refuse to keep weights that are no numbers: the loss tells of them one step late.

        Raises:
            DivergedError: some are not finite; all workers have the same weights.
        """
        network, position = self.course.stepper.network, self.state.position
        if not all(bool(p.isfinite().all()) for p in network.parameters()):
            steps = self.course.steps
            raise self._diverged((position.done - 1) // steps, (position.done - 1) % steps)

    def _resume(self) -> None:
        """Go on with the last good checkpoint, where there is one."""
        course = self.course
        stepper = course.stepper
        found = self.checkpoints.latest(plain(dict(course.of)), stepper.runner.engine)
        if found is None:
            return
        self.state, tensors = found
        try:
            stepper.network.load_state_dict(tensors["model"])
            stepper.optimiser.load_state_dict(tensors["optimiser"])
            stepper.scaler.load_state_dict(tensors["scaler"])
        except (RuntimeError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(
                f"the last checkpoint in {course.folder} does not fit: {error!s:.200}",
                advice="remove it: --resume then goes on with the one before",
            ) from error
        self._mend_best()
        position = self.state.position
        said = f"{course.phase.label} goes on after {position.done:,} steps"
        course.listener(Notice(said))

    def _mend_best(self) -> None:
        """Write the best again where it did not come to the disk, or was lost since.

        Of an epoch before the last one its weights are nowhere else: then those that the checkpoint
        has, if they were validated, take its place, or else the best of the epochs to come.
        """
        engine, best = self.course.stepper.runner.engine, self.state.best
        lost = best is not None and engine.leads and not is_best(self.course.folder, best["epoch"])
        if best is None or not shared(lost, engine, "best is lost"):
            return
        position, last = self.state.position, self.state.history[-1]
        here = (position.epoch, position.step) == (last["epoch"], 0)
        if not here or last["epoch"] != best["epoch"]:
            said = f"{self.course.folder / BEST}, of epoch {best['epoch']}, is lost"
            next_best = f"epoch {last['epoch']} takes its place" if here else "a later one will do"
            self.course.listener(Notice(f"{said}: {next_best}"))
        self.state = self.state.moved(best=last if here else None)
        self._write_best()

    def _outcome(self, interrupted: bool = False) -> Outcome:
        state = self.state
        return Outcome(state.best, state.history, state.position.done, interrupted)


@contextmanager
def _interruptible(alone: bool) -> Iterator[Callable[[], bool]]:
    """Ctrl-C ends the loop after the step that is being made; a second one ends it at once.

    Several workers are not asked: they would stop at different steps. Their last checkpoint stays.
    """
    stopped = threading.Event()
    if not alone or threading.current_thread() is not threading.main_thread():
        yield stopped.is_set
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if stopped.is_set():
            raise KeyboardInterrupt
        stopped.set()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield stopped.is_set
    finally:
        signal.signal(signal.SIGINT, before)


def finished(folder: Path) -> bool:
    """Whether a phase's folder says that it is done, and holds what came of it."""
    return (folder / DONE).is_file() and is_best(folder)


def is_best(folder: Path, epoch: int | None = None) -> bool:
    """Whether a phase's best weights are there and sound; of an epoch, counted from 1, if given."""
    file = folder / BEST
    try:
        read_state(file)
        return epoch is None or about_of(file).get("epoch") == epoch
    except InputError:
        return False


def finish(folder: Path, summary: str) -> None:
    """Mark a phase as done."""
    runs.write(folder / DONE, summary)


def frozen_teacher(network: nn.Module) -> nn.Module:
    """A network that teaches: in evaluation mode, without gradients."""
    return network.eval().requires_grad_(False)
