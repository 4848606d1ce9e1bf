"""The options of the core's jobs; alone, so that listing jobs loads nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from attrs import field, frozen

SUPERNET = {"help": "name, alias or YAML file", "metavar": "NAME"}


def _said(text: str, **more: str) -> dict[str, Any]:
    return {"help": text, **more}


@frozen(kw_only=True, slots=False)
class PricedOptions:
    """How costs are chosen and priced; the jobs that price share these."""

    supernet: str = field(metadata=SUPERNET)
    cost: tuple[str, ...] = field(
        default=(), metadata=_said("a cost; repeatable", metavar="NAME", example="peak_memory")
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "a folder of latency tables, or a fitted latency predictor; repeatable",
            metavar="FOLDER|NAME=FOLDER",
        ),
    )
    lut_as: str | None = field(
        default=None,
        metadata=_said("price latency with the rows of this supernet", metavar="SUPERNET"),
    )
    device: str | None = field(
        default=None,
        metadata=_said(
            "with --measure: where networks are run; default: cpu", metavar="NAME", example="cpu"
        ),
    )
    measure: bool = field(
        default=False,
        metadata=_said(
            "run networks to know a cost, one by one and remembered, where no table is given for it"
        ),
    )
    batch: int | None = field(
        default=None, metadata=_said("measured: images a pass (1)", unit="images")
    )
    as_built: bool = field(
        default=False, metadata=_said("price the network that is extracted, where it differs")
    )
    dtype: Literal["int8", "fp16", "fp32"] | None = field(
        default=None, metadata=_said("data type, for bounds in bytes and for weight bytes")
    )
    classes: int | None = field(
        default=None, metadata=_said("price a classifier of so many classes; default: as published")
    )


@frozen(kw_only=True, slots=False)
class PredictedOptions:
    """How accuracies are predicted; the jobs that predict share these."""

    predictor: str | None = field(
        default=None,
        metadata=_said(
            "form of predictor; default: that of your own fit, else additive", metavar="NAME"
        ),
    )
    predictor_weights: Path | None = field(
        default=None, metadata=_said("the predictor's file: a fit of yours, or published weights")
    )
    dataset: str | None = field(
        default=None,
        metadata=_said(
            "data set of the fit; default: of your own fit, else imagenet, or the only one",
            metavar="NAME",
        ),
    )


@frozen(kw_only=True, slots=False)
class SearchOptions(PredictedOptions, PricedOptions):
    """Options of ``ofa run search``."""

    constraint: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "a bound on a cost or on accuracy, or a range of bounds; repeatable",
            metavar="BOUND",
            example="'peak_memory<=400k', 'accuracy>=75', 'flops<=200M:400M'",
        ),
    )
    maximize: Literal["accuracy"] | None = field(
        default=None, metadata=_said("what to maximise; accuracy is the default")
    )
    minimize: str | None = field(
        default=None, metadata=_said("the cost to minimise instead", metavar="COST")
    )
    searcher: str = field(
        default="auto", metadata=_said("exact, exhaustive, evolution, …", metavar="NAME")
    )
    resolutions: tuple[int, ...] | Literal["all"] | None = field(
        default=None,
        metadata=_said(
            "image sizes; default: those on which the predictor was fitted", metavar="LIST|all"
        ),
    )
    points: int | None = field(
        default=None,
        metadata=_said(
            "most points of a front (1000; 0: all), or bounds of a range (21; 1: its first)"
        ),
    )
    count: bool = field(
        default=False, metadata=_said("also count the networks that meet the bounds")
    )
    plot: bool = field(
        default=False,
        metadata=_said("draw the front into the run's folder; needs the extra [plot]"),
    )


@frozen(kw_only=True, slots=False)
class CostOptions(PricedOptions):
    """Options of ``ofa run cost``."""

    archs: Path = field(metadata=_said("architectures, JSON lines", metavar="FILE"))
    plot: Path | None = field(
        default=None,
        metadata=_said(
            "of one architecture: draw its memory history; needs [plot]", metavar="FILE.svg|png"
        ),
    )
    picture: Path | None = field(
        default=None,
        metadata=_said(
            "of one architecture: draw the subnet; needs [plot]", metavar="FILE.svg|png"
        ),
    )


@frozen(kw_only=True, slots=False)
class PredictOptions(PredictedOptions):
    """Options of ``ofa run predict``."""

    supernet: str = field(metadata=SUPERNET)
    archs: Path = field(metadata=_said("architectures, JSON lines", metavar="FILE"))


@frozen(kw_only=True, slots=False)
class SampleOptions:
    """Options of ``ofa run sample``."""

    supernet: str = field(metadata=SUPERNET)
    n: int = field(default=10, metadata=_said("how many architectures"))
    sampler: str = field(default="uniform", metadata=_said("how they are drawn", metavar="NAME"))
    resolutions: tuple[int, ...] | None = field(
        default=None, metadata=_said("image sizes; default: the supernet's", metavar="LIST")
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata=_said(
            "a folder of latency tables, for a sampler over latency@NAME; repeatable",
            metavar="FOLDER|NAME=FOLDER",
        ),
    )
