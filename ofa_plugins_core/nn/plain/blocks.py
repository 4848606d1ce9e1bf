"""A block of the geometry as a plain torch module: what runs when a subnet stands alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from ofa_plugins_core.geometry import Block, Op, parts
from ofa_plugins_core.nn.plain.layers import activation, pooling, sequence

Layers = Callable[[Op], nn.Module]


class SqueezeExcite(nn.Module):
    """Scales each channel by a gate that is worked out from all channels' means."""

    def __init__(self, reduce: nn.Module, expand: nn.Module) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = reduce
        self.expand = expand

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, height, width) -> the same shape."""
        gate: Tensor = self.expand(self.reduce(self.pool(x)))
        return x * gate


class Sum(nn.Module):
    """A branch added to its input, or to what a projection makes of it."""

    def __init__(self, main: nn.Module, shortcut: nn.Module, act: nn.Module | None) -> None:
        super().__init__()
        self.main, self.shortcut, self.act = main, shortcut, act

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels in, height, width) -> (n, channels out, height, width)."""
        y: Tensor = self.main(x) + self.shortcut(x)
        return y if self.act is None else self.act(y)


def block_module(block: Block, layers: Layers, dropout: float = 0.0) -> nn.Module:
    """A block as a module.

    Args:
        layers: an op that has tensors -> its module.
        dropout: before the classifier, in training.
    """
    chain, aside = parts(block)
    main: dict[str, nn.Module] = {}
    for ops in chain:
        main.update(_joined(ops, layers, dropout))
    if not (aside or block.shortcut):
        return sequence(**main)
    shortcut = sequence(**{_name(op): _single(op, layers) for op in aside})
    act = None if block.activation is None else activation(block.activation)
    return Sum(sequence(**main), shortcut, act)


def _joined(ops: Sequence[Op], layers: Layers, dropout: float) -> dict[str, nn.Module]:
    if len(ops) == 2:
        return {"se": SqueezeExcite(layers(ops[0]), layers(ops[1]))}
    (op,) = ops
    if op.role != "linear":
        return {_name(op): _single(op, layers)}
    before: dict[str, nn.Module] = {"flatten": nn.Flatten()}
    if dropout:
        before["dropout"] = nn.Dropout(dropout)
    return {**before, _name(op): layers(op)}


def _single(op: Op, layers: Layers) -> nn.Module:
    return pooling(op) if op.role == "pool" else layers(op)


def _name(op: Op) -> str:
    return op.name.replace(".", "_")  # torch forbids dots in names of modules
