"""The tensors of an op, of plain and of elastic networks."""

from __future__ import annotations

from typing import Final, NamedTuple

from torch import Tensor

MOMENTUM: Final = 0.1
"""Weight of a batch in batch norm's running statistics (specs: conventions)."""


class Norm(NamedTuple):
    """Batch norm's tensors, each (channels,)."""

    gamma: Tensor
    beta: Tensor
    mean: Tensor
    variance: Tensor


class Tensors(NamedTuple):
    """The tensors of one op at one width.

    Attributes:
        weight: (out, in / groups, kernel, kernel), of a linear layer (out, in).
        bias: (out,) or None.
        norm: where batch norm follows.
    """

    weight: Tensor
    bias: Tensor | None = None
    norm: Norm | None = None
