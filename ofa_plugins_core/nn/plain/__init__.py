"""Plain networks in torch, from the geometry alone: extracted subnets, and what devices time."""

from ofa_plugins_core.nn.plain.blocks import block_module
from ofa_plugins_core.nn.plain.layers import layer, sequence
from ofa_plugins_core.nn.plain.tensors import MOMENTUM, Norm, Tensors

__all__ = ["MOMENTUM", "Norm", "Tensors", "block_module", "layer", "sequence"]
