"""How good and how fast a network is: top-1, top-5, and the time of a forward pass."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import torch
from attrs import field, frozen
from torch import Tensor, nn

from ofa_plugins_core.nn.data import ImageSet, Share
from ofa_plugins_core.nn.engines import Engine
from ofa_plugins_core.nn.pictures import normalised
from ofa_plugins_core.nn.running import Runner

TOP: Final = 5
ROOM: Final = 2 * 2**30
"""Bytes of decoded images that are kept between architectures."""


@frozen(eq=False)
class Supply:
    """The batches of an image set at any size, decoded once a size where they fit into memory.

    Attributes:
        images: at any size.
        batch: images a batch.
        workers: processes that read.
        share: of this process.
        room: bytes to keep.
    """

    images: ImageSet
    batch: int
    workers: int = 0
    share: Share = (0, 1)
    room: int = ROOM
    _kept: dict[int, list[tuple[Tensor, Tensor]]] = field(factory=dict, init=False, repr=False)

    def at(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of images (n, 3, size, size), float32 normalised, and labels (n,)."""
        for pixels, labels in self._raw(size):
            yield normalised(pixels), labels

    def _raw(self, size: int) -> Iterable[tuple[Tensor, Tensor]]:
        if size in self._kept:
            return self._kept[size]
        read = self.images.at(size).raw_batches(self.batch, self.workers, share=self.share)
        held = sum(self._bytes(s) for s in self._kept)
        if held + self._bytes(size) > self.room:
            return read
        self._kept[size] = list(read)
        return self._kept[size]

    def _bytes(self, size: int) -> int:
        return 3 * size * size * len(self.images) // self.share[1]


@frozen
class Score:
    """How often a network is right.

    Attributes:
        images: that were looked at, in all processes.
        top1, top5: images whose class is its first, or among its first five, answers.
        infinite: images for which it gave numbers that are not finite; they count as wrong.
    """

    images: int
    top1: int
    top5: int
    infinite: int = 0


def score(
    network: nn.Module,
    batches: Iterable[tuple[Tensor, Tensor]],
    runner: Runner,
    tell: Callable[[int], None] = lambda images: None,
) -> Score:
    """Count right answers, over all processes.

    Args:
        network: gives (n, classes) logits; evaluated in evaluation mode.
        batches: this process's images and labels.
        tell: is told how many images this process has looked at.
    """
    counts = torch.zeros(4, dtype=torch.float64)
    network.eval()
    with torch.inference_mode(), runner.computing():
        for images, labels in batches:
            logits = network(runner.images(images)).float().cpu()
            counts += _right(logits, labels)
            tell(int(counts[0]))
    return Score(*(int(c) for c in runner.engine.total(counts)))


def _right(logits: Tensor, labels: Tensor) -> Tensor:
    """(images, right first, right among five, not finite)."""
    sound = logits.isfinite().all(dim=1)
    answers = logits.topk(min(TOP, logits.shape[1]), dim=1).indices
    hits = (answers == labels[:, None]) & sound[:, None]
    found = [len(labels), int(hits[:, 0].sum()), int(hits.any(1).sum()), int((~sound).sum())]
    return torch.tensor(found, dtype=torch.float64)


@frozen
class Timing:
    """How long a forward pass takes, in ms: the median, and the ends of the middle 80 %.

    Attributes:
        repeats: timed passes.
        batch: images a pass.
        threads: of torch, inside one operation.
    """

    median: float
    low: float
    high: float
    repeats: int
    batch: int
    threads: int


def forward_time(
    network: nn.Module,
    size: int,
    runner: Runner,
    *,
    batch: int = 1,
    repeats: int = 20,
    warmup: int = 5,
) -> Timing:
    """Time forward passes on random images (their values do not matter to convolutions).

    Args:
        size: side of the images in pixels.
        batch: images a pass.
        repeats: passes that are timed. warmup: passes before them.
    """
    generator = torch.Generator().manual_seed(0)
    images = runner.images(torch.randn(batch, 3, size, size, generator=generator))
    network.eval()
    with torch.inference_mode(), runner.computing():
        for _ in range(warmup):
            network(images)
        times = sorted(_timed(network, images, runner) for _ in range(repeats))
    low, high = _at(times, 0.1), _at(times, 0.9)
    return Timing(statistics.median(times), low, high, repeats, batch, torch.get_num_threads())


def _timed(network: nn.Module, images: Tensor, runner: Runner) -> float:
    runner.finished()
    start = time.perf_counter()
    network(images)
    runner.finished()
    return (time.perf_counter() - start) * 1000


def _at(times: list[float], part: float) -> float:
    return times[round(part * (len(times) - 1))]


@contextmanager
def threads(count: int | None) -> Iterator[None]:
    """With so many threads inside an operation; None: as many as there were."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def device_name(group: Engine) -> str:
    """The device in words, and torch's version, for reports."""
    if group.device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(group.device)}, torch {torch.__version__}"
    return (
        f"cpu: {platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}"
    )
