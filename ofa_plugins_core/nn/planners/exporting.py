"""Networks as the files that planners read: of the exporters, without their checks of accuracy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from ofa_plugins_core.nn.checking import random_images
from ofa_plugins_core.nn.folded import folded
from ofa_plugins_core.nn.onnx_export import needed, onnx_model
from ofa_plugins_core.nn.quantise import quantised_model

CALIBRATION = 2
"""Random images: a plan does not depend on the ranges that are found with them."""


def float_file(module: nn.Module, size: int, path: Path) -> Path:
    """Write a network as ONNX for one image of ``size`` pixels, as ``to_onnx`` does.

    Raises:
        MissingExtraError: onnx, onnxscript or onnxruntime is not installed.
    """
    needed()
    path.write_bytes(onnx_model(folded(module), size, False).SerializeToString())
    return path


def int8_file(float_onnx: Path, size: int, path: Path) -> Path:
    """Quantise it as ``int8_onnx`` does, calibrated on random images."""
    generator = np.random.Generator(np.random.PCG64(0))
    images = [random_images(1, size, generator) for _ in range(CALIBRATION)]
    path.write_bytes(quantised_model(float_onnx, images, "minmax").SerializeToString())
    return path
