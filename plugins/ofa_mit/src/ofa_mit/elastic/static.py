"""Extracted networks: plain torch layers, nothing elastic, no tie to where they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ofa_mit.elastic.names import Names, load_strictly
from ofa_mit.elastic.steps import MOMENTUM, Tensors, parts
from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.values import Arch

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "h_swish": nn.Hardswish,
    "h_sigmoid": nn.Hardsigmoid,
}


class _Conv2d(nn.Conv2d):
    """A convolution whose weights come from elsewhere: filling them first would cost more time."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are: they are replaced at once."""


class _BatchNorm2d(nn.BatchNorm2d):
    """Batch norm whose tensors come from elsewhere."""

    def reset_parameters(self) -> None:
        """Leave the tensors as they are: they are replaced at once."""


class _Linear(nn.Linear):
    """A linear layer whose weights come from elsewhere."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are: they are replaced at once."""


class StaticLayer(nn.Sequential):
    """One op: ``conv`` (or ``linear``), then ``norm`` and ``act`` where they follow."""

    def __init__(self, op: Op, tensors: Tensors, eps: float) -> None:
        super().__init__()
        if op.role == "linear":
            self.linear = _linear(op, tensors)
            return
        self.conv = _conv(op, tensors)
        if tensors.norm is not None:
            self.norm = _norm(op, tensors, eps)
        if op.activation is not None:
            self.act = _activation(op.activation)


def _activation(name: str) -> nn.Module:
    made = _ACTIVATIONS[name]
    return made() if name == "h_sigmoid" else made(inplace=True)


def _conv(op: Op, tensors: Tensors) -> nn.Conv2d:
    conv = _Conv2d(
        op.channels_in,
        op.channels_out,
        op.kernel,
        op.stride,
        op.kernel // 2,
        groups=op.groups,
        bias=tensors.bias is not None,
        device="meta",
    )
    _fill(conv, weight=tensors.weight, bias=tensors.bias)
    return conv


def _linear(op: Op, tensors: Tensors) -> nn.Linear:
    linear = _Linear(op.channels_in, op.channels_out, tensors.bias is not None, device="meta")
    _fill(linear, weight=tensors.weight, bias=tensors.bias)
    return linear


def _norm(op: Op, tensors: Tensors, eps: float) -> nn.BatchNorm2d:
    assert tensors.norm is not None
    norm = _BatchNorm2d(op.channels_out, eps, MOMENTUM, device="meta")
    _fill(norm, weight=tensors.norm.gamma, bias=tensors.norm.beta)
    norm.running_mean = tensors.norm.mean.detach().clone()
    norm.running_var = tensors.norm.variance.detach().clone()
    norm.num_batches_tracked = torch.zeros((), dtype=torch.long, device=tensors.weight.device)
    return norm


def _fill(layer: nn.Module, **tensors: Tensor | None) -> None:
    """Parameters of its own: copies, laid out densely."""
    for name, tensor in tensors.items():
        if tensor is not None:
            own = tensor.detach().clone(memory_format=torch.contiguous_format)
            setattr(layer, name, nn.Parameter(own))


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


def _pool(op: Op) -> nn.Module:
    if op.name == "mean":
        return nn.AdaptiveAvgPool2d(1)
    if op.name == "max":
        return nn.MaxPool2d(op.kernel, op.stride, op.kernel // 2)
    return nn.AvgPool2d(op.kernel, op.stride, 0, ceil_mode=True, count_include_pad=False)


class StaticBlock(nn.Module):
    """A block: its main branch, and what is added to it."""

    def __init__(self, block: Block, layer: Callable[[Op], nn.Module], dropout: float) -> None:
        super().__init__()
        main, aside = parts(block)
        self.main = nn.Sequential()
        for ops in main:
            self._append(ops, layer, dropout)
        self.shortcut: nn.Module | None = None
        if aside or block.shortcut:
            made = {_name(op): _pool(op) if op.role == "pool" else layer(op) for op in aside}
            self.shortcut = nn.Sequential()
            for name, module in made.items():
                self.shortcut.add_module(name, module)
        self.act = None if block.activation is None else _activation(block.activation)

    def _append(self, ops: Sequence[Op], layer: Callable[[Op], nn.Module], dropout: float) -> None:
        first = ops[0]
        if first.role == "pool":
            self.main.add_module(_name(first), _pool(first))
        elif len(ops) == 2:
            self.main.add_module("se", SqueezeExcite(layer(ops[0]), layer(ops[1])))
        elif first.role == "linear":
            self.main.add_module("flatten", nn.Flatten())
            if dropout:
                self.main.add_module("dropout", nn.Dropout(dropout))
            self.main.add_module(_name(first), layer(first))
        else:
            self.main.add_module(_name(first), layer(first))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels in, height, width) -> (n, channels out, …); the classifier: (n, classes)."""
        y: Tensor = self.main(x)
        if self.shortcut is not None:
            y = y + self.shortcut(x)
        return y if self.act is None else self.act(y)


def _name(op: Op) -> str:
    return op.name.replace(".", "_")


class StaticNetwork(nn.Module):
    """An extracted subnet: one block after another.

    Args:
        arch: what was extracted.
        blocks: of its architecture, at its image size.
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
        self.arch = arch
        self.blocks, self._names = tuple(blocks), names
        layers: dict[tuple[int, str], StaticLayer] = {}

        def layer(number: int, op: Op) -> StaticLayer:
            made = layers[number, op.name] = StaticLayer(op, tensors(number, op), eps)
            return made

        self.body = nn.Sequential(
            *(
                StaticBlock(block, lambda op, n=number: layer(n, op), dropout)  # type: ignore[misc]
                for number, block in enumerate(blocks)
            )
        )
        self._layers = layers

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, height, width) -> logits (n, classes)."""
        y: Tensor = self.body(x)
        return y

    def norms(self) -> dict[tuple[int, str], str]:
        """(number of the block, op) -> the name of the batch norm that follows it."""
        names = {id(module): name for name, module in self.named_modules()}
        return {
            key: names[id(layer.norm)]
            for key, layer in self._layers.items()
            if hasattr(layer, "norm")
        }

    def _published(self, layout: str) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        prefixes = self._names.prefixes(self.blocks, layout)
        for (number, op), layer in self._layers.items():
            for name, tensor in layer.state_dict(keep_vars=True).items():
                found[self._names.static_key(prefixes[number], op, name)] = tensor
        return found

    def published(self, layout: str = "new") -> dict[str, Tensor]:
        """Its tensors under the published names of a static network, blocks numbered anew."""
        return {k: t.detach().clone() for k, t in self._published(layout).items()}

    def load_published(self, state: Mapping[str, Any], *, new_head: bool = False) -> None:
        """Load a static network of this architecture, in either layout, strictly.

        Raises:
            InputError: names what is missing, unexpected or of another shape.
        """
        load_strictly(self._published("new"), state, new_head=new_head)
