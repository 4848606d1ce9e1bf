"""Channel sorting: the channels inside a block in the order of their importance.

A channel's importance is the L1 norm of what reads it: its column in the projecting convolution.
Every layer that touches the channels is permuted alike, so the widest block computes the same
function. Source: Once-for-All (ICLR 2020), section 3.3, and the published training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from ofa_mit.elastic.layers import ElasticLayer
from ofa_plugins_core.geometry import Block, make_divisible


def sort_block(
    widest: Block, layers: Mapping[str, ElasticLayer], widths: Sequence[int], phase: int
) -> None:
    """Sort the channels inside a block.

    Args:
        widest: the block at its widest.
        layers: by the names of their ops.
        widths: channels inside, decreasing, one an expand ratio.
        phase: i: sort inside the bounds of the i + 1 first widths alone; 0: sort all.
    """
    bounds = widths[: phase + 1]
    if widest.stage is not None and "project" in layers and "expand" in layers:
        _sort_mobile(layers, bounds)
    elif "spatial" in layers:
        _sort_bottleneck(layers, bounds)


def _sort_mobile(layers: Mapping[str, ElasticLayer], bounds: Sequence[int]) -> None:
    order = _order(_read_by(layers["project"]), bounds)
    for name in ("expand", "depthwise"):
        _permute_outputs(layers[name], order)
    _permute_inputs(layers["project"], order)
    if "se.reduce" in layers:
        reduce, expand = layers["se.reduce"], layers["se.expand"]
        _permute_inputs(reduce, order)
        _permute_outputs(expand, order)
        hidden = _order(_read_by(expand), [make_divisible(w // 4, 8) for w in bounds])
        _permute_outputs(reduce, hidden)
        _permute_inputs(expand, hidden)


def _sort_bottleneck(layers: Mapping[str, ElasticLayer], bounds: Sequence[int]) -> None:
    """First what the last convolution reads, then what the spatial one reads."""
    for producer, reader in (("spatial", "expand"), ("reduce", "spatial")):
        order = _order(_read_by(layers[reader]), bounds)
        _permute_outputs(layers[producer], order)
        _permute_inputs(layers[reader], order)


def _read_by(layer: ElasticLayer) -> Tensor:
    """(channels in,) L1 norms of a layer's columns."""
    return layer.weight.detach().abs().sum(dim=(0, 2, 3))


def _order(importance: Tensor, bounds: Sequence[int]) -> Tensor:
    """The channels by importance, decreasing, inside each stretch between the bounds."""
    edges = sorted({0, len(importance), *(b for b in bounds if b < len(importance))})
    parts = [
        start + torch.argsort(importance[start:end], descending=True, stable=True)
        for start, end in pairwise(edges)
    ]
    return torch.cat(parts)


def _permute_outputs(layer: ElasticLayer, order: Tensor) -> None:
    """Rows of the weights, bias and batch norm; a depthwise convolution's channels."""
    tensors: list[Tensor | None] = [layer.weight, layer.bias]
    if layer.norm is not None:
        norm = layer.norm
        tensors += [norm.weight, norm.bias, norm.running_mean, norm.running_var]
    for tensor in tensors:
        if tensor is not None:
            tensor.copy_(tensor[order])


def _permute_inputs(layer: ElasticLayer, order: Tensor) -> None:
    """Columns of the weights."""
    layer.weight.copy_(layer.weight[:, order])
