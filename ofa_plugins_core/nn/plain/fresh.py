"""Blocks with fresh weights: what is timed, where the values of weights do not matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.nn.plain.blocks import block_module
from ofa_plugins_core.nn.plain.layers import layer, sequence
from ofa_plugins_core.nn.plain.tensors import Norm, Tensors

EPS: Final = 1e-5
"""Of batch norm; no device's time depends on it."""


def fresh_network(blocks: Sequence[Block], seed: int = 0) -> nn.Module:
    """Blocks one after another with random weights of a sound size, in evaluation mode.

    Its numbers stay finite and far from denormal ones, which processors are slow with.

    Args:
        blocks: at least one; (n, channels, height, width) goes in.
    """
    generator = torch.Generator().manual_seed(seed)

    def made(op: Op) -> nn.Module:
        return layer(op, _tensors(op, generator), EPS)

    body = {str(number): block_module(block, made) for number, block in enumerate(blocks)}
    return sequence(**body).eval()


def _tensors(op: Op, generator: torch.Generator) -> Tensors:
    into = op.channels_in // op.groups
    square = [] if op.role == "linear" else [op.kernel] * 2
    scale = math.sqrt(2.0 / (into * op.kernel**2))  # He et al. (2015): variance stays as it is
    weight = scale * torch.randn(op.channels_out, into, *square, generator=generator)
    bias = torch.zeros(op.channels_out) if op.bias else None
    return Tensors(weight, bias, _norm(op.channels_out) if op.norm else None)


def _norm(channels: int) -> Norm:
    ones: Tensor = torch.ones(channels)
    return Norm(ones, torch.zeros(channels), torch.zeros(channels), ones)
