"""The options of ``ofa run fit``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from attrs import field, frozen

DEFAULT_FORM: Final = "additive"
DEFAULT_LATENCY_FORM: Final = "sequence"
DEFAULT_DATASET: Final = "own"


@frozen
class FitOptions:
    """Options of ``ofa run fit``: of accuracies either ``data`` or ``from_mlp``."""

    supernet: str = field(metadata={"help": "name, alias or YAML file", "metavar": "NAME"})
    data: tuple[Path, ...] = field(
        default=(),
        metadata={
            "help": "measured accuracies: JSON lines, the published pickle, or a folder: a run of "
            "ofa run dataset, or parts to be merged; of latencies: a CSV of ofa run label; "
            "repeatable",
            "metavar": "FILE|FOLDER",
        },
    )
    kind: Literal["accuracy", "latency"] = field(
        default="accuracy", metadata={"help": "what is predicted"}
    )
    predictor: str | None = field(
        default=None,
        metadata={
            "help": "form to fit: additive (the default, searched exactly), or mlp (needs torch "
            "to be fitted); of latencies: sequence (the default, needs torch), boosting, linear",
            "metavar": "NAME",
        },
    )
    dataset: str = field(
        default=DEFAULT_DATASET,
        metadata={"help": "name of the data set on which they were measured", "metavar": "NAME"},
    )
    from_mlp: Path | None = field(
        default=None,
        metadata={
            "help": "a published predictor: rewritten without torch, and distilled",
            "metavar": "FILE",
        },
    )
    install: bool = field(
        default=False,
        metadata={
            "help": "keep the fit for later commands, before what ships; of latencies: as the cost "
            "latency@NAME"
        },
    )
    name: str | None = field(
        default=None,
        metadata={
            "help": "of latencies: of the cost latency@NAME; default: the device's",
            "metavar": "NAME",
        },
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata={
            "help": "of latencies: a table whose sum is judged on the same networks",
            "metavar": "FOLDER|NAME=FOLDER",
        },
    )
    origin: str = field(default="", metadata={"help": "a sentence on where the data come from"})
    plot: bool = field(
        default=False,
        metadata={"help": "draw predicted against measured, held out; needs the extra [plot]"},
    )
