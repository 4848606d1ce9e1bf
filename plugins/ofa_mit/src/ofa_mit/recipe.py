"""What a network in torch has beyond its geometry; data, without torch."""

from __future__ import annotations

from typing import Literal

from attrs import frozen


@frozen
class Recipe:
    """What the geometry does not say.

    Attributes:
        names: how published files name the tensors.
        kernels: sizes of the elastic depthwise convolutions; the stored one is the largest.
        matrices: smaller kernels are made by learned matrices; else they are cropped.
        eps: of batch norm.
        dropout: before the classifier, in training.
    """

    names: Literal["mobile", "residual"]
    kernels: tuple[int, ...] = ()
    matrices: bool = False
    eps: float = 1e-5
    dropout: float = 0.0
