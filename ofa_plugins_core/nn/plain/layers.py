"""Plain torch layers for extracted networks, made quickly.

A layer's ``__init__`` fills weights that are replaced at once, and sets some twenty attributes one
by one; over the 220 modules of a subnet that takes longer than running it. So a layer of each
shape is made once, without memory, and others are copied from it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

import torch
from torch import Tensor, nn

from ofa_plugins_core.geometry import Op
from ofa_plugins_core.nn.plain.tensors import MOMENTUM, Norm, Tensors

M = TypeVar("M", bound=nn.Module)

_ACTIVATIONS: Final[dict[str, Callable[[], nn.Module]]] = {
    "relu": lambda: nn.ReLU(inplace=True),
    "relu6": lambda: nn.ReLU6(inplace=True),
    "h_swish": lambda: nn.Hardswish(inplace=True),
    "h_sigmoid": lambda: nn.Hardsigmoid(),
}


def like(prototype: M) -> M:
    """A module with the prototype's settings, and neither its tensors nor its parts or hooks."""
    made = object.__new__(type(prototype))
    for name, value in prototype.__dict__.items():
        made.__dict__[name] = type(value)() if isinstance(value, dict | set) else value
    return made


def sequence(**modules: nn.Module) -> nn.Sequential:
    """Modules one after another, by name."""
    made = like(_EMPTY)
    made._modules.update(modules)
    return made


_EMPTY: Final = nn.Sequential()


def layer(op: Op, tensors: Tensors, eps: float) -> nn.Sequential:
    """One op with copies of its tensors: ``conv`` or ``linear``, then ``norm`` and ``act``."""
    if op.role == "linear":
        return sequence(linear=_linear(op, tensors))
    found: dict[str, nn.Module] = {"conv": _conv(op, tensors)}
    if tensors.norm is not None:
        found["norm"] = _norm(tensors.norm, eps)
    if op.activation is not None:
        found["act"] = activation(op.activation)
    return sequence(**found)


def activation(name: str) -> nn.Module:
    """An activation by its name in the geometry."""
    return like(_activation_like(name))


def pooling(op: Op) -> nn.Module:
    """A pooling: ``mean`` is global, ``max`` padded by half its window, the shortcut's averages.

    A window of the average that sticks out is divided by the elements that it really has.
    """
    if op.name == "mean":
        return nn.AdaptiveAvgPool2d(1)
    if op.name == "max":
        return nn.MaxPool2d(op.kernel, op.stride, op.kernel // 2)
    return nn.AvgPool2d(op.kernel, op.stride, 0, ceil_mode=True, count_include_pad=False)


@lru_cache
def _activation_like(name: str) -> nn.Module:
    return _ACTIVATIONS[name]()


@lru_cache(maxsize=4096)
def _conv_like(into: int, out: int, kernel: int, stride: int, groups: int, bias: bool) -> nn.Conv2d:
    return nn.Conv2d(
        into, out, kernel, stride, kernel // 2, groups=groups, bias=bias, device="meta"
    )


@lru_cache(maxsize=1024)
def _linear_like(into: int, out: int, bias: bool) -> nn.Linear:
    return nn.Linear(into, out, bias, device="meta")


@lru_cache(maxsize=1024)
def _norm_like(channels: int, eps: float) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps, MOMENTUM, device="meta")


def _conv(op: Op, tensors: Tensors) -> nn.Conv2d:
    shape = (op.channels_in, op.channels_out, op.kernel, op.stride, op.groups)
    made = like(_conv_like(*shape, tensors.bias is not None))
    made._parameters.update(weight=_own(tensors.weight), bias=_own(tensors.bias))
    return made


def _linear(op: Op, tensors: Tensors) -> nn.Linear:
    made = like(_linear_like(op.channels_in, op.channels_out, tensors.bias is not None))
    made._parameters.update(weight=_own(tensors.weight), bias=_own(tensors.bias))
    return made


def _norm(norm: Norm, eps: float) -> nn.BatchNorm2d:
    made = like(_norm_like(len(norm.gamma), eps))
    made._parameters.update(weight=_own(norm.gamma), bias=_own(norm.beta))
    made._buffers.update(
        running_mean=norm.mean.detach().clone(),
        running_var=norm.variance.detach().clone(),
        num_batches_tracked=torch.zeros((), dtype=torch.long, device=norm.mean.device),
    )
    return made


def _own(tensor: Tensor | None) -> nn.Parameter | None:
    """A parameter that is a copy, laid out densely."""
    if tensor is None:
        return None
    return nn.Parameter(tensor.detach().clone(memory_format=torch.contiguous_format))
