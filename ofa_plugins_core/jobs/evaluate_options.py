"""The options of ``ofa run evaluate``; alone, so that listing jobs loads no torch."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.torch_options import (
    ArchOptions,
    DataOptions,
    MeasuredOptions,
    NetworkOptions,
    said,
)


@frozen(kw_only=True, slots=False)
class EvaluateOptions(NetworkOptions, ArchOptions, MeasuredOptions, DataOptions):
    """Options of ``ofa run evaluate``."""

    model: Literal["supernet", "teacher"] = field(
        default="supernet",
        metadata=said("teacher: the weights are one static network, the largest"),
    )
    repeats: int = field(default=20, metadata=said("timed forward passes; the median counts"))
    warmup: int = field(default=5, metadata=said("forward passes before the timed ones"))
    time_batch: int = field(default=1, metadata=said("a timed forward pass", unit="images"))
    plot: bool = field(
        default=False,
        metadata=said(
            "draw memory and picture of the first networks into the run's folder; needs [plot]"
        ),
    )
