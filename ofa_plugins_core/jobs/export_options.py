"""The options of ``ofa run export``, and those that it shares with deploy; no torch here."""

from __future__ import annotations

from typing import Literal

from attrs import field, frozen

from ofa_plugins_core.jobs.torch_options import ArchOptions, DataOptions, NetworkOptions, said


@frozen(kw_only=True, slots=False)
class FileOptions:
    """What file is written, how it is quantised, and when it is refused."""

    format: Literal["onnx", "executorch"] = field(
        default="onnx", metadata=said("of the file; executorch needs the extra [executorch]")
    )
    backend: Literal["xnnpack", "portable"] = field(
        default="xnnpack", metadata=said("of ExecuTorch; int8 is for xnnpack")
    )
    fixed_batch: bool = field(
        default=False, metadata=said("one image at a time; ExecuTorch's files always are so")
    )
    calibrate: int = field(
        default=2000,
        metadata=said("training images to measure batch norm on; 0: the supernet's own statistics"),
    )
    calibration: Literal["minmax", "entropy", "percentile"] = field(
        default="minmax",
        metadata=said(
            "minmax, entropy or percentile: how int8 finds the ranges of activations, for onnx",
            metavar="HOW",
        ),
    )
    images: int = field(
        default=200, metadata=said("images to find int8's ranges with, and to compare on")
    )
    tolerance: float = field(
        default=1e-4,
        metadata=said("most that a float file may differ, of the largest logit"),
    )
    least_sqnr: float | None = field(
        default=None,
        metadata=said(
            "least signal to noise of an int8 file's logits; default: 3, and none for synthetic "
            "weights",
            metavar="DB",
        ),
    )


@frozen(kw_only=True, slots=False)
class ExportOptions(FileOptions, DataOptions, ArchOptions, NetworkOptions):
    """Options of ``ofa run export``."""

    dtype: Literal["fp32", "int8"] = field(
        default="fp32", metadata=said("of weights and activations; int8 calibrates on --data")
    )
