"""How good and how fast a network is: top-1, top-5, and the time of a forward pass."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

import torch
from attrs import field, frozen
from torch import Tensor, nn

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.nn.data import ImageSet, Share
from ofa_plugins_core.nn.engines import Engine
from ofa_plugins_core.nn.pictures import normalised
from ofa_plugins_core.nn.prepared import Prepared, bytes_of, in_memory, on_disk
from ofa_plugins_core.nn.room import memory_left
from ofa_plugins_core.nn.running import Runner
from ofa_plugins_core.words import counted, sized

TOP: Final = 5
ROOM: Final = 2 * 2**30
"""Bytes of decoded images that are kept between architectures."""

Fast: TypeAlias = Literal["memory", "disk"]


@frozen(eq=False)
class Supply:
    """The batches of an image set at any size, decoded once a size where they are kept.

    Attributes:
        images: at any size.
        batch: images a batch.
        workers: processes that read.
        share: of this process.
        room: bytes to keep in memory, where ``fast`` says nothing.
        fast: keep all sizes, in memory or in files; None: those that ``room`` is enough for.
        folder: of these files.
    """

    images: ImageSet
    batch: int
    workers: int = 0
    share: Share = (0, 1)
    room: int = ROOM
    fast: Fast | None = None
    folder: Path | None = None
    _kept: dict[int, Prepared] = field(factory=dict, init=False, repr=False)

    def at(self, size: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Batches of images (n, 3, size, size), float32 normalised, and labels (n,).

        Raises:
            UsageError: the memory has no room for what is to be kept.
            InputError: a file of images cannot be made.
        """
        for pixels, labels in self._raw(size):
            yield normalised(pixels), labels

    def keep(self, size: int) -> bool:
        """Read, or find, the images of a size now; False where they are not kept.

        Raises:
            UsageError: the memory has no room for them.
            InputError: a file of images cannot be made.
        """
        if size not in self._kept and self._keeps(size):
            images = self.images.at(size)
            if self.fast == "disk":
                assert self.folder is not None
                kept = on_disk(images, self.folder, self.workers, self.share)
            else:
                check_memory([self], [size])
                kept = in_memory(images, self.batch, self.workers, self.share)
            self._kept[size] = kept
        return size in self._kept

    def needs(self, sizes: Iterable[int]) -> int:
        """Bytes of memory that these sizes would take, those that are kept already left out."""
        return sum(self._bytes(size) for size in set(sizes) - set(self._kept))

    def _raw(self, size: int) -> Iterable[tuple[Tensor, Tensor]]:
        if self.keep(size):
            return self._kept[size].raw_batches(self.batch)
        return self.images.at(size).raw_batches(self.batch, self.workers, share=self.share)

    def _keeps(self, size: int) -> bool:
        held = sum(self._bytes(s) for s in self._kept)
        return self.fast is not None or held + self._bytes(size) <= self.room

    def _bytes(self, size: int) -> int:
        return bytes_of(self.images.at(size)) // self.share[1]


def check_memory(supplies: Iterable[Supply], sizes: Iterable[int], copies: int = 1) -> None:
    """Refuse to keep images in memory that has no room for them, before anything is read.

    Args:
        supplies: those that keep theirs elsewhere are left out.
        sizes: that will be asked for, pixels.
        copies: processes of this machine that each keep their own.

    Raises:
        UsageError: says how much is needed, and how much is there.
    """
    asked = sorted(set(sizes))
    keeping = [s for s in supplies if s.fast == "memory"]
    needed, left = copies * sum(s.needs(asked) for s in keeping), memory_left()
    if left is None or needed <= left:
        return
    images = counted(sum(len(s.images) for s in keeping), "image")
    of = f"{images} at {', '.join(map(str, asked))} pixels"
    times = f" in each of {copies} processes" if copies > 1 else ""
    raise UsageError(
        f"--fast memory needs {sized(needed)} for {of}{times}, {sized(left)} of memory are free",
        advice="--fast disk keeps them in a file, one for all processes; or take fewer --images, "
        "or one image size at a time",
    )


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
