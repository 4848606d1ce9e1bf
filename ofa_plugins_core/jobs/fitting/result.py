"""What ``ofa run fit`` prints of a fitted predictor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from ofa_plugins_core.measured import FittedFile, Label, Quality


@frozen(eq=False)
class FitResult:
    """What ``ofa run fit`` prints.

    Attributes:
        supernet, dataset, predictor: what was fitted, for what.
        labels: whether the accuracies were measured, or another predictor's.
        fit: what the form's plugin made.
        files: that were written.
        repeated: records that repeated a network and were averaged.
        left_out: image size -> records, where they were too few.
    """

    supernet: str
    dataset: str
    predictor: str
    labels: Label
    fit: FittedFile
    files: tuple[Path, ...]
    repeated: int
    left_out: Mapping[int, int]

    @property
    def records(self) -> int:
        """Networks that take part."""
        return sum(s.records for s in self.fit.sizes)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        made = self.fit
        return {
            "supernet": self.supernet,
            "dataset": self.dataset,
            "predictor": self.predictor,
            "labels": self.labels,
            "records": self.records,
            "resolutions": [s.image_size for s in made.sizes],
            **made.details,
            "held_out": asdict(made.held_out.quality),
            **{name: asdict(quality) for name, quality in made.judged.items()},
            "half_width": {str(s.image_size): s.half_width for s in made.sizes},
            "repeated": self.repeated,
            "left_out": {str(k): v for k, v in self.left_out.items()},
            "files": [str(f) for f in self.files],
        }

    def as_tables(self) -> list[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
        """For the terminal: how it does on what it has not seen, and each image size."""
        made = self.fit
        title = (
            f"{self.predictor}, {self.supernet} on {self.dataset}: "
            f"{self.records:,} {self.labels} accuracies"
        )
        judged = {"held-out fifth": made.held_out.quality}
        judged |= {f"{name} test": quality for name, quality in made.judged.items()}
        quality = [(name, *_judged(q)) for name, q in judged.items()]
        sizes = [
            (str(s.image_size), f"{s.records:,}", f"±{s.half_width:.2f}", f"{s.best:.2f}")
            for s in made.sizes
        ] + [(str(size), f"{n:,}", "left out: too few", "") for size, n in self.left_out.items()]
        columns = ("", "networks", "Kendall τ", "Pearson", "RMSE", "in 80 % interval", "bias")
        return [
            (title, columns, quality),
            ("", ("image size", "records", "80 % interval", "best prediction"), sizes),
            ("", ("written",), [(str(f),) for f in self.files]),
        ]


def _judged(found: Quality) -> tuple[str, ...]:
    linear = "?" if found.pearson is None else f"{found.pearson:.3f}"
    numbers = (f"{found.tau:.3f}", linear, f"{found.rmse:.3f}", f"{found.coverage:.1%}")
    return (f"{found.networks:,}", *numbers, f"{found.bias:+.3f}")
