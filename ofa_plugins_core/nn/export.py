"""Networks as files that run elsewhere: ONNX and ExecuTorch, each checked in its runtime.

A file is written beside its place, run in its runtime on random and on given images, compared with
the eager network, and only then given its name.
"""

from __future__ import annotations

from ofa_plugins_core.nn.card import Card
from ofa_plugins_core.nn.checking import random_images
from ofa_plugins_core.nn.executorch_export import int8_executorch, to_executorch
from ofa_plugins_core.nn.exported import LEAST_SQNR, TOLERANCE, Difference, Exported
from ofa_plugins_core.nn.onnx_export import onnx_run, to_onnx
from ofa_plugins_core.nn.quantise import int8_onnx

__all__ = [
    "LEAST_SQNR",
    "TOLERANCE",
    "Card",
    "Difference",
    "Exported",
    "int8_executorch",
    "int8_onnx",
    "onnx_run",
    "random_images",
    "to_executorch",
    "to_onnx",
]
