"""What a phase of training came to: for the terminal, for files, and read again by --resume."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from attrs import frozen

from ofa_plugins_core.events import Listener, Notice
from ofa_plugins_core.nn.training import loop
from ofa_plugins_core.phases import Phase


@frozen(eq=False)
class Trained:
    """What one phase came to.

    Attributes:
        phase: as the plan says.
        folder: with its best weights.
        outcome: of the loop.
        seconds: that it took in the run that ended it.
        steps: of all phases up to its end, for trackers.
    """

    phase: Phase
    folder: Path
    outcome: loop.Outcome
    steps: int
    seconds: float = 0.0

    @property
    def interrupted(self) -> bool:
        """Stopped before its end."""
        return self.outcome.interrupted

    def as_dict(self) -> dict[str, Any]:
        """For result.json and done.json."""
        return {
            "phase": self.phase.label,
            "epochs": self.phase.epochs,
            "subnets": self.phase.subnets,
            "subnet_epochs": self.phase.subnet_epochs,
            "steps": self.outcome.steps,
            "seconds": round(self.seconds, 3),
            "best": self.outcome.best,
            "history": list(self.outcome.history),
            "weights": str(self.folder / loop.BEST),
        }

    def row(self) -> list[str]:
        """Of the table."""
        best = self.outcome.best
        mean, epoch = ("", "") if best is None else (f"{best['mean']:.2f}", str(best["epoch"]))
        steps, seconds = f"{self.outcome.steps:,}", f"{self.seconds:.1f}"
        return [self.phase.label, str(self.phase.epochs), steps, seconds, mean, epoch]


def read_done(folder: Path, listener: Listener) -> dict[str, Any] | None:
    """What a finished phase came to; None where its file is broken: the checkpoint says it.

    Args:
        folder: of the phase.
        listener: is told of a broken file.
    """
    path = folder / loop.DONE
    try:
        said = json.loads(path.read_bytes())
        best, history = said["best"], list(said["history"])
        if best is not None:
            top1 = {str(k): float(v) for k, v in best["top1"].items()}
            best = {**best, "mean": float(best["mean"]), "top1": top1}
            best["epoch"] = int(best["epoch"])
        steps, seconds = int(said["steps"]), float(said["seconds"])
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        broken = f"{path} is broken ({error!r:.80}): the phase's last checkpoint is read instead"
        listener(Notice(broken))
        return None
    return {"best": best, "history": history, "steps": steps, "seconds": seconds}
