"""One process, or several that torchrun started: who does which share, and sums over all.

torchrun sets RANK, WORLD_SIZE, LOCAL_RANK and an address to meet at. Process 0 leads: it alone
reports, writes and prints.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import torch
import torch.distributed as dist
from attrs import frozen
from torch import Tensor

from ofa_plugins_core.errors import UsageError

BACKENDS: Final = {"cpu": "gloo", "cuda": "nccl"}


@frozen
class Processes:
    """This process among those that work together.

    Attributes:
        rank: its number, from 0.
        count: how many there are.
        device: where this one computes.
    """

    rank: int
    count: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this one reports, writes and prints."""
        return self.rank == 0

    @property
    def share(self) -> tuple[int, int]:
        """(number, of): which batches are this one's."""
        return self.rank, self.count

    def total(self, values: Tensor) -> Tensor:
        """The sum of a vector over all processes, on the CPU."""
        if self.count == 1:
            return values
        moved = values.to(self.device)
        dist.all_reduce(moved)
        return moved.cpu()

    def count_all(self, mine: int) -> int:
        """The sum of a number over all processes."""
        return int(self.total(torch.tensor([mine], dtype=torch.float64)))

    def meet(self) -> None:
        """Wait until all have come here."""
        if self.count > 1:
            dist.barrier()


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, or be the only one.

    Args:
        device: ``cpu`` or ``cuda``; of several GPUs each process takes one.

    Raises:
        UsageError: there is no such device.
    """
    rank, count = _number("RANK", 0), _number("WORLD_SIZE", 1)
    place = _device(device)
    if count == 1:
        yield Processes(0, 1, place)
        return
    dist.init_process_group(BACKENDS[place.type])
    found = Processes(rank, count, place)
    found.meet()
    yield found  # after an error the others may wait for ever: leaving is left to torchrun
    dist.destroy_process_group()


def _device(name: str) -> torch.device:
    if name != "cuda":
        return torch.device(name)
    if not torch.cuda.is_available():
        built = "torch here is built without CUDA" if torch.version.cuda is None else "no GPU found"
        raise UsageError(f"--device cuda: {built}", advice="--device cpu works everywhere")
    place = torch.device("cuda", _number("LOCAL_RANK", 0))
    torch.cuda.set_device(place)
    return place
