"""Extracted networks: plain torch layers, nothing elastic, no tie to where they came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from ofa_mit.elastic.names import Names, Published
from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.nn.plain import Tensors, block_module, layer, sequence
from ofa_plugins_core.values import Arch


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

            body[str(number)] = block_module(block, layers, dropout)
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
