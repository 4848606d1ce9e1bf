"""How an op and a block run, as functions of tensors: the same for elastic and static networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 - torch's own name for it

from ofa_plugins_core.geometry import Block, Op, parts
from ofa_plugins_core.nn.plain import MOMENTUM, Tensors

Step = Callable[[Tensor], Tensor]

ACTIVATIONS: Final[dict[str | None, Callable[[Tensor, bool], Tensor]]] = {
    "relu": F.relu,
    "relu6": F.relu6,
    "h_swish": F.hardswish,
    "h_sigmoid": F.hardsigmoid,
}


def activate(x: Tensor, name: str | None, inplace: bool = False) -> Tensor:
    """Apply an activation by its name in the geometry; None leaves x as it is."""
    return x if name is None else ACTIVATIONS[name](x, inplace)


def run_op(op: Op, tensors: Tensors, eps: float, x: Tensor, training: bool) -> Tensor:
    """Convolution or linear layer, batch norm, activation.

    Args:
        x: (n, in, height, width); (n, in) for a linear layer.
        training: normalise by the batch, and move the running statistics towards it.
    """
    if op.role == "linear":
        return F.linear(x, tensors.weight, tensors.bias)
    x = F.conv2d(x, tensors.weight, tensors.bias, op.stride, op.kernel // 2, 1, op.groups)
    if (norm := tensors.norm) is not None:
        x = F.batch_norm(
            x, norm.mean, norm.variance, norm.gamma, norm.beta, training, MOMENTUM, eps
        )
    return activate(x, op.activation)


def prepared_op(op: Op, tensors: Tensors, eps: float) -> Step:
    """An op in evaluation, bound to its tensors: as little Python a call as there can be."""
    if op.role == "linear":
        return lambda x: F.linear(x, tensors.weight, tensors.bias)
    convolved, norm = _convolution(op, tensors), tensors.norm
    act = None if op.activation is None else ACTIVATIONS[op.activation]

    def conv(x: Tensor) -> Tensor:
        x = convolved(x)
        if norm is not None:
            x = torch.batch_norm(
                x, norm.gamma, norm.beta, norm.mean, norm.variance, False, 0.0, eps, True
            )
        return x if act is None else act(x, True)

    return conv


def _convolution(op: Op, tensors: Tensors) -> Step:
    weight, bias = tensors.weight, tensors.bias
    if is_pointwise(op) and not weight.is_contiguous():
        return _product(weight, bias)
    stride, padding, groups = [op.stride] * 2, [op.kernel // 2] * 2, op.groups
    one = [1, 1]
    return lambda x: torch.conv2d(x, weight, bias, stride, padding, one, groups)


def is_pointwise(op: Op) -> bool:
    """Whether an op is a product of matrices: each pixel by itself, all channels together."""
    return op.role != "linear" and (op.kernel, op.stride, op.groups) == (1, 1, 1)


def _product(weight: Tensor, bias: Tensor | None) -> Step:
    """A pointwise convolution by a slice of columns, which a product takes as it lies.

    A convolution packs the slice in every pass; so it is for several images, packed once.
    """
    matrix, packed = weight.flatten(1), list[Tensor]()

    def conv(x: Tensor) -> Tensor:
        if len(x) != 1 or not x.is_contiguous():
            if not packed:
                packed.append(weight.contiguous(memory_format=torch.channels_last))
            return torch.conv2d(x, packed[0], bias)
        into, height, width = x.shape[1:]
        y = torch.mm(matrix, x.view(into, height * width))
        y = y if bias is None else y.add_(bias.unsqueeze(1))
        return y.view(1, -1, height, width)

    return conv


def pooled(op: Op, x: Tensor) -> Tensor:
    """A pooling: ``mean`` is global, ``max`` padded by half its window, the shortcut's averages.

    A window of the average that sticks out is divided by the elements that it really has.
    """
    if op.name == "mean":
        return F.adaptive_avg_pool2d(x, 1)
    if op.name == "max":
        return F.max_pool2d(x, op.kernel, op.stride, op.kernel // 2)
    return F.avg_pool2d(x, op.kernel, op.stride, 0, ceil_mode=True, count_include_pad=False)


def squeeze_excited(x: Tensor, reduce: Step, expand: Step) -> Tensor:
    """x times its channels' gates, worked out from their global means."""
    return x * expand(reduce(F.adaptive_avg_pool2d(x, 1)))


def block_step(block: Block, of: Callable[[Op], Step]) -> Step:
    """A block as one function.

    Args:
        of: an op that has tensors -> its function.
    """
    chain, aside = parts(block)
    main = [_joined(ops, of) for ops in chain]
    shortcut = [_joined((op,), of) for op in aside]
    if not (shortcut or block.shortcut):
        return _run_all(main)
    return _residual(main, shortcut, block.activation)


def _joined(ops: Sequence[Op], of: Callable[[Op], Step]) -> Step:
    if ops[0].role == "pool":
        (op,) = ops
        return lambda x: pooled(op, x)
    if len(ops) == 2:
        reduce, expand = of(ops[0]), of(ops[1])
        return lambda x: squeeze_excited(x, reduce, expand)
    step = of(ops[0])
    return (lambda x: step(x.flatten(1))) if ops[0].role == "linear" else step


def _run_all(steps: Sequence[Step]) -> Step:
    def run(x: Tensor) -> Tensor:
        for step in steps:
            x = step(x)
        return x

    return run


def _residual(main: Sequence[Step], shortcut: Sequence[Step], activation: str | None) -> Step:
    branch, aside = _run_all(main), _run_all(shortcut)
    return lambda x: activate(branch(x) + aside(x), activation)
