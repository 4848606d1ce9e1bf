"""The options of ``ofa run fit``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from attrs import field, frozen

DEFAULT_FORM: Final = "additive"


@frozen
class FitOptions:
    """Options of ``ofa run fit``: either ``data`` or ``from_mlp``."""

    supernet: str = field(metadata={"help": "name, alias or YAML file", "metavar": "NAME"})
    data: tuple[Path, ...] = field(
        default=(),
        metadata={
            "help": "measured accuracies: JSON lines, the published pickle, or a folder: a run of "
            "ofa run dataset, or parts to be merged; repeatable",
            "metavar": "FILE|FOLDER",
        },
    )
    predictor: str = field(
        default=DEFAULT_FORM,
        metadata={
            "help": "form to fit: additive (searched exactly), or mlp (needs torch to be fitted)",
            "metavar": "NAME",
        },
    )
    dataset: str = field(
        default="own",
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
        default=False, metadata={"help": "keep the fit for later commands, before what ships"}
    )
    origin: str = field(
        default="", metadata={"help": "a sentence on where the accuracies come from"}
    )
    plot: bool = field(
        default=False,
        metadata={"help": "draw predicted against measured, held out; needs the extra [plot]"},
    )
