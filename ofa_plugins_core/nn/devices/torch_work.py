"""Work that torch runs, on a processor or on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from attrs import frozen
from torch import Tensor, nn

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.nn.plain.fresh import fresh_network

Clock = Callable[[Callable[[], object]], float]
"""Runs a pass and gives its milliseconds."""


@frozen(eq=False)
class TorchWork:
    """Blocks as a torch module, with input of their shape.

    Attributes:
        network: in evaluation mode, where it runs. images: its input.
        clock: times one pass.
    """

    network: nn.Module
    images: Tensor
    clock: Clock

    def times(self, passes: int) -> Sequence[float]:
        """Milliseconds of passes in a row; the input was written just before, as in a network."""
        with torch.inference_mode():
            self.images.add_(0.0)
            return [self.clock(lambda: self.network(self.images)) for _ in range(passes)]

    def release(self) -> None:
        """Nothing is held but memory, which goes with the last reference."""


@frozen(eq=False)
class TorchSession:
    """Loads work for a torch device.

    Attributes:
        device: ``cpu``, ``cuda``, ``cuda:1``.
        clock: times one pass. reading: conditions now.
        channels_last: lay tensors out with the channels last.
        dtype: of weights and input.
    """

    device: torch.device
    clock: Clock
    reading: Callable[[], dict[str, float]]
    channels_last: bool = False
    dtype: torch.dtype = torch.float32

    def load(self, work: Work) -> TorchWork:
        """Build the blocks, and run them once.

        Raises:
            UsageError: they do not fit into memory.
        """
        layout = torch.channels_last if self.channels_last else torch.contiguous_format
        try:
            network = fresh_network(work.blocks).to(self.device, self.dtype)
            own = torch.Generator().manual_seed(0)  # the global one is its user's
            images = torch.rand(work.input_shape, dtype=self.dtype, generator=own).to(self.device)
            if self.channels_last:
                network = network.to(memory_format=layout)  # type: ignore[call-overload]
            images = images.contiguous(memory_format=layout)
            with torch.inference_mode():
                network(images)
        except (torch.OutOfMemoryError, MemoryError) as error:
            raise UsageError(
                f"{self.device} has no memory for a batch of {work.batch} at "
                f"{work.input_shape[-1]} px",
                advice="take a smaller --batch",
            ) from error
        return TorchWork(network, images, self.clock)

    def conditions(self) -> dict[str, float]:
        """Clock, load, temperature."""
        return self.reading()


def wall_clock(run: Callable[[], object]) -> float:
    """A pass on this processor: it is over when the call returns."""
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1000


@contextmanager
def threads(count: int) -> Iterator[None]:
    """With so many threads inside an operation."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
