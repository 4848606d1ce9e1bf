"""Extracted networks: plain torch layers, nothing elastic, no tie to where they came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from ofa_mit.elastic.modules import activation, layer, pooling, sequence
from ofa_mit.elastic.names import Names, Published
from ofa_mit.elastic.steps import Tensors, parts
from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.values import Arch

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


def static_block(block: Block, layers: Layers, dropout: float) -> nn.Module:
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


class StaticNetwork(Published, nn.Module):
    """An extracted subnet: one block after another; see ``interfaces.Subnet``.

    Args:
        arch: what was extracted.
        blocks: of the architecture, at its image size.
        tensors: (number of the block, op) -> its tensors; they are copied.
        names: of its tensors in published files.
        eps: of batch norm.
        dropout: before the classifier, in training.
    """

    def __init__(
        self,
        arch: Arch,
        blocks: Sequence[Block],
        tensors: Callable[[int, Op], Tensors],
        names: Names,
        eps: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.arch, self.blocks, self._names = arch, tuple(blocks), names
        self._layers: dict[tuple[int, str], nn.Sequential] = {}
        body: dict[str, nn.Module] = {}
        for number, block in enumerate(blocks):

            def layers(op: Op, number: int = number) -> nn.Module:
                made = layer(op, tensors(number, op), eps)
                self._layers[number, op.name] = made
                return made

            body[str(number)] = static_block(block, layers, dropout)
        self.body = sequence(**body)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, height, width) -> logits (n, classes)."""
        y: Tensor = self.body(x)
        return y

    def norms(self) -> dict[tuple[int, str], str]:
        """(number of the block, op) -> the name of the batch norm that follows it."""
        named = {id(module): name for name, module in self.named_modules()}
        return {
            key: named[id(part)]
            for key, found in self._layers.items()
            for part in found
            if isinstance(part, nn.BatchNorm2d)
        }

    def _published(self, layout: str) -> dict[str, Tensor]:
        prefixes = self._names.prefixes(self.blocks, layout)
        return {
            self._names.static_key(prefixes[number], op, name): tensor
            for (number, op), found in self._layers.items()
            for name, tensor in found.state_dict(keep_vars=True).items()
        }
