"""How a network runs: on which device, laid out how, computed in which type."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, TypeAlias

import torch
from attrs import frozen
from torch import Tensor, nn

from ofa_plugins_core.nn.engines import Engine

Precision: TypeAlias = Literal["fp32", "bf16", "fp16"]
TYPES: Final = {"bf16": torch.bfloat16, "fp16": torch.float16}


@frozen(eq=False)
class Runner:
    """How a network runs: on which device, in which memory format and type.

    Attributes:
        engine: this process among others, and its device.
        channels_last: lay images out as (n, height, width, channels).
        precision: of forward passes, by torch's autocast.
    """

    engine: Engine
    channels_last: bool = False
    precision: Precision = "fp32"

    def placed(self, network: nn.Module) -> nn.Module:
        """The network, where it runs."""
        network = network.to(self.engine.device)
        if self.channels_last:
            network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network

    def images(self, images: Tensor) -> Tensor:
        """Images, where they run."""
        if self.channels_last:
            images = images.contiguous(memory_format=torch.channels_last)
        return images.to(self.engine.device, non_blocking=True)

    def computing(self) -> AbstractContextManager[object]:
        """While a network computes."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.engine.device.type, dtype=TYPES[self.precision])

    def finished(self) -> None:
        """Wait for the device."""
        if self.engine.device.type == "cuda":
            torch.cuda.synchronize(self.engine.device)
