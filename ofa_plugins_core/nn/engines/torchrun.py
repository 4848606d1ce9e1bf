"""torch.distributed: gloo between CPUs, NCCL between GPUs.

torchrun sets RANK, WORLD_SIZE, LOCAL_RANK and an address to meet at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, Final

import torch
import torch.distributed as dist
from attrs import frozen
from torch import Tensor

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.nn.engines import (
    HOW,
    NOT_MET,
    Compress,
    Engine,
    contiguous,
    device_of,
    needing_all,
    number,
)
from ofa_plugins_core.nn.engines.ending import ended_by_launcher

BACKENDS: Final = {"cpu": "gloo", "cuda": "nccl"}


@frozen(eq=False)
class Torchrun(Engine):
    """One of the processes of torchrun.

    Attributes:
        compress: what is averaged travels in this type.
    """

    name: ClassVar[str] = "torchrun"

    compress: Compress

    def mean_(self, tensor: Tensor, name: str) -> None:
        """A sum of parts, as gloo has no mean: what is divided later could pass fp16's range."""
        with contiguous(tensor) as values:
            values.div_(self.count)
            sent = values.half() if self.compress == "fp16" else values
            self._reduce(sent)
            values.copy_(sent)

    def sum_(self, tensor: Tensor, name: str) -> None:
        """torch.distributed goes by order: the name is for engines that go by names."""
        with contiguous(tensor) as values:
            self._reduce(values)

    def broadcast_(self, tensor: Tensor, name: str) -> None:
        """From process 0, in place."""
        with contiguous(tensor) as values, needing_all():
            dist.broadcast(values, 0)

    def _reduce(self, values: Tensor) -> None:
        with needing_all():
            dist.all_reduce(values)


def started() -> bool:
    """Whether torchrun has started this process and others."""
    return number("WORLD_SIZE", 1) > 1


@contextmanager
def joined(device: str, compress: Compress) -> Iterator[Engine]:
    """Join the processes that torchrun started.

    Raises:
        UsageError: there is no such device; the environment is incomplete.
        PeerLostError: another was gone before all had met, or torchrun ends this one.
    """
    rank, count = number("RANK", 0), number("WORLD_SIZE", 1)
    place = device_of(device, number("LOCAL_RANK", 0))
    with ended_by_launcher():
        _meet(place)
        found = Torchrun(rank, count, place, compress)
        found.meet()
        yield found  # after an error the others are not waited for: they find this one gone
        dist.destroy_process_group()


def _meet(place: torch.device) -> None:
    try:
        with needing_all(NOT_MET):
            dist.init_process_group(BACKENDS[place.type], device_id=_own(place))
    except ValueError as error:  # of the environment: no address, say
        said = f"torchrun's part of the environment is incomplete: {error}"
        raise UsageError(said, advice=f"start it with: {HOW['torchrun']}") from error


def _own(place: torch.device) -> torch.device | None:
    """NCCL wants to know its GPU, gloo knows no device."""
    return place if place.type == "cuda" else None
