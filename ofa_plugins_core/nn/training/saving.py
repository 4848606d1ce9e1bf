"""Checkpoints of a phase: everything that going on to the bit needs, written whole or not at all.

No generator's state is among it: each random choice is made from the seed, the phase, the epoch and
the step (``phases.draw``, ``samples``, ``steps.seed_of``), so the position says it all.
"""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

import torch
from attrs import evolve, field, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Listener, Notice, silent
from ofa_plugins_core.nn.engines import Engine
from ofa_plugins_core.nn.training.sharing import shared_bytes

FORMAT: Final = "ofa training checkpoint, 1"
NAME: Final = "checkpoint-{:09d}.ckpt"
PATTERN: Final = re.compile(r"checkpoint-(\d{9})\.ckpt")


@frozen
class Position:
    """How far a phase is: what comes next.

    Attributes:
        epoch, step: of the next step, both from 0.
        done: steps of the phase that are done.
    """

    epoch: int = 0
    step: int = 0
    done: int = 0

    def next(self, steps: int) -> Position:
        """After one more step; an epoch has so many."""
        done = self.done + 1
        over = self.step + 1 == steps
        return Position(self.epoch + over, 0 if over else self.step + 1, done)


@frozen(eq=False)
class State:
    """What is kept beside the tensors.

    Attributes:
        position: of the phase.
        of: what is trained on what; a checkpoint of something else is not gone on with.
        best: validation of the best epoch so far, or None.
        history: validations, one an epoch that was validated.
        losses: (sum, steps) of the epoch so far.
    """

    position: Position
    of: Mapping[str, Any]
    best: Mapping[str, Any] | None = None
    history: tuple[Mapping[str, Any], ...] = ()
    losses: tuple[float, int] = (0.0, 0)

    def moved(self, **changes: Any) -> State:
        """With some things changed."""
        return evolve(self, **changes)


@frozen(eq=False)
class Checkpoints:
    """The checkpoints in one folder.

    Attributes:
        folder: of the phase.
        keep: so many of the last are kept.
        listener: is told of those that are broken.
    """

    folder: Path
    keep: int = 2
    listener: Listener = field(default=silent)

    def save(self, state: State, tensors: Mapping[str, Any]) -> None:
        """Write one, and remove what is older than the last few, or of steps still to come.

        Those are broken, or this one would have been made from them: they would count as the last.

        Args:
            tensors: state dicts by name: model, optimiser, scaler.

        Raises:
            InputError: it cannot be written; the older ones stay.
        """
        content = {
            "format": FORMAT,
            "position": [state.position.epoch, state.position.step, state.position.done],
            "of": dict(state.of),
            "best": None if state.best is None else dict(state.best),
            "history": [dict(h) for h in state.history],
            "losses": list(state.losses),
            **tensors,
        }
        place = self.folder / NAME.format(state.position.done)
        with runs.placed(place) as beside:
            try:
                with beside.open("wb") as file:
                    torch.save(content, file)
                    file.flush()
                    os.fsync(file.fileno())  # a rename before the content would outlive a crash
            except RuntimeError as error:  # torch's writer says so where a disk is full
                raise InputError(f"cannot write {self.folder}: {_line(error)}") from error
        found = self.found()
        upto = found[: found.index(place) + 1]
        for gone in (*upto[: -self.keep], *found[len(upto) :]):
            with suppress(OSError):
                gone.unlink()

    def found(self) -> list[Path]:
        """The files, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if PATTERN.fullmatch(p.name))

    def latest(self, of: Mapping[str, Any], engine: Engine) -> tuple[State, dict[str, Any]] | None:
        """The last one that can be read, with its tensors; None where there is none.

        Process 0 reads it, for all workers.

        Args:
            of: what is trained on what, now.

        Raises:
            UsageError: it is of something else.
        """
        read = self._sound() if engine.leads else b""
        whole = shared_bytes(read, engine, f"checkpoint.{self.folder.name}")
        if not whole:
            return None
        content = _read(io.BytesIO(whole))
        state = _state(content)
        runs.refuse_another(self.folder, state.of, of)
        return state, content

    def _sound(self) -> bytes:
        """The bytes of the last one that can be read; none where there is none."""
        for older, path in reversed(list(enumerate(self.found()))):
            try:
                whole = path.read_bytes()
                _state(_read(io.BytesIO(whole)))
            except Exception as error:  # a broken archive raises what its bytes happen to say
                instead = "the one before is taken" if older else "the phase starts anew"
                self.listener(Notice(f"{path} is broken ({_line(error)}): {instead}"))
                continue
            return whole
        return b""


def _read(file: IO[bytes]) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        content: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']!r:.40}")
    return content


def _state(content: Mapping[str, Any]) -> State:
    epoch, step, done = (int(number) for number in content["position"])
    total, count = content["losses"]
    best, parts = content["best"], [content["of"], content["model"], content["optimiser"]]
    if min(epoch, step, done) < 0 or not all(isinstance(part, Mapping) for part in parts):
        raise ValueError("what it holds is no state of a training")
    if best is not None:
        float(best["mean"])
    history = tuple(content["history"])
    return State(Position(epoch, step, done), content["of"], best, history, (float(total), count))


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{lines[0]:.120}" if lines else type(error).__name__
