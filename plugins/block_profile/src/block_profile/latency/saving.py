"""What a training of the sequence model goes on with after an interruption: one file in its folder.

It is numbers alone: torch reads it without running anything of it.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from attrs import asdict

from block_profile.latency.options import SequenceOptions
from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.latency_fits import LatencyTask

FILE: Final = "sequence.pt"
SECONDS: Final = 60.0
"""Between two files: what is lost where the process is killed."""
FREE: Final = ("epochs", "threads")
"""Options that may change on the way."""


class Saved:
    """The file of one training.

    Args:
        task: that is fitted to; without a folder nothing is kept.

    Attributes:
        found: what was kept before, where the task is to go on with it: epoch, model, adam, random,
            and best with mape, epoch, arrays; or None.

    Raises:
        UsageError: the file is of another training.
        InputError: it cannot be read.
    """

    def __init__(self, task: LatencyTask, options: SequenceOptions) -> None:
        self._path = None if task.folder is None else task.folder / FILE
        self._of = _of(task, options)
        self._last, self._state = time.monotonic(), None  # type: tuple[float, dict[str, Any] | None]
        self.found = self._read(self._path) if self._path is not None and task.resume else None

    def epoch(self, number: int, model: Any, adam: Any, best: Mapping[str, Any]) -> None:
        """Remember where an epoch ended; write it from time to time."""
        if self._path is None:
            return
        import torch

        parts = {"model": model.state_dict(), "adam": adam.state_dict()}
        self._state = {
            **copy.deepcopy(parts),  # training goes on in these very tensors
            "epoch": number,
            "random": torch.get_rng_state(),
        }
        if time.monotonic() - self._last >= SECONDS:
            self.write(best)

    def write(self, best: Mapping[str, Any]) -> None:
        """Write where the last whole epoch ended.

        Raises:
            InputError: it cannot be written; the file before stays.
        """
        if self._path is None or self._state is None:
            return
        import torch

        arrays = {name: torch.from_numpy(values) for name, values in best["arrays"].items()}
        content = {**self._state, "of": self._of, "best": {**best, "arrays": arrays}}
        with runs.placed(self._path) as beside:
            torch.save(content, beside)
        self._last = time.monotonic()

    def done(self) -> None:
        """Remove the file: there is nothing to go on with."""
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _read(self, path: Path) -> dict[str, Any] | None:
        if not path.is_file():
            return None
        import torch

        try:
            found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
            of, best = found["of"], found["best"]
            arrays = {name: values.numpy() for name, values in best["arrays"].items()}
            found["best"] = {"mape": float(best["mape"]), "epoch": int(best["epoch"])}
            found["best"]["arrays"] = arrays
        except Exception as error:  # a broken archive raises what its bytes happen to say
            raise InputError(
                f"{path} is broken: {type(error).__name__}",
                advice="remove it to start anew, or choose another --out",
            ) from error
        if of != self._of:
            raise UsageError(
                f"{path} is of another training: with other data, options or seed",
                advice="resume with the same ones, or choose another --out",
            )
        return found


def _of(task: LatencyTask, options: SequenceOptions) -> str:
    """Digest of data, options and seed."""
    how = {name: value for name, value in asdict(options).items() if name not in FREE}
    digest = hashlib.sha256(json.dumps([how, task.seed], sort_keys=True).encode())
    for part in (task.train, task.dev):
        digest.update(part.genes.tobytes() + part.latency.tobytes())
    return digest.hexdigest()[:16]
