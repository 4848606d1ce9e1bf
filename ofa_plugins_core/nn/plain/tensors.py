"""The tensors of an op, and how the ops of a block are joined: of plain and of elastic networks."""

from __future__ import annotations

from typing import Final, NamedTuple

from torch import Tensor

from ofa_plugins_core.geometry import Block, Op

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


def parts(block: Block) -> tuple[tuple[tuple[Op, ...], ...], tuple[Op, ...]]:
    """The ops of a block by how they are joined: (main branch, shortcut).

    The main branch is a chain of single ops, and of pairs: squeeze-excite's reduce and expand.
    """
    main: list[tuple[Op, ...]] = []
    shortcut: list[Op] = []
    for op in block.ops:
        if op.name.startswith("shortcut"):
            shortcut.append(op)
        elif op.name == "se.expand":
            main[-1] = (*main[-1], op)
        else:
            main.append((op,))
    return tuple(main), tuple(shortcut)
