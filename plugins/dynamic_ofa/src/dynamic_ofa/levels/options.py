"""The options of ``ofa run levels``; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen
from attrs.validators import ge, gt, optional

from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.jobs.torch_options import FAST, said


@frozen(kw_only=True, slots=False)
class LevelsOptions(SearchOptions):
    """Options of ``ofa run levels``: a search's, and how its networks are measured again."""

    supernet: str = field(
        default="ofa_mbv3_w1.2",
        metadata=said("name, alias or YAML file; Dynamic-OFA's own is the default", metavar="NAME"),
    )
    points: int | None = field(
        default=None,
        metadata=said(
            "bounds of the sweep, a candidate each (21); without a range they are spaced evenly "
            "between what the cheapest and the largest network cost"
        ),
    )
    device: str | None = field(
        default=None,
        metadata=said(
            "where candidates are measured again; default: cpu. Accuracy and statistics are "
            "measured there too if it is cuda, else on the processor",
            metavar="NAME",
        ),
    )
    run: Path | None = field(
        default=None,
        metadata=said(
            "search nothing: candidates are the networks of this search's run", metavar="FOLDER"
        ),
    )
    archs: Path | None = field(
        default=None,
        metadata=said("search nothing: candidates of a file, JSON lines", metavar="FILE"),
    )
    published: Path | None = field(
        default=None,
        metadata=said(
            "search and measure nothing: turn a published table (a pickle) into one of ours",
            metavar="FILE",
        ),
    )
    candidates: Path | None = field(
        default=None,
        metadata=said(
            "search and measure nothing: filter and draw points that others measured, JSON with "
            '"points": [[accuracy %, cost], …]; --cost says what the cost is',
            metavar="FILE",
        ),
    )
    levels: int = field(
        default=6,
        validator=ge(2),
        metadata=said("so many are chosen of the front, spread evenly over it; fewer if it has"),
    )
    weights: str | None = field(
        default=None,
        metadata=said(
            "a checkpoint, a name of ofa weights list, or synthetic (filled by a formula: for "
            "trying things out); default: what is cached for the supernet",
            metavar="FILE|NAME|synthetic",
        ),
    )
    data: str | None = field(
        default=None,
        metadata=said(
            "measure accuracy on these images, and calibrate on its training images: digits, or a "
            "folder with one folder a class; default: accuracies are the predictor's",
            metavar="FOLDER|digits",
        ),
    )
    images: int | None = field(
        default=None,
        validator=optional(ge(1)),
        metadata=said("evaluate on so many, drawn with the seed; default: all", unit="images"),
    )
    evaluate_batch: int = field(
        default=100, validator=ge(1), metadata=said("a batch of them", unit="images")
    )
    calibrate: int | None = field(
        default=None,
        validator=optional(ge(0)),
        metadata=said(
            "batch norm statistics of each level from so many images; default: 2000 where images "
            "are given; 0: the weights' own statistics",
            unit="images",
        ),
    )
    calibrate_data: str | None = field(
        default=None,
        metadata=said("take them from here; images without classes do", metavar="FOLDER|digits"),
    )
    calibrate_batch: int = field(
        default=100, validator=ge(2), metadata=said("a batch of them", unit="images")
    )
    fast: Literal["memory", "disk"] | None = field(default=None, metadata=FAST)
    workers: int = field(default=0, validator=ge(0), metadata=said("processes that read images"))
    threads: int | None = field(
        default=None, validator=optional(ge(1)), metadata=said("of the device; default: its own")
    )
    host: str | None = field(
        default=None, metadata=said("of a device elsewhere, over ssh", metavar="[USER@]HOST")
    )
    mode: str | None = field(
        default=None, metadata=said("power mode of the device, by name", metavar="NAME")
    )
    precision: float = field(
        default=0.02,
        validator=gt(0),
        metadata=said(
            "a latency is known when its mean's 95 % interval is narrower, as a part of the mean"
        ),
    )
    warmup: int = field(
        default=20, validator=ge(0), metadata=said("passes of each before the first that counts")
    )
    least: int = field(default=10, validator=ge(2), metadata=said("passes at least"))
    most: int = field(default=60, validator=ge(2), metadata=said("passes at most"))
    plot: bool = field(
        default=True,
        metadata=said("draw candidates, front and levels into the run's folder; needs [plot]"),
    )
