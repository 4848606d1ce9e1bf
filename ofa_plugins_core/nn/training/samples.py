"""Images to train on: the same ones, changed the same way, however the work is split.

What happens to an image depends on (seed, phase, epoch, its number in the set) and on the step's
image size, not on the process, the worker or the micro-batch that reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

import numpy as np
import torch
from attrs import evolve, field, frozen
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import silent
from ofa_plugins_core.nn.data import ImageSet
from ofa_plugins_core.nn.training.augmenting import Augment, Pixels, draws
from ofa_plugins_core.nn.training.held import decoded, loaded

_ORDER: Final = 1
_SIZE: Final = 2
"""Set the random streams apart, with augmenting.py's 3; first, as numpy drops zeros at the end."""


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


def check_learnable(images: ImageSet) -> None:
    """Refuse a set on which nothing can be learnt.

    Raises:
        InputError: it has no classes, or images of one class only.
    """
    if not images.classes:
        raise InputError(
            f"{images.name} has no classes to train on", advice="put images into a folder a class"
        )
    if len(set(images.labels)) < 2:
        raise InputError(
            f"{images.name} has images of one class: there is nothing to learn",
            advice="give a folder with a folder of images for each class",
        )


@frozen(eq=False)
class _Block:
    """What to read: images by their places in the set."""

    epoch: int
    size: int
    places: NDArray[np.int64]


@frozen(eq=False)
class _Read:
    """A block as it was read; it is empty where no picture of the set can be read."""

    pixels: Tensor
    labels: Tensor
    broken: list[tuple[int, str]]


@frozen(eq=False)
class _Reader(Dataset[Any]):
    """Reads in a worker, where an exception would end the run."""

    images: ImageSet
    augment: Augment
    key: tuple[int, int]

    def __getitem__(self, block: _Block) -> _Read:
        broken: dict[int, str] = {}
        found = [self._readable(place, broken) for place in block.places.tolist()]
        good = [f for f in found if f is not None]
        drawn = draws((*self.key, block.epoch), block.places)[: len(good)]
        pixels = self.augment.changed([p for p, _ in good], drawn, block.size)
        laid = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()
        labels = torch.tensor([label for _, label in good], dtype=torch.int64)
        return _Read(laid, labels, list(broken.items()))

    def _readable(self, place: int, broken: dict[int, str]) -> tuple[Pixels, int] | None:
        """The picture at a place, or the next one that can be read, and its label."""
        count = len(self.images)
        if len(broken) == count:
            return None
        for number in (self.images.numbers[(place + step) % count] for step in range(count)):
            if number in broken:
                continue
            found = decoded(self.images.pictures, number)
            if not isinstance(found, str):
                return found, self.images.pictures.labels[number]
            broken[number] = found
        return None


@frozen(kw_only=True, eq=False)
class TrainingImages:
    """The images of a phase, step by step, for one of the processes that share the work.

    A step takes ``blocks`` blocks of ``batch`` images: a block is what one process takes at once,
    and a process takes one or several.

    Attributes:
        images: of the training split.
        augment: how they are changed.
        seed: of the run. phase: number of the phase.
        batch: images a block.
        blocks: blocks a step, of all processes.
        mine: numbers of this process's blocks, from 0.
        workers: processes that read for this one; 0: itself.
    """

    images: ImageSet
    augment: Augment
    seed: int
    phase: int
    batch: int
    blocks: int = 1
    mine: Sequence[int] = field(default=(0,))
    workers: int = 0

    @property
    def steps(self) -> int:
        """Steps an epoch; images that do not fill a step are left out.

        Raises:
            UsageError: there are not even enough for one.
        """
        count = len(self.images) // (self.batch * self.blocks)
        if not count:
            parts = f"{self.blocks} × {self.batch}" if self.blocks > 1 else f"{self.batch}"
            raise UsageError(
                f"the batch is larger than the set: a step takes {parts} images, "
                f"{self.images.name} has {len(self.images)} to train on",
                advice="choose a smaller batch, or more images",
            )
        return count

    def size_of(self, epoch: int, step: int, sizes: Sequence[int]) -> int:
        """The image size of a step, drawn from the sizes; the same in every process."""
        generator = _generator(_SIZE, self.seed, self.phase, epoch, step)
        return sizes[int(generator.integers(len(sizes)))]

    def order(self, epoch: int) -> NDArray[np.int64]:
        """(images,) their places in the set, in the order of an epoch."""
        generator = _generator(_ORDER, self.seed, self.phase, epoch)
        return generator.permutation(len(self.images)).astype(np.int64)

    def epoch(
        self, number: int, sizes: Sequence[int], start: int = 0
    ) -> Iterator[list[tuple[Tensor, Tensor]]]:
        """This process's blocks, step by step.

        A picture that cannot be read gives its place to the next in the set that can.

        Args:
            number: of the epoch.
            sizes: image sizes in pixels; each step has one of them.
            start: the first step; those before are not read.

        Yields:
            A pair a block: uint8 (batch, 3, size, size), int64 (batch,).

        Raises:
            UsageError: there are fewer images than a step takes.
            InputError: no picture can be read.
        """
        plan = list(self._planned(number, sizes, start))
        read = iter(self._read(plan))
        for _ in range(start, self.steps):
            yield [self._checked(block) for block in islice(read, len(self.mine))]

    def _planned(self, epoch: int, sizes: Sequence[int], start: int) -> Iterator[_Block]:
        order = self.order(epoch)
        for step in range(start, self.steps):
            size = self.size_of(epoch, step, sizes)
            for block in self.mine:
                first = (step * self.blocks + block) * self.batch
                yield _Block(epoch, size, order[first : first + self.batch])

    def _read(self, plan: list[_Block]) -> Iterable[_Read]:
        quiet = evolve(self.images, listener=silent)  # a listener need not travel to workers
        reader = _Reader(quiet, self.augment, (self.seed, self.phase))
        return loaded(reader, plan, self.workers)

    def _checked(self, read: _Read) -> tuple[Tensor, Tensor]:
        self.images.count_unreadable(read.broken)
        if not len(read.labels):
            raise InputError(f"{self.images.name}: none of {len(self.images)} images can be read")
        return read.pixels, read.labels
