"""The options of ``ofa run population``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

import math
from typing import Any

from attrs import field, frozen
from attrs.validators import ge


def _finite(instance: object, attribute: Any, value: tuple[float, ...] | None) -> None:
    """Raises ValueError for bounds that no cost can be compared to."""
    wrong = [b for b in value or () if not math.isfinite(b)]
    if wrong:
        raise ValueError(f"--bounds: expected finite numbers, found {wrong[0]}")


@frozen(kw_only=True)
class PopulationOptions:
    """Options of ``ofa run population``."""

    records: tuple[str, ...] = field(
        metadata={
            "help": "a supernet and its measured accuracies (JSON lines, or a folder of them); "
            "given twice: what is compared, then what it is compared to",
            "metavar": "SUPERNET=FILE",
        }
    )
    cost: str = field(default="latency", metadata={"help": "what is held equal", "metavar": "NAME"})
    lut: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "a folder of latency tables; repeatable",
            "metavar": "FOLDER|NAME=FOLDER",
        },
    )
    lut_as: str | None = field(
        default=None,
        metadata={
            "help": "price latency with the rows of this supernet",
            "metavar": "SUPERNET",
        },
    )
    bounds: tuple[float, ...] | None = field(
        default=None,
        validator=_finite,
        metadata={
            "help": "bounds on the cost under which the best records are shown; default: five, "
            "evenly spaced",
            "metavar": "LIST",
            "example": "15,20,25,30,35",
        },
    )
    resolutions: tuple[int, ...] | None = field(
        default=None,
        metadata={"help": "image sizes; default: all that can be compared", "metavar": "LIST"},
    )
    near: float = field(
        default=1.0,
        validator=ge(0.0),
        metadata={"help": "points below the front of all records that count as near it"},
    )
    bins: int = field(
        default=8,
        validator=ge(1),
        metadata={"help": "bins of the cost, each as many times as wide as the one before"},
    )
    draws: int = field(
        default=1000,
        validator=ge(100),
        metadata={"help": "resamples of the networks behind each interval"},
    )
    plot: bool = field(
        default=False,
        metadata={"help": "draw both populations into the run's folder; needs the extra [plot]"},
    )
