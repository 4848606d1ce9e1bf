"""The options of ``ofa run dataset``; alone, so that listing jobs loads no torch."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen

from ofa_plugins_core.jobs.torch_options import DataOptions, MeasuredOptions, NetworkOptions, said


@frozen(kw_only=True, slots=False)
class DatasetOptions(NetworkOptions, MeasuredOptions, DataOptions):
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
