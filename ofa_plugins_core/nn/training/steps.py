"""One training step: several subnets on the same images, gradients added up, one update.

A worker's images of a step come in blocks. A block is the unit of everything that is local: batch
norm's statistics, dropout's draws. So one worker that takes two blocks and two workers that take
one each do the same thing, to rounding: each block starts from the same running statistics, which
are averaged afterwards, and draws its dropout from a seed of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, TypeAlias, cast

import numpy as np
import torch
from attrs import define, field
from torch import Tensor, nn

from ofa_plugins_core.nn.pictures import normalised
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.nn.syncnorm import synchronised
from ofa_plugins_core.nn.training.losses import Loss
from ofa_plugins_core.values import ArchLike

Block: TypeAlias = tuple[Tensor, Tensor]
"""(uint8 (n, 3, size, size), labels (n,))."""

BUCKET: Final = 25 * 2**20 // 4
"""Gradients that travel together, in elements."""
LIMIT: Final = 2**63 - 1


@define(eq=False)
class Stepper:
    """Trains a network step by step.

    Attributes:
        network: in training mode; elastic where ``activate`` is given.
        optimiser: of its parameters.
        loss: of one batch.
        runner: how it runs.
        activate: makes a subnet the active one; None: the network stands alone.
        teacher: in evaluation mode, or None.
        in_place: the first subnet of a step teaches the others (the sandwich rule).
        synchronised: batch norm normalises by the batches of all workers.
        forward: what runs instead of the network, on the same tensors: it, compiled.
        scaler: of the loss, for fp16.
    """

    network: nn.Module
    optimiser: torch.optim.Optimizer
    loss: Loss
    runner: Runner
    activate: Callable[[ArchLike], None] | None = None
    teacher: nn.Module | None = None
    in_place: bool = False
    synchronised: bool = False
    forward: nn.Module | None = None
    scaler: torch.amp.GradScaler = field(init=False)

    def __attrs_post_init__(self) -> None:
        fp16 = self.runner.precision == "fp16"
        self.scaler = torch.amp.GradScaler(self.runner.engine.device.type, enabled=fp16)

    def step(
        self, archs: Sequence[ArchLike | None], blocks: Sequence[Block], seeds: Sequence[int]
    ) -> float:
        """One update; the loss, summed over subnets, averaged over all workers' images.

        Args:
            archs: the subnets; [None] for a network that stands alone.
            blocks: of this worker.
            seeds: of dropout, one a block.

        Returns:
            A number that is not finite where training has failed: nothing was updated then.
        """
        self.optimiser.zero_grad(set_to_none=True)
        total = torch.zeros((), device=self.runner.engine.device)
        with self._normalising(), _averaged(self.network, len(blocks)) as begin:
            for (pixels, labels), seed in zip(blocks, seeds, strict=True):
                begin()
                total += self._block(archs, pixels, labels, seed, len(blocks))
        loss = self._shared(total)
        if np.isfinite(loss):
            self.scaler.step(self.optimiser)
            self.scaler.update()
        return loss

    def _normalising(self) -> AbstractContextManager[object]:
        """The context of forward and backward passes."""
        return synchronised(self.runner.engine) if self.synchronised else nullcontext()

    def _block(
        self, archs: Sequence[ArchLike | None], pixels: Tensor, labels: Tensor, seed: int, of: int
    ) -> Tensor:
        """Gradients of one block, added to what is there; its part of the loss."""
        torch.manual_seed(seed)
        images = self.runner.images(normalised(pixels.to(self.runner.engine.device)))
        labels = labels.to(self.runner.engine.device, non_blocking=True)
        taught = self._taught(images)
        total = torch.zeros((), device=images.device)
        for number, arch in enumerate(archs):
            if self.activate is not None and arch is not None:
                self.activate(arch)
            with self.runner.computing():
                logits = (self.forward or self.network)(images)
            loss = self.loss(logits, labels, taught) / of
            self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
            if self.in_place and number == 0:
                taught = logits.detach().float().softmax(dim=1)
        return total

    @torch.no_grad()
    def _taught(self, images: Tensor) -> Tensor | None:
        """(n, classes) probabilities of the teacher."""
        if self.teacher is None:
            return None
        with self.runner.computing():
            logits: Tensor = self.teacher(images)
        return logits.float().softmax(dim=1)

    def _shared(self, total: Tensor) -> float:
        """Average gradients over the workers; the loss, too, which is never compressed.

        Infinite where a gradient is not finite; a scaler finds that out by itself.
        """
        engine = self.runner.engine
        if engine.count > 1:
            engine.sum_(total, "loss")
            total /= engine.count
            grads = [p.grad for p in self.network.parameters() if p.grad is not None]
            for number, bucket in enumerate(_buckets(grads)):
                flat = torch.cat([t.flatten() for t in bucket])
                engine.mean_(flat, f"gradients.{number}")
                if not self.scaler.is_enabled():  # compressed, it may have passed fp16's range
                    total = total.where(flat.isfinite().all(), math.inf)
                parts = torch.split(flat, [t.numel() for t in bucket])
                for tensor, part in zip(bucket, parts, strict=True):
                    tensor.copy_(part.view_as(tensor))
        return float(total)


def _buckets(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    bucket: list[Tensor] = []
    held = 0
    for tensor in tensors:
        if bucket and held + tensor.numel() > BUCKET:
            yield bucket
            bucket, held = [], 0
        bucket.append(tensor)
        held += tensor.numel()
    if bucket:
        yield bucket


@contextmanager
def _averaged(network: nn.Module, blocks: int) -> Iterator[Callable[[], None]]:
    """Several blocks move the running statistics as several workers would: each from the start."""
    if blocks == 1:
        yield lambda: None
        return
    buffers = list(network.buffers())
    start = [b.detach().clone() for b in buffers]
    sums = [torch.zeros_like(b) for b in buffers]
    begun = 0

    def add() -> None:
        for total, buffer in zip(sums, buffers, strict=True):
            total.add_(buffer)

    def begin() -> None:
        nonlocal begun
        if begun:
            add()
            for buffer, first in zip(buffers, start, strict=True):
                buffer.copy_(first)
        begun += 1

    yield begin
    add()
    for buffer, total in zip(buffers, sums, strict=True):
        mean = total / blocks if total.is_floating_point() else total // blocks
        buffer.copy_(mean)


def optimiser_of(network: nn.Module, momentum: float, weight_decay: float) -> torch.optim.SGD:
    """SGD with Nesterov's momentum; batch norm's parameters and biases are not decayed."""
    trained = [p for p in network.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=0.0, momentum=momentum, nesterov=momentum > 0)


def seed_of(*key: int) -> int:
    """A seed for torch's generator that depends on all numbers of a key."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0]) & LIMIT


def seeded(seed: int) -> None:
    """Begin torch's own random numbers anew: those of fresh weights and of dropout."""
    torch.manual_seed(seed)


def compiled(network: nn.Module) -> nn.Module:
    """The network, compiled; it shares its tensors with the one that is given."""
    return cast(nn.Module, torch.compile(network))
