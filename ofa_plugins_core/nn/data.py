"""Images to evaluate on, to calibrate with and to train on: from a folder, or with a library.

Nothing here crashes in the middle of a long run because of one bad file: what cannot be read is
left out, counted and, for the first few, named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from attrs import evolve, field, frozen
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Notice, silent
from ofa_plugins_core.nn import bundled
from ofa_plugins_core.nn.folders import Listed, Split, imagenet_wnids, list_folder
from ofa_plugins_core.nn.pictures import Picture, Pictures, normalised, squared

NAMED: Final = 3
"""So many unreadable files are named; the rest are counted."""

WHOLE: Final = (0, 1)
Share = tuple[int, int]
"""(this process's number, number of processes)."""


@frozen(eq=False)
class ImageSet(Dataset[tuple[Picture, int]]):
    """Images of one split at one size; a torch ``Dataset`` of (PIL picture, label), too.

    Attributes:
        name: of the data set.
        classes: names in the order of the labels; () where there are none (labels are -1).
        pictures: where they come from.
        numbers: of the pictures that take part, in this order.
        size: side in pixels.
        cropped: the centre is cut out, as ImageNet is evaluated.
        unnamed: files skipped because their names are no images'.
        unreadable: number -> why, of pictures that could not be read so far; grows while reading.
    """

    name: str
    classes: tuple[str, ...]
    pictures: Pictures = field(repr=False)
    numbers: Sequence[int] = field(repr=False)
    size: int
    cropped: bool = True
    unnamed: int = 0
    listener: Listener = field(default=silent, repr=False)
    unreadable: dict[int, str] = field(factory=dict, repr=False)

    def __len__(self) -> int:
        """Images, unreadable ones among them."""
        return len(self.numbers)

    def __getitem__(self, index: int) -> tuple[Picture, int]:
        """The picture (RGB, as stored) and its label; for transforms of one's own.

        Raises:
            Exception: it cannot be read.
        """
        number = self.numbers[index]
        return self.pictures.load(number), self.pictures.labels[number]

    @property
    def labels(self) -> list[int]:
        """In the order of the images."""
        return [self.pictures.labels[n] for n in self.numbers]

    @property
    def skipped(self) -> int:
        """Files left out so far: no images by their names, or unreadable."""
        return self.unnamed + len(self.unreadable)

    def at(self, size: int) -> ImageSet:
        """The same images at another size; what is known to be unreadable is shared."""
        return evolve(self, size=size)

    def batches(
        self, batch: int, workers: int = 0, *, share: Share = WHOLE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The images batch by batch; unreadable ones make a batch smaller, empty ones are left out.

        Args:
            batch: images a batch.
            workers: processes that read; 0: this one.
            share: (n, of): the batches n, n + of, …, for one of several processes.

        Yields:
            float32 (n, 3, size, size), normalised with ImageNet's mean and deviation; int64 (n,).
        """
        for pixels, labels in self.raw_batches(batch, workers, share=share):
            yield normalised(pixels), labels

    def raw_batches(
        self, batch: int, workers: int = 0, *, share: Share = WHOLE
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """As ``batches``, but bytes that are not normalised: a quarter of the memory."""
        numbers = list(self.numbers)
        parts = [numbers[at : at + batch] for at in range(0, len(numbers), batch)]
        for read in read_parts(self, parts[share[0] :: share[1]], workers):
            self.count_unreadable(read.broken)
            if len(read.labels):
                yield read.pixels, read.labels

    def count_unreadable(self, broken: Sequence[tuple[int, str]]) -> None:
        """Count pictures that could not be read, (number, why) each; the first few are named."""
        for number, reason in broken:
            if number not in self.unreadable and len(self.unreadable) < NAMED:
                name = self.pictures.called(number)
                self.listener(Notice(f"skipped: {name} cannot be read: {reason}"))
            self.unreadable[number] = reason

    def labelled_for(self, outputs: int) -> ImageSet:
        """The images with the labels of a network of so many classes.

        As they are where the numbers agree; where the network has ImageNet's 1,000 classes and
        the folders are named by wnids, by these.

        Raises:
            InputError: there are no classes at all.
            UsageError: the classes do not fit; offers another head.
        """
        if not self.classes:
            raise InputError(
                f"{self.name} has no classes to evaluate on",
                advice="put images into a folder a class; images alone do for --calibrate-data",
            )
        if len(self.classes) == outputs:
            return self
        places = {wnid: n for n, wnid in enumerate(imagenet_wnids())}
        if outputs != len(places) or not set(self.classes) <= set(places):
            raise UsageError(
                f"{self.name} has {len(self.classes)} classes, the network {outputs}",
                advice=f"--new-head --classes {len(self.classes)} puts a new classifier on it "
                "(untrained: ofa run train comes next)",
            )
        moved = [places[self.classes[n]] for n in self.pictures.labels]
        return evolve(self, pictures=_Relabelled(self.pictures, moved))


@frozen(eq=False)
class _Relabelled:
    pictures: Pictures
    labels: Sequence[int]

    def load(self, number: int) -> Picture:
        return self.pictures.load(number)

    def called(self, number: int) -> str:
        return self.pictures.called(number)

    def stamp(self, number: int) -> str:
        return self.pictures.stamp(number)


@frozen(eq=False)
class Part:
    """Pictures as they were read.

    Attributes:
        pixels: (n, 3, size, size) bytes of those that could be. labels: (n,) of them.
        broken: (number, why) of those that could not.
    """

    pixels: Tensor
    labels: Tensor
    broken: list[tuple[int, str]]


@frozen(eq=False)
class _Reader(Dataset[Any]):
    """Reads in a worker, where an exception would end the run."""

    images: ImageSet

    def __getitem__(self, number: int) -> tuple[int, Tensor | str]:
        try:
            picture = self.images.pictures.load(number)
            return number, squared(picture, self.images.size, self.images.cropped)
        except Exception as error:  # Pillow's decoders raise what they like
            return number, str(error).partition("\n")[0] or type(error).__name__

    def collated(self, items: Sequence[tuple[int, Tensor | str]]) -> Part:
        labels = self.images.pictures.labels
        good = [(n, found) for n, found in items if isinstance(found, Tensor)]
        size = self.images.size
        pixels = torch.stack([p for _, p in good]) if good else torch.empty(0, 3, size, size)
        broken = [(n, found) for n, found in items if isinstance(found, str)]
        return Part(pixels, torch.tensor([labels[n] for n, _ in good], dtype=torch.int64), broken)


def read_parts(images: ImageSet, parts: Iterable[list[int]], workers: int) -> Iterable[Part]:
    """Pictures by their numbers, resized and cropped, a part of them after the other.

    Args:
        workers: processes that read; 0: this one.
    """
    reader = _Reader(evolve(images, listener=silent))  # a listener need not travel to workers
    loader: Iterable[Part] = DataLoader(
        reader,
        batch_sampler=parts,
        num_workers=workers,
        collate_fn=reader.collated,
        generator=torch.Generator(),  # its own: the caller's random state stays as it is
    )
    return loader


def images_of(
    data: str,
    size: int,
    *,
    split: Split,
    limit: int | None = None,
    seed: int = 0,
    listener: Listener = silent,
) -> ImageSet:
    """The images of one split of a data set.

    Args:
        data: ``digits``, or a folder: ImageNet or Imagenette (train/ and val/ with a folder a
            wnid), CIFAR-10 (folders, or its own files), any other with a folder a class, with or
            without train/ and val/, or images alone.
        size: side in pixels.
        split: ``train`` or ``val``; a folder without splits is split by the names of its files.
        limit: take so many, drawn with the seed; in the order of the data set.
        listener: is told how a split was made, and what was skipped.

    Raises:
        InputError: the folder is missing, empty or of no known shape.
        MissingExtraError: the library that brings the data set is not installed.
    """
    listed = _listed(data, split)
    if listed.note:
        listener(Notice(listed.note))
    if listed.skipped:
        listener(Notice(f"{listed.skipped} files of {data} are no images by their names: skipped"))
    count = len(listed.pictures.labels)
    numbers = range(count) if limit is None else sorted(_drawn(count, limit, seed))
    return ImageSet(
        listed.name,
        listed.classes,
        listed.pictures,
        numbers,
        size,
        listed.cropped,
        listed.skipped,
        listener,
    )


def _listed(data: str, split: Split) -> Listed:
    if data == bundled.DIGITS:
        return bundled.digits(split)
    folder = Path(data)
    own = bundled.cifar_folder(folder)
    return bundled.cifar10(own, split) if own is not None else list_folder(folder, split)


def _drawn(count: int, most: int, seed: int) -> list[int]:
    generator = np.random.Generator(np.random.PCG64(seed))
    return [int(n) for n in generator.permutation(count)[:most]]


def calibration_set(
    data: str, size: int, images: int, seed: int = 0, listener: Listener = silent
) -> ImageSet:
    """Training images in random order, to measure batch norm's statistics on.

    Args:
        images: how many; fewer where the data set has fewer, and said so.

    Raises:
        InputError, MissingExtraError: as ``images_of``.
    """
    found = images_of(data, size, split="train", seed=seed, listener=listener)
    if len(found) < images:
        listener(Notice(f"calibrates on {len(found)} images: {data} has no more for training"))
    return evolve(found, numbers=_drawn(len(found), images, seed))


def calibration_batches(
    data: str,
    size: int,
    images: int,
    batch: int,
    seed: int = 0,
    *,
    workers: int = 0,
    listener: Listener = silent,
) -> Iterator[Tensor]:
    """Batches for ``calibrate.statistics_of``: float32 (n, 3, size, size), random training images.

    Raises:
        InputError, MissingExtraError: as ``images_of``.
    """
    found = calibration_set(data, size, images, seed, listener)
    return (pixels for pixels, _ in found.batches(batch, workers))
