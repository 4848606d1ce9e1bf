"""The options of ``ofa run targets``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

import math
from typing import Any, Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.options import PredictedOptions, PricedOptions


def _positive(instance: object, attribute: Any, value: tuple[float, ...] | None) -> None:
    """Raises ValueError for bounds that no latency can be compared to."""
    wrong = [b for b in value or () if not (math.isfinite(b) and b > 0)]
    if value is not None and (wrong or not value):
        found = f"{wrong[0]:g}" if wrong else "none"
        raise ValueError(f"--bounds: expected milliseconds above 0, found {found}")


@frozen(kw_only=True, slots=False)
class TargetsOptions(PredictedOptions, PricedOptions):
    """Options of ``ofa run targets``."""

    target: Literal["note10", "gpu", "cpu"] | None = field(
        default=None,
        metadata={
            "help": "the published list of latencies: note10 15,20,25,30 ms; gpu 15,25,35,45 ms, "
            "batches of 64; cpu 12,15,18,21 ms"
        },
    )
    bounds: tuple[float, ...] | None = field(
        default=None,
        validator=_positive,
        metadata={"help": "latencies of your own, ms", "metavar": "LIST", "example": "10,20,40"},
    )
    searcher: str = field(
        default="auto",
        metadata={
            "help": "exhaustive (one enumeration for all bounds), exact, evolution, …; auto takes "
            "the first where the space is small",
            "metavar": "NAME",
        },
    )
    resolutions: tuple[int, ...] | Literal["all"] | None = field(
        default=None,
        metadata={
            "help": "image sizes; default: those on which the predictor was fitted",
            "metavar": "LIST|all",
        },
    )
    plot: bool = field(
        default=False,
        metadata={"help": "draw what was found into the run's folder; needs the extra [plot]"},
    )
