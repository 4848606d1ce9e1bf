"""The job ``ofa run predict``: accuracies of architectures in a file, with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.choosing import predictor_needed
from ofa_plugins_core.jobs.options import PredictOptions
from ofa_plugins_core.jobs.results import Row


@frozen
class Prediction:
    """Of one architecture, in percent; low and high are the ends of an 80 % interval."""

    accuracy: float
    low: float
    high: float
    extrapolated: bool

    def as_json(self) -> dict[str, Any]:
        """One line of ``--json``."""
        return {
            "accuracy": self.accuracy,
            "low": self.low,
            "high": self.high,
            "extrapolated": self.extrapolated,
        }


@frozen(eq=False)
class PredictResult:
    """What ``ofa run predict`` prints.

    Attributes:
        supernet, predictor: by name.
        source: what the predictor is worth.
        predictions: in the order of the file.
    """

    supernet: str
    predictor: str
    source: str
    predictions: Sequence[Prediction]

    def as_json(self) -> list[dict[str, Any]]:
        """An object an architecture."""
        return [p.as_json() for p in self.predictions]

    def as_rows(self) -> list[dict[str, Any]]:
        """Of front.csv."""
        return self.as_json()

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        rows = [
            [
                str(number),
                f"{p.accuracy:.2f}",
                f"{p.low:.1f} to {p.high:.1f}",
                "extrapolated" if p.extrapolated else "",
            ]
            for number, p in enumerate(self.predictions, start=1)
        ]
        columns = ["", "accuracy\n%\npredicted", "80 %\ninterval", ""]
        return [(f"{self.supernet} · {self.predictor}: {self.source}", columns, rows)]


def run_predict(context: JobContext, options: PredictOptions) -> PredictResult:
    """Predict the accuracies of a file's architectures.

    Raises:
        UsageError: an unknown supernet or predictor, or no predictor for the supernet.
        InputError: a file is missing or broken; names the line.
    """
    supernet = context.host.supernet(options.supernet)
    found = read_archs(options.archs, supernet)
    chosen = predictor_needed(context, options, found.supernet)
    made = chosen.predictor.predict(found.genes)
    columns = (made.value, made.low, made.high, made.extrapolated)
    predictions = [Prediction(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]
    return PredictResult(supernet.name, chosen.predictor.name, chosen.predictor.source, predictions)
