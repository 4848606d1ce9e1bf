"""Pictures decoded: small ones once, into memory; others whenever they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import torch
from attrs import evolve, frozen
from torch.utils.data import DataLoader, Dataset

from ofa_plugins_core.events import Progress, silent
from ofa_plugins_core.nn.data import ImageSet
from ofa_plugins_core.nn.pictures import Arrays, Picture, Pictures, pillow
from ofa_plugins_core.nn.training.augmenting import Pixels

ROOM: Final = 2 * 2**30
"""Bytes of decoded pictures that are kept in memory."""
SMALL: Final = 64
"""Pictures of at most that side are worth keeping: they take longer to open than to change."""

PART: Final = 256
"""Pictures that a process decodes at once, to be kept."""


@frozen(eq=False)
class Held:
    """Small pictures, decoded once.

    Attributes:
        pixels: (n, height, width, 3) bytes.
        odd: number -> the bytes of a picture of another size, or why it cannot be read.
    """

    pixels: Pixels
    labels: Sequence[int]
    odd: dict[int, Pixels | str]
    source: Pictures
    numbers: Sequence[int]

    def array(self, number: int) -> Pixels:
        """One picture's bytes.

        Raises:
            ValueError: it could not be read.
        """
        found = self.odd.get(number)
        if isinstance(found, str):
            raise ValueError(found)
        return self.pixels[number] if found is None else found

    def load(self, number: int) -> Picture:
        """One picture in RGB."""
        return pillow().fromarray(self.array(number))

    def called(self, number: int) -> str:
        """As its source calls it."""
        return self.source.called(self.numbers[number])

    def stamp(self, number: int) -> str:
        """As its source has it."""
        return self.source.stamp(self.numbers[number])


def held(images: ImageSet, room: int = ROOM, workers: int = 0) -> ImageSet:
    """The set with its pictures decoded into memory, where they are small; as it is otherwise.

    The pictures and what is made of them stay the same. Relabel a set before, not after.

    Args:
        images: whose first readable picture tells the size; the listener is told the progress.
        room: bytes that may be taken.
        workers: processes that decode; 0: this one.
    """
    if isinstance(images.pictures, Arrays | Held):
        return images
    shape = _shape(images)
    if shape is None or max(shape) > SMALL or len(images) * math.prod(shape) * 3 > room:
        return images
    pixels = np.zeros((len(images), *shape, 3), dtype=np.uint8)
    odd: dict[int, Pixels | str] = {}
    places = [range(at, min(at + PART, len(images))) for at in range(0, len(images), PART)]
    opener = _Opener(evolve(images, listener=silent))
    for part, found in zip(places, loaded(opener, places, workers), strict=True):
        for place, picture in zip(part, found, strict=True):
            if isinstance(picture, str) or picture.shape[:2] != shape:
                odd[place] = picture
            else:
                pixels[place] = picture
        images.listener(Progress("decode", part.stop, len(images)))
    pictures = Held(pixels, images.labels, odd, images.pictures, images.numbers)
    return evolve(images, pictures=pictures, numbers=range(len(images)), unreadable={})


@frozen(eq=False)
class _Opener(Dataset[Any]):
    """Decodes pictures, by their places in the set."""

    images: ImageSet

    def __getitem__(self, places: range) -> list[Pixels | str]:
        return [decoded(self.images.pictures, self.images.numbers[place]) for place in places]


def loaded(dataset: Dataset[Any], plan: Sequence[Any], workers: int) -> Iterable[Any]:
    """What the data set has for each part of a plan, in its order, read by so many processes."""
    if not workers:
        return map(dataset.__getitem__, plan)
    loader: Iterable[Any] = DataLoader(
        dataset,
        batch_size=None,
        sampler=plan,
        num_workers=workers,
        collate_fn=_same,
        generator=torch.Generator(),  # its own: the caller's random state stays as it is
    )
    return loader


def _same(read: Any) -> Any:
    return read


def _shape(images: ImageSet) -> tuple[int, int] | None:
    """Height and width of the first picture that can be read."""
    found = (decoded(images.pictures, number) for number in images.numbers)
    first = next((f for f in found if not isinstance(f, str)), None)
    return None if first is None else (first.shape[0], first.shape[1])


def decoded(pictures: Pictures, number: int) -> Pixels | str:
    """A picture's bytes, or why it cannot be read."""
    try:
        if isinstance(pictures, Arrays):
            found: Pixels = pictures.pixels[number]
            return found
        if isinstance(pictures, Held):
            return pictures.array(number)
        return np.asarray(pictures.load(number))
    except Exception as error:  # Pillow's decoders raise what they like
        return str(error).partition("\n")[0] or type(error).__name__
