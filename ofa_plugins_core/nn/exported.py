"""What is known of a written network: how far its logits are from the eager one's. No torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, Literal, TypeAlias

import numpy as np
from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.values import Measurement

Images: TypeAlias = NDArray[np.float32]
"""(n, 3, size, size), normalised as the network takes them."""
Format = Literal["onnx", "executorch"]
DType = Literal["fp32", "int8"]

TOLERANCE: Final = 1e-4
"""Most that a float file may differ: of the largest eager logit."""
LEAST_SQNR: Final = 3.0
"""Least signal to quantisation noise of an int8 file of trained weights, in dB: beyond it the
error is half as strong as the logits."""


@frozen
class Difference:
    """How far logits are from the eager network's.

    Attributes:
        maximum: largest difference of one logit.
        relative: the same, over the largest eager logit.
        sqnr: signal to noise ratio, in dB: 10 log10 of the logits' power over the error's; inf
            where they are equal.
        cosine: of the angle between the two, over all logits.
        top1: share of inputs with the same best class.
        inputs: how many images were compared.
    """

    maximum: float
    relative: float
    sqnr: float
    cosine: float
    top1: float
    inputs: int


@frozen
class Exported:
    """A file that was checked in its runtime.

    Attributes:
        path: its name.
        format: ``onnx`` or ``executorch``.
        dtype: of weights and activations.
        bytes: its size.
        difference: to the eager network in float32.
        runtime: in which it ran, with its version.
        given: how many of the compared inputs were given images; the others are random.
        notes: what the user should know.
    """

    path: Path
    format: Format
    dtype: DType
    bytes: int
    difference: Difference
    runtime: str
    given: int = 0
    notes: tuple[str, ...] = field(default=())

    @property
    def max_difference(self) -> float:
        """Largest difference of one logit."""
        return self.difference.maximum

    @property
    def relative_difference(self) -> float:
        """The largest difference over the largest eager logit."""
        return self.difference.relative

    @property
    def top1_agreement(self) -> float:
        """Share of the checked inputs with the same best class."""
        return self.difference.top1

    @property
    def inputs_checked(self) -> int:
        """How many images were compared."""
        return self.difference.inputs

    def measurements(self) -> dict[str, Measurement]:
        """Name -> number, with its unit; all of them measured in the runtime."""
        found = self.difference
        values: dict[str, tuple[float, str]] = {
            "file_bytes": (self.bytes, "bytes"),
            "max_difference": (found.maximum, "logits"),
            "relative_difference": (found.relative, "of the largest logit"),
            "top1_agreement": (100 * found.top1, "%"),
        }
        if math.isfinite(found.sqnr):
            values["sqnr"] = (found.sqnr, "dB")
        values["cosine"] = (found.cosine, "1")
        values["inputs_checked"] = (found.inputs, "images")
        return {
            name: Measurement(value, unit, "measured", self.runtime)
            for name, (value, unit) in values.items()
        }
