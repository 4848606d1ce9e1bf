"""The options of ``ofa run deploy``; no torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.export_options import FileOptions
from ofa_plugins_core.jobs.options import PredictedOptions
from ofa_plugins_core.jobs.torch_options import DataOptions, NetworkOptions, said


@frozen(kw_only=True, slots=False)
class DeployOptions(FileOptions, DataOptions, PredictedOptions, NetworkOptions):
    """Options of ``ofa run deploy``."""

    ram: str | None = field(
        default=None,
        metadata=said(
            "most memory while it runs: bounds peak_memory_liveness, and the activations that "
            "the runtime plans",
            metavar="BYTES",
            example="320KB (1,000), 256KiB (1,024)",
        ),
    )
    flash: str | None = field(
        default=None,
        metadata=said("most bytes of weights (weight_bytes)", metavar="BYTES", example="1MB"),
    )
    dtype: Literal["fp32", "int8"] = field(
        default="int8", metadata=said("of weights and activations; int8 calibrates on --data")
    )
    constraint: tuple[str, ...] = field(
        default=(),
        metadata=said("a further bound, as of search; repeatable", metavar="BOUND"),
    )
    lut: tuple[str, ...] = field(
        default=(),
        metadata=said("a folder of latency tables; repeatable", metavar="FOLDER|NAME=FOLDER"),
    )
    lut_as: str | None = field(
        default=None,
        metadata=said("price latency with the rows of this supernet", metavar="SUPERNET"),
    )
    searcher: str = field(
        default="auto", metadata=said("exact, exhaustive, evolution, …", metavar="NAME")
    )
    resolutions: tuple[int, ...] | Literal["all"] | None = field(
        default=None,
        metadata=said(
            "image sizes; default: those on which the predictor was fitted", metavar="LIST|all"
        ),
    )
    tries: int = field(
        default=5,
        metadata=said("searches, each under a tighter bound, until the runtime's plan fits"),
    )
