"""From a picture to the square of pixels that a network takes; decoded with Pillow."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final, Protocol, TypeAlias

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch import Tensor

from ofa_plugins_core.errors import MissingExtraError

MEAN: Final = (0.485, 0.456, 0.406)
DEVIATION: Final = (0.229, 0.224, 0.225)
"""Of ImageNet's training images, by channel, on the scale from 0 to 1."""

CROP: Final = 0.875
"""Side of the centre crop over the shorter side, as the field evaluates ImageNet."""

Picture: TypeAlias = Any
"""A ``PIL.Image.Image``."""


class Pictures(Protocol):
    """Pictures by number, with their labels."""

    @property
    def labels(self) -> Sequence[int]:
        """Number of each picture's class; -1 where there are no classes."""

    def load(self, number: int) -> Picture:
        """One picture in RGB.

        Raises:
            Exception: whatever Pillow raises where it cannot be read.
        """

    def called(self, number: int) -> str:
        """What to call it in messages."""

    def stamp(self, number: int) -> str:
        """What is another where the picture is another."""


@frozen(eq=False)
class Files:
    """Pictures in files."""

    paths: Sequence[str]
    labels: Sequence[int]

    def load(self, number: int) -> Picture:
        """One picture in RGB."""
        with pillow().open(self.paths[number]) as picture:
            return picture.convert("RGB")

    def called(self, number: int) -> str:
        """Its path."""
        return self.paths[number]

    def stamp(self, number: int) -> str:
        """Its path, length and time; without reading it."""
        path = os.path.abspath(self.paths[number])
        try:
            found = os.stat(path)
        except OSError as error:
            return f"{path}: {error.errno}"
        return f"{path}: {found.st_size} {found.st_mtime_ns}"


@frozen(eq=False)
class Arrays:
    """Pictures in memory: (n, height, width, 3) bytes."""

    pixels: NDArray[np.uint8]
    labels: Sequence[int]

    def load(self, number: int) -> Picture:
        """One picture in RGB."""
        return pillow().fromarray(self.pixels[number])

    def called(self, number: int) -> str:
        """Its number."""
        return f"image {number}"

    def stamp(self, number: int) -> str:
        """Of its bytes."""
        return blake2b(self.pixels[number].tobytes(), digest_size=16).hexdigest()


def pillow() -> Any:
    """``PIL.Image``.

    Raises:
        MissingExtraError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtraError("reading images", "ofa-plugins-core", "torch") from error
    return Image


def squared(picture: Picture, size: int, cropped: bool) -> Tensor:
    """A picture as (3, size, size) bytes, bilinear.

    Args:
        size: side in pixels.
        cropped: the shorter side becomes size / 0.875, then the centre is cut; otherwise the
            whole picture becomes the square.
    """
    if cropped:
        picture = _centre(_shorter_side(picture, math.ceil(size / CROP)), size)
    elif picture.size != (size, size):
        picture = picture.resize((size, size), pillow().Resampling.BILINEAR)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


def _shorter_side(picture: Picture, side: int) -> Picture:
    width, height = picture.size
    if width <= height:
        wanted = (side, int(side * height / width))
    else:
        wanted = (int(side * width / height), side)
    same = wanted == picture.size
    return picture if same else picture.resize(wanted, pillow().Resampling.BILINEAR)


def _centre(picture: Picture, size: int) -> Picture:
    left, top = (round((side - size) / 2) for side in picture.size)
    return picture.crop((left, top, left + size, top + size))


def normalised(pixels: Tensor) -> Tensor:
    """(n, 3, height, width) bytes -> float32, of ImageNet's mean and deviation by channel."""
    mean = torch.tensor(MEAN, device=pixels.device).view(1, 3, 1, 1)
    deviation = torch.tensor(DEVIATION, device=pixels.device).view(1, 3, 1, 1)
    changed = pixels.to(torch.float32, copy=True)  # in place from here on: a quarter of the time
    return changed.div_(255).sub_(mean).div_(deviation)
