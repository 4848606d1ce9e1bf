"""The options of ``ofa run evaluate``; alone, so that listing jobs loads no torch."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.torch_options import ArchOptions, DataOptions, NetworkOptions, said


@frozen(kw_only=True, slots=False)
class EvaluateOptions(NetworkOptions, ArchOptions, DataOptions):
    """Options of ``ofa run evaluate``."""

    model: Literal["supernet", "teacher"] = field(
        default="supernet",
        metadata=said("teacher: the weights are one static network, the largest"),
    )
    device: Literal["cpu", "cuda"] = field(default="cpu", metadata=said("where networks run"))
    images: int | None = field(
        default=None,
        metadata=said("evaluate on so many, drawn with the seed; default: all", unit="images"),
    )
    calibrate: int | None = field(
        default=None,
        metadata=said(
            "calibrate batch norm on so many training images; 0: not at all; default: 2000, of a "
            "teacher 0",
            unit="images",
        ),
    )
    calibrate_data: str | None = field(
        default=None,
        metadata=said("take them from here; images without classes do", metavar="FOLDER|digits"),
    )
    calibrate_batch: int = field(default=100, metadata=said("a batch of them", unit="images"))
    threads: int | None = field(
        default=None, metadata=said("of torch inside an operation; default: torch's choice")
    )
    repeats: int = field(default=20, metadata=said("timed forward passes; the median counts"))
    warmup: int = field(default=5, metadata=said("forward passes before the timed ones"))
    time_batch: int = field(default=1, metadata=said("a timed forward pass", unit="images"))
    channels_last: bool = field(
        default=False, metadata=said("lay images out with the channels last: often faster")
    )
    dtype: Literal["fp32", "bf16"] = field(
        default="fp32", metadata=said("evaluate and time in this type")
    )
    plot: bool = field(
        default=False,
        metadata=said(
            "draw memory and picture of the first networks into the run's folder; needs [plot]"
        ),
    )
