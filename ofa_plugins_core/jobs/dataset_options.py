"""The options of ``ofa run dataset``; alone, so that listing jobs loads no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.torch_options import DataOptions, NetworkOptions, said


@frozen(kw_only=True, slots=False)
class DatasetOptions(NetworkOptions, DataOptions):
    """Options of ``ofa run dataset``."""

    n: int | None = field(
        default=None, metadata=said("how many networks are drawn; default: 2000, as MOOFA")
    )
    sampler: str | None = field(
        default=None, metadata=said("how they are drawn; default: balanced", metavar="NAME")
    )
    balance: str | None = field(
        default=None,
        metadata=said("the cost whose ranges are filled; default: peak_memory", metavar="COST"),
    )
    ranges: int | None = field(
        default=None, metadata=said("how many ranges of equal length; default: 15")
    )
    low: str | None = field(
        default=None,
        metadata=said(
            "where they begin; default, of peak_memory: 250k, as MOOFA, where the supernet "
            "reaches that; else its least",
            metavar="NUMBER",
        ),
    )
    high: str | None = field(
        default=None,
        metadata=said("where they end; default: 800k, or its most", metavar="NUMBER"),
    )
    archs: Path | None = field(
        default=None, metadata=said("measure these instead, JSON lines", metavar="FILE")
    )
    resolutions: tuple[int, ...] | None = field(
        default=None, metadata=said("image sizes; default: the supernet's", metavar="LIST")
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata=said(
            "a folder of latency tables, for latency@NAME; repeatable",
            metavar="FOLDER|NAME=FOLDER",
        ),
    )
    lut_as: str | None = field(
        default=None,
        metadata=said("price latency with the rows of this supernet", metavar="SUPERNET"),
    )
    device: Literal["cpu", "cuda"] = field(default="cpu", metadata=said("where networks run"))
    images: int | None = field(
        default=None,
        metadata=said("evaluate on so many, drawn with the seed; default: all", unit="images"),
    )
    calibrate: int | None = field(
        default=None,
        metadata=said(
            "calibrate batch norm on so many training images; 0: not at all; default: 2000",
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
    channels_last: bool = field(
        default=False, metadata=said("lay images out with the channels last: often faster")
    )
    dtype: Literal["fp32", "bf16"] = field(default="fp32", metadata=said("evaluate in this type"))
