"""Which files a phase starts from and is taught by, and whether they are of the right phase."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.networks import find_weights
from ofa_plugins_core.jobs.planning import Chosen
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.nn.checkpoints import about_of
from ofa_plugins_core.nn.training.loop import BEST
from ofa_plugins_core.phases import Phase

FRESH: Final = "fresh"
"""For ``--weights``: none; they are drawn with the seed."""


class Done(Protocol):
    """A phase of this run that is done."""

    @property
    def phase(self) -> Phase:
        """As the plan says."""

    @property
    def folder(self) -> Path:
        """With its best weights."""


@frozen(eq=False)
class Files:
    """The files that a run's phases begin with.

    Attributes:
        context, options, found: of the job.
        leads: this is the process that reads them; the others need not have them.
    """

    context: JobContext
    options: TrainOptions
    found: Chosen
    leads: bool

    def start(self, number: int, before: Sequence[Done]) -> Path | None:
        """The file that a phase starts from; None for fresh weights.

        Args:
            number: of the phase in the plan; -1: finetune.
            before: the phases of this run that came before it.

        Raises:
            UsageError: none is given, or it is of too early a phase.
            InputError: it is not there.
        """
        if before:
            return before[-1].folder / BEST
        phase, options = self.found.phase(number), self.options
        if options.weights == FRESH or (options.weights is None and number == 0):
            return None
        named = options.weights or (options.teacher if self._follows_teacher(number) else None)
        if named is None:
            raise UsageError(
                f"{phase.label} starts from the weights of {self._previous(number)}",
                advice="--weights FILE, or fresh; or --all, to train the whole plan",
            )
        path = self._weights(named)
        if phase.step == "teacher":
            return path
        self._check_order(number, path)
        return path

    def _follows_teacher(self, number: int) -> bool:
        """Whether a phase goes on with the teacher itself."""
        return number > 0 and self.found.every[number - 1].step == "teacher"

    def _weights(self, named: str | Path) -> Path:
        """A file that the first process reads; the others need not have it."""
        if not self.leads:
            return Path(named)
        flag = "--weights" if str(named) == self.options.weights else "--teacher"
        fresh = "; or --weights fresh" if flag == "--weights" else ""
        ways = f"{flag} FILE; or `ofa weights fetch NAME`, then {flag} NAME{fresh}"
        return find_weights(str(named), ways)

    def _previous(self, number: int) -> str:
        if number < 0:
            return "a trained supernet"
        return self.found.every[number - 1].label if number else "nothing"

    def _check_order(self, number: int, path: Path) -> None:
        """Refuse a file that says of itself that it is of too early a phase.

        Raises:
            UsageError: it is.
        """
        if not self.leads:
            return
        said = about_of(path)
        labels = [p.label for p in self.found.every]
        at = said.get("label")
        if at not in labels:
            self.context.listener(
                Notice(f"{path} does not say which phase it is of: taken as it is")
            )
            return
        wanted = len(labels) - 1 if number < 0 else number - 1
        if labels.index(at) < wanted:
            raise UsageError(
                f"{self.found.phase(number).label} comes after {labels[wanted]}; {path} is of {at}",
                advice=f"train {labels[labels.index(at) + 1]} first, or give --weights FILE with "
                f"those of {labels[wanted]}",
            )

    def teacher(self, phase: Phase, before: Sequence[Done], start: Path | None) -> Path | None:
        """The file of the network that teaches a phase; None where none does.

        Raises:
            UsageError: it needs one, and none is given.
            InputError: it is not there.
        """
        if self.options.teacher is not None:
            return self._weights(self.options.teacher)
        own = next((t for t in before if t.phase.step == "teacher"), None)
        if own is not None:
            return own.folder / BEST
        if phase.step == "finetune":
            return None
        steps = [p.step for p in self.found.every]
        first = steps.index("teacher") + 1 if "teacher" in steps else 0
        if start is not None and self.found.every[first] == phase:
            return start  # what the first phase starts from is the teacher itself
        raise UsageError(
            f"{phase.label} is taught by the trained largest network",
            advice="--teacher FILE: the weights of the teacher's phase",
        )
