"""Levels that are resident side by side keep each number once.

Subnets of one supernet use leading slices of the same weights, and extraction copies them. Here
the copies are found again by what they hold, whoever extracted them: two tensors whose common
leading part is equal become two leading slices of one storage that is as large as both. A tensor
with which nothing agrees (a kernel made by a matrix, a level's statistics) stays on its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import prod
from typing import Any

import torch
from torch import Tensor, nn


def share(networks: Sequence[nn.Module]) -> None:
    """Let networks hold equal leading parts of their tensors once; for inference alone.

    Their tensors are replaced, and so are layers that would pack such a slice in every pass.

    Args:
        networks: on one device, none of them in training.
    """
    pool, places = _Pool(), list(_places(sorted(networks, key=tensor_bytes, reverse=True)))
    homes = [pool.home(tensor) for _, _, _, tensor in places]
    for (module, tensors, name, tensor), home in zip(places, homes, strict=True):
        view = home.slice_of(tensor)
        is_parameter = tensors is module._parameters
        tensors[name] = nn.Parameter(view, requires_grad=False) if is_parameter else view
    for module, _, _, _ in places:
        if is_strided_pointwise(module):
            module.__class__ = PointwiseView


def tensor_bytes(network: nn.Module) -> int:
    """Of the storages that a network's tensors lie in, each counted once."""
    return storage_bytes([*network.parameters(), *network.buffers()])


def storage_bytes(tensors: Iterable[Tensor]) -> int:
    """Of distinct storages."""
    storages = (t.untyped_storage() for t in tensors)
    return sum({s.data_ptr(): s.nbytes() for s in storages}.values())


def _places(networks: Iterable[nn.Module]) -> Iterator[tuple[nn.Module, Any, str, Tensor]]:
    """A module, the dict in which it holds a tensor, the tensor's name there, and the tensor."""
    for network in networks:
        for module in network.modules():
            for tensors in (module._parameters, module._buffers):
                for name, tensor in tensors.items():
                    if tensor is not None:
                        yield module, tensors, name, tensor.detach()


class _Home:
    """A storage in the making: tensors that agree wherever two of them overlap."""

    def __init__(self, tensor: Tensor) -> None:
        self.shape = tuple(tensor.shape)
        self.members = [tensor]
        self._whole: Tensor | None = None

    def takes(self, tensor: Tensor) -> bool:
        """Take a tensor in, if it agrees and room for both is no more than room for each."""
        shape = tuple(map(max, self.shape, tensor.shape))
        apart = prod(self.shape) + tensor.numel()
        if prod(shape) > apart or not all(_agree(tensor, m) for m in self.members):
            return False
        self.shape = shape
        if not any(_inside(tensor, m) for m in self.members):
            self.members = [m for m in self.members if not _inside(m, tensor)] + [tensor]
        return True

    def slice_of(self, tensor: Tensor) -> Tensor:
        """The part of the storage that holds a tensor's numbers."""
        if self._whole is None:
            self._whole = self._filled()
        return self._whole[_leading(tensor.shape)]

    def _filled(self) -> Tensor:
        whole = self.members[0].new_zeros(self.shape)
        for member in self.members:
            whole[_leading(member.shape)] = member
        return whole


class _Pool:
    """Storages, found by the first number of what lies in them."""

    def __init__(self) -> None:
        self._known: dict[object, list[_Home]] = {}

    def home(self, tensor: Tensor) -> _Home:
        """The storage that a tensor is to lie in."""
        first = tensor[(0,) * tensor.ndim].item() if tensor.numel() else None
        known = self._known.setdefault((tensor.dtype, tensor.ndim, first), [])
        for home in known:
            if home.takes(tensor):
                return home
        known.append(_Home(tensor))
        return known[-1]


def _leading(shape: Iterable[int]) -> tuple[slice, ...]:
    return tuple(slice(0, n) for n in shape)


def _agree(one: Tensor, two: Tensor) -> bool:
    common = _leading(map(min, one.shape, two.shape))
    return torch.equal(one[common], two[common])


def _inside(one: Tensor, two: Tensor) -> bool:
    return all(a <= b for a, b in zip(one.shape, two.shape, strict=True))


class PointwiseView(nn.Conv2d):
    """A pointwise convolution by a slice of columns, as a product of matrices.

    torch's convolution packs such a slice anew in every pass; a product takes it as it lies.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(n, in, height, width) -> (n, out, height, width); several images take the packing."""
        if len(x) != 1 or not x.is_contiguous():
            return super().forward(x)
        into, height, width = x.shape[1:]
        weight, pixels = self.weight.view(-1, into), x.view(into, height * width)
        if self.bias is None:
            y = torch.mm(weight, pixels)
        else:
            y = torch.addmm(self.bias.unsqueeze(1), weight, pixels)
        return y.view(1, -1, height, width)


def is_strided_pointwise(module: nn.Module) -> bool:
    """Whether ``PointwiseView`` does the same on the weights that a module holds."""
    return (
        type(module) is nn.Conv2d
        and module.kernel_size == (1, 1)
        and module.stride == (1, 1)
        and module.padding == (0, 0)
        and module.groups == 1
        and not module.weight.is_contiguous()
        and module.weight.stride(1) == 1
    )
