"""After training: predictor data, a fit, a search, and the file of a subnet; by the usual jobs.

The first process does it, alone: the other workers of the training have ended.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import evolve

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.entries import JobContext, JobEntry
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.train_options import TrainOptions
from ofa_plugins_core.words import counted

if TYPE_CHECKING:
    from ofa_plugins_core.jobs.train import TrainResult

COST: Final = "peak_memory"
SMOKE: Final = {"n": 66, "ranges": 6}
"""So many networks, in so many ranges of memory, are enough to fit something."""


def finished(context: JobContext, options: TrainOptions, result: TrainResult) -> dict[str, Any]:
    """Measure subnets, fit a predictor on them, search with it, export what was found.

    Returns:
        What came of each, by the name of its job.

    Raises:
        OfaError: as the jobs raise them; the trained weights are kept.
    """
    from ofa_plugins_core.nn.engines import left_alone

    with left_alone():
        return _finished(context, options, result)


def _finished(context: JobContext, options: TrainOptions, result: TrainResult) -> dict[str, Any]:
    steps = _Steps(context, options, result)
    data = steps.dataset()
    fit = steps.fit(Path(data["files"][0]))
    front = steps.search(Path(fit["files"][0]))
    middle = front["front"][len(front["front"]) // 2]
    said = {
        "networks measured": data["evaluations"],
        "fit": fit["files"][0],
        "held out": _quality(fit),
        "front": f"{counted(len(front['front']), 'network')}, proven best: {front['optimal']}",
        "subnet": json.dumps(middle["arch"]),
        "predicted top-1": f"{middle['accuracy']['value']:.2f} %",
        COST: f"{middle['costs'][COST]['value']:,} {middle['costs'][COST]['unit']}",
    }
    if find_spec("onnxruntime") is None or find_spec("onnx") is None:
        context.listener(Notice("no file is exported: that needs the extra [export]"))
        return said
    return {**said, "file": steps.export(middle["arch"])}


def _quality(fit: dict[str, Any]) -> str:
    found = fit["held_out"]
    return f"RMSE {found['rmse']:.2f} points, Kendall τ {found['tau']:.3f}"


class _Steps:
    """The jobs, one after another, each in a folder of its own in the run's."""

    def __init__(self, context: JobContext, options: TrainOptions, result: TrainResult) -> None:
        assert result.run is not None
        self.context, self.options, self.folder = context, options, result.run
        self.size = max(result.found.supernet.resolutions)

    def dataset(self) -> dict[str, Any]:
        """Subnets with their measured accuracies, in all ranges of memory."""
        few: dict[str, Any] = dict(SMOKE) if self.options.smoke else {}
        return self._run(
            "dataset",
            **self._network(),
            **few,
            data=self.options.data,
            balance=COST,
            resolutions=[self.size],
            images=self.options.validate_images,
            calibrate=self.options.calibrate,
            device=self.options.device,
        )

    def fit(self, data: Path) -> dict[str, Any]:
        """The additive predictor."""
        return self._run(
            "fit", supernet=self.options.supernet, data=[str(data)], dataset=self._name()
        )

    def search(self, fit: Path) -> dict[str, Any]:
        """The whole front of predicted accuracy against memory."""
        return self._run(
            "search",
            supernet=self.options.supernet,
            cost=[COST],
            predictor_weights=str(fit),
            resolutions=[self.size],
        )

    def export(self, arch: dict[str, Any]) -> str:
        """The subnet as an ONNX file."""
        file = self.folder / "archs.jsonl"
        runs.write(file, json.dumps(arch) + "\n")
        found = self._run(
            "export",
            **self._network(),
            archs=str(file),
            data=self.options.data,
            calibrate=self.options.calibrate,
            images=50,
        )
        return str(found["file"])

    def _network(self) -> dict[str, Any]:
        weights = str(self.folder / "weights.pth")
        return {"supernet": self.options.supernet, "weights": weights}

    def _name(self) -> str:
        return Path(self.options.data).resolve().name[:100] or "own"  # also of `.`

    def _run(self, name: str, **given: Any) -> dict[str, Any]:
        """A job as the command line runs it: its options read strictly, its result kept."""
        entry = self._entry(name)
        context = evolve(self.context, out=self.folder / name, resume=True)
        asked: Any = structure(
            {k: v for k, v in given.items() if v is not None}, entry.options, name
        )
        result = entry.run(context, asked)
        found: dict[str, Any] = plain(result.as_json())
        runs.write(self.folder / name / runs.RESULT, json.dumps(found, indent=1) + "\n")
        return found

    def _entry(self, name: str) -> JobEntry:
        entries: Sequence[JobEntry] = self.context.host.entries("jobs")
        for entry in entries:
            if entry.name == name:
                return entry
        raise InputError(
            f"after training comes ofa run {name}, which no plugin offers", advice="--no-finish"
        )
