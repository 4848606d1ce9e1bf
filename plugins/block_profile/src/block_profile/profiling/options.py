"""The options of ``ofa run profile``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, optional

from ofa_plugins_core.jobs.options import PredictedOptions, PricedOptions
from ofa_plugins_core.jobs.torch_options import FAST, said

CHANGEABLE = ("fast", "log", "parallel", "plot", "workers")
"""What --resume may change: it changes no number."""
EVALUATING = (
    *("images", "evaluate_batch", "evaluate_device", "calibrate", "calibrate_data"),
    *("fast", "workers", "parallel", "threads"),
)
"""What goes with --data alone."""


@frozen(kw_only=True, slots=False)
class ProfileOptions(PredictedOptions, PricedOptions):
    """Options of ``ofa run profile``."""

    metrics: tuple[str, ...] = field(
        default=(),
        metadata=said(
            "accuracy, and names of costs; --cost NAME adds one; default: accuracy and flops",
            metavar="LIST",
            example="accuracy,flops,latency@note10",
        ),
    )
    num_archs: int = field(
        default=100,
        validator=ge(0),
        metadata=said("networks a row; 0 with --exact: none are drawn"),
    )
    rule: Literal["strict", "paper"] = field(
        default="strict",
        metadata=said(
            "strict: a forced layer is always active; paper: as the published code raises depths, "
            "a layer 2 is inactive in a third of the networks, a layer 3 in two thirds"
        ),
    )
    draws: Literal["balanced", "common", "independent"] = field(
        default="balanced",
        metadata=said(
            "common: force every block on the same networks, so that rows differ by what is forced "
            "alone; balanced: and each option of each choice is drawn equally often; independent: "
            "each row draws its own, as published"
        ),
    )
    exact: bool = field(
        default=False,
        metadata=said("also in closed form over all networks, for costs and predictors of tables"),
    )
    blocks: tuple[str, ...] = field(
        default=(),
        metadata=said(
            "a row: [unit, layer, kernel, expand], numbers from 0, for example '[0, 1, 7, 6]', "
            "with a resolution as fifth if you like; several in a list are forced together, for "
            "example '[[0, 1, 7, 6], [4, 0, 3, 3]]'; [unit] and [unit, layer] are all blocks "
            "there; repeatable; default: every block of every place",
            metavar="JSON",
        ),
    )
    all: bool = field(
        default=False, metadata=said("every block of every place, as without --blocks")
    )
    depths: bool | None = field(
        default=None,
        metadata=said("also rows of each unit at each depth; default: where all blocks are asked"),
    )
    list_blocks: bool = field(
        default=False, metadata=said("print every block of every place, and stop")
    )
    resolutions: tuple[int, ...] | Literal["all"] | None = field(
        default=None,
        metadata=said(
            "image sizes that are drawn; default: those on which the predictor was fitted",
            metavar="LIST|all",
        ),
    )
    per_resolution: bool = field(
        default=False, metadata=said("every row once at each image size, not over all")
    )
    weights: str | None = field(
        default=None,
        metadata=said(
            "evaluate accuracy with these weights on --data, in place of a predictor: a "
            "checkpoint, a name of ofa weights list, or synthetic",
            metavar="FILE|NAME|synthetic",
        ),
    )
    data: str | None = field(
        default=None,
        metadata=said("evaluate accuracy on these images", metavar="FOLDER|digits"),
    )
    images: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata=said("evaluate on so many, drawn with the seed; default: all", unit="images"),
    )
    evaluate_batch: int = field(
        default=100, validator=ge(1), metadata=said("a batch of them", unit="images")
    )
    evaluate_device: Literal["cpu", "cuda"] = field(
        default="cpu", metadata=said("where networks are evaluated")
    )
    calibrate: int | None = field(
        default=None,
        validator=optional(ge(0)),
        metadata=said(
            "batch norm statistics of each network from so many images (2000); 0: the weights' own",
            unit="images",
        ),
    )
    calibrate_data: str | None = field(
        default=None,
        metadata=said("take them from here; images without classes do", metavar="FOLDER|digits"),
    )
    fast: Literal["memory", "disk"] | None = field(
        default=None,
        metadata=FAST,
    )
    workers: int = field(default=0, validator=ge(0), metadata=said("processes that read images"))
    parallel: int = field(
        default=1, validator=ge(1), metadata=said("processes that evaluate networks")
    )
    threads: int | None = field(
        default=None, validator=optional(ge(1)), metadata=said("of torch inside an operation")
    )
    log: bool = field(default=True, metadata=said("write profile.log beside profile.csv"))
    plot: bool = field(
        default=False,
        metadata=said("draw heat maps and rank correlations into the run's folder; needs [plot]"),
    )
