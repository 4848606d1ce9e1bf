"""The processes that work together, behind one small interface, and the engines that join them.

An engine is one process alone, torch.distributed (started by torchrun) or Horovod (started by
horovodrun); each lies in a file of its own, and nothing else knows how processes talk. Process 0
leads: it alone reports, writes and prints.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ClassVar, Final, Literal, TypeAlias

import torch
from attrs import frozen
from torch import Tensor

from ofa_plugins_core.errors import PeerLostError, UsageError

EngineName: TypeAlias = Literal["auto", "alone", "torchrun", "horovod"]
Compress: TypeAlias = Literal["none", "fp16"]
"""What tensors that are averaged are cast to on their way."""

HOW: Final = {
    "torchrun": "torchrun --nproc-per-node 2 --no-python ofa run train …",
    "horovod": "OMP_NUM_THREADS=1 horovodrun -np 2 ofa run train …",
}
"""Engine -> how it is started."""

NOT_MET: Final = "the workers have not all met"

MISTAKES: Final = ("Mismatched", "enforce fail", "Invalid scalar type", "not supported")
"""Words of errors that come of wrong use of a collective operation, not of a lost worker."""

COUNTS: Final = ("WORLD_SIZE", "HOROVOD_SIZE")
"""Where the launchers say how many processes they have started."""

SOURCE: Final = re.compile(r"^\s*\[[^\]]*\.cc:\d+\]\s*")
"""The place in gloo's source that stands before its messages."""


@frozen(eq=False)
class Engine(ABC):
    """This process among those that work together.

    Every process calls the same operations, in the same order, with tensors of the same shapes and
    types. A ``name`` is the same in all of them and stays the same from step to step. An operation
    that cannot end because another process is gone raises ``PeerLostError``.

    Attributes:
        rank: its number, from 0.
        count: how many there are.
        device: where this one computes.
        name: of the engine, for reports.
    """

    name: ClassVar[str]

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

    @abstractmethod
    def mean_(self, tensor: Tensor, name: str) -> None:
        """Put the mean over all processes into a floating tensor; cast on its way if so joined.

        Raises:
            PeerLostError: another process is gone.
        """

    @abstractmethod
    def sum_(self, tensor: Tensor, name: str) -> None:
        """Put the sum over all processes into a tensor, in its own precision.

        Raises:
            PeerLostError: another process is gone.
        """

    @abstractmethod
    def broadcast_(self, tensor: Tensor, name: str) -> None:
        """Put process 0's values into everybody's tensor.

        Raises:
            PeerLostError: another process is gone.
        """

    def total(self, values: Tensor) -> Tensor:
        """The sum of a vector over all processes, on the CPU; the vector stays as it is."""
        if self.count == 1:
            return values
        moved = values.to(self.device, copy=True)
        self.sum_(moved, f"total.{tuple(values.shape)}.{values.dtype}")
        return moved.cpu()

    def count_all(self, mine: int) -> int:
        """The sum of a number over all processes."""
        return int(self.total(torch.tensor([mine], dtype=torch.float64)))

    def meet(self) -> None:
        """Wait until all have come here."""
        self.count_all(0)  # nobody knows the sum before everybody has given a part of it


Joining: TypeAlias = Callable[[str, Compress], AbstractContextManager[Engine]]


@contextmanager
def joined(
    device: str, engine: EngineName = "auto", compress: Compress = "none"
) -> Iterator[Engine]:
    """Join the processes that were started together, or be the only one.

    Args:
        device: ``cpu`` or ``cuda``; of several GPUs each process of a machine takes one.
        engine: ``auto``: the one whose launcher has started this process; else it alone.
        compress: ``fp16``: what is averaged travels as float16.

    Raises:
        UsageError: there is no such device; the engine was not started, or is not installed.
        PeerLostError: another process was gone before all had met, or the launcher ends this one.
    """
    from ofa_plugins_core.nn.engines import alone, horovod, torchrun

    by: dict[str, Joining] = {"alone": alone.joined}
    by |= {"torchrun": torchrun.joined, "horovod": horovod.joined}
    started = "horovod" if horovod.started() else "torchrun" if torchrun.started() else "alone"
    chosen = started if engine == "auto" else engine
    _refuse_another(chosen, started)
    with by[chosen](device, compress) as found:
        yield found


@contextmanager
def left_alone() -> Iterator[None]:
    """Meanwhile this process counts as started by nobody: the others have ended, or will.

    What joins processes here would wait for them for ever.
    """
    kept = {name: os.environ.pop(name) for name in COUNTS if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)


def _refuse_another(chosen: str, started: str) -> None:
    """A process that its launcher knows nothing of would do all the work, and write over others."""
    if chosen == "torchrun" and number("WORLD_SIZE", 0) == 1 and started == "alone":
        return  # torchrun with one process
    if chosen == started:
        return
    if chosen == "alone":
        raise UsageError(
            f"--engine alone, but {started} has started several processes",
            advice="start it without a launcher, or leave --engine out",
        )
    launcher = {"horovod": "horovodrun"}.get(chosen, chosen)
    raise UsageError(
        f"--engine {chosen}: this process was not started by {launcher}",
        advice=f"start it with: {HOW[chosen]}",
    )


def number(name: str, default: int) -> int:
    """A whole number of the environment."""
    text = os.environ.get(name, "")
    return int(text) if text.isdigit() else default


def device_of(name: str, local: int = 0) -> torch.device:
    """The device on which a process computes.

    Args:
        name: ``cpu`` or ``cuda``.
        local: number of this process among those of its machine: its GPU.

    Raises:
        UsageError: there is no such device.
    """
    if name != "cuda":
        return torch.device(name)
    if not torch.cuda.is_available():
        built = "torch here is built without CUDA" if torch.version.cuda is None else "no GPU found"
        raise UsageError(f"--device cuda: {built}", advice="--device cpu works everywhere")
    if local >= torch.cuda.device_count():
        found = f"process {local} of this machine has no GPU, {torch.cuda.device_count()} found"
        raise UsageError(f"--device cuda: {found}", advice="start fewer processes")
    place = torch.device("cuda", local)
    torch.cuda.set_device(place)
    return place


@contextmanager
def contiguous(tensor: Tensor) -> Iterator[Tensor]:
    """The tensor's values, contiguous and apart from its graph; what is done to them is kept."""
    values = tensor.detach()
    dense = values.contiguous()
    yield dense
    if dense.data_ptr() != values.data_ptr():
        values.copy_(dense)


@contextmanager
def needing_all(otherwise: str = "another worker is gone") -> Iterator[None]:
    """An operation of all processes: what it raises when one is gone becomes one clear error.

    Args:
        otherwise: what that means; the cause follows.

    Raises:
        PeerLostError: another process is gone.
    """
    try:
        yield
    except RuntimeError as error:  # gloo, NCCL and Horovod all raise kinds of it
        text = str(error)
        if any(word in text for word in MISTAKES):
            raise
        cause = SOURCE.sub("", text).partition(". ")[0].partition("\n")[0]
        raise PeerLostError(f"{otherwise}: {cause or type(error).__name__}") from error
