"""Changes of pictures before they are trained on, each a function of the picture's own numbers.

Source of the changes: Once-for-All's training (ICLR 2020) for large pictures; for CIFAR-10 the
field's shifts by an eighth of the side and flips (He et al., CVPR 2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

import numpy as np
import torch
from attrs import frozen
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from ofa_plugins_core.nn.bundled import DIGITS
from ofa_plugins_core.nn.data import ImageSet
from ofa_plugins_core.nn.pictures import pillow

Crop: TypeAlias = Literal["scaled", "shifted", "whole"]
Pixels: TypeAlias = NDArray[np.uint8]
"""(height, width, 3) bytes."""

RATIO: Final = 4 / 3
"""Longest side over the shorter one, of a scaled crop."""
TRIES: Final = 10
"""Crops that are drawn until one fits into the picture; then its middle is taken."""
SHIFT: Final = 0.125
"""Largest shift, as a part of the side."""
BRIGHTNESS: Final = 32 / 255
SATURATION: Final = 0.5
"""Largest relative changes at a colour strength of 1."""
GREY: Final = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in a shade of grey (ITU-R BT.601)."""

_CHANGE: Final = 3
"""Sets these random streams apart from those of orders and sizes, 1 and 2 in samples.py."""

_ACROSS, _DOWN, _FLIP, _LIGHT, _COLOUR, _AREAS = range(6)
_RATIOS: Final = _AREAS + TRIES
DRAWS: Final = _RATIOS + TRIES
"""Random numbers an image and epoch has; see ``draws``."""


def draws(key: Sequence[int], numbers: Sequence[int] | NDArray[np.int64]) -> NDArray[np.float64]:
    """(numbers, DRAWS) in [0, 1): row n is a function of the key and the number alone.

    SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) lets any place of its stream be computed by
    itself, for all images at once; a generator an image would take longer than small images do.

    Args:
        key: for example seed, phase and epoch.
    """
    start = np.random.SeedSequence((_CHANGE, *key)).generate_state(1, np.uint64)
    first = np.asarray(numbers, dtype=np.uint64)[:, None] * np.uint64(DRAWS)
    places = first + np.arange(1, DRAWS + 1, dtype=np.uint64)
    mixed = np.asarray(start + places * np.uint64(0x9E3779B97F4A7C15), dtype=np.uint64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed = mixed ^ (mixed >> np.uint64(31))
    return np.ldexp((mixed >> np.uint64(11)).astype(np.float64), -53)


@frozen(kw_only=True)
class Augment:
    """How a picture is changed before it is trained on.

    Attributes:
        crop: ``scaled``: a part of the picture becomes the square, its sides within a ratio of
            4 / 3; ``shifted``: the whole picture does, and moves by up to an eighth of its side,
            black where nothing is left; ``whole``: the whole picture does.
        min_scale: smallest part of the area that a scaled crop keeps.
        flip: every other picture is mirrored, left to right.
        colour: strength of changes in brightness and saturation; 0: none, 1: by up to 32 / 255
            and 0.5.
    """

    crop: Crop = "scaled"
    min_scale: float = 0.08
    flip: bool = True
    colour: float = 0.0

    def changed(self, pictures: Sequence[Pixels], drawn: NDArray[np.float64], size: int) -> Pixels:
        """(n, size, size, 3): the pictures, each changed by its own random numbers.

        Args:
            pictures: of any sizes.
            drawn: (n, DRAWS) random numbers from 0 to 1.
            size: side in pixels.
        """
        out = np.zeros((len(pictures), size, size, 3), dtype=np.uint8)
        for row, picture in enumerate(self._squared(pictures, drawn, size)):
            self._write(picture, drawn[row], out[row])
        return out

    def _squared(
        self, pictures: Sequence[Pixels], drawn: NDArray[np.float64], size: int
    ) -> Sequence[Pixels]:
        if self.crop != "scaled":
            return _resized(pictures, size)
        return [
            _cropped(p, self.min_scale, row, size) for p, row in zip(pictures, drawn, strict=True)
        ]

    def _write(self, pixels: Pixels, drawn: NDArray[np.float64], out: Pixels) -> None:
        """Write a square picture, recoloured, mirrored and shifted, over zeros."""
        if self.colour:
            pixels = _coloured(pixels, self._matrix(drawn))
        if self.flip and drawn[_FLIP] < 0.5:
            pixels = pixels[:, ::-1]
        if self.crop == "shifted":
            size = len(out)
            across, down = (_shift(size, drawn[n]) for n in (_ACROSS, _DOWN))
            out = out[_part(down, size), _part(across, size)]
            pixels = pixels[_part(-down, size), _part(-across, size)]
        out[:] = pixels

    def _matrix(self, drawn: NDArray[np.float64]) -> tuple[float, ...]:
        """(3, 4) row by row: what red, green and blue become, for brightness and saturation."""
        light = 1 + self.colour * BRIGHTNESS * (2 * float(drawn[_LIGHT]) - 1)
        colour = 1 + self.colour * SATURATION * (2 * float(drawn[_COLOUR]) - 1)
        rows = [[light * (1 - colour) * grey for grey in GREY] + [0.0] for _ in GREY]
        for channel, row in enumerate(rows):
            row[channel] += light * colour
        return tuple(value for row in rows for value in row)


def _resized(pictures: Sequence[Pixels], size: int) -> Sequence[Pixels]:
    """Pictures as squares, bilinear; those of one shape at once, which is several times faster.

    torch computes bytes in whole numbers: a picture becomes the same whatever lies beside it.
    """
    shapes: dict[tuple[int, ...], list[int]] = {}
    for row, picture in enumerate(pictures):
        shapes.setdefault(picture.shape, []).append(row)
    found = list(pictures)
    for shape, rows in shapes.items():
        if shape[:2] != (size, size):
            stacked = _interpolated(np.stack([pictures[row] for row in rows]), size)
            for row, picture in zip(rows, stacked, strict=True):
                found[row] = picture
    return found


def _cropped(picture: Pixels, min_scale: float, drawn: NDArray[np.float64], size: int) -> Pixels:
    height, width = picture.shape[:2]
    left, top, right, bottom = scaled_box(width, height, min_scale, drawn)
    part = picture[None, top:bottom, left:right].copy()  # Pillow's bytes are not for writing
    square: Pixels = _interpolated(part, size)[0]
    return square


def _interpolated(pixels: Pixels, size: int) -> Pixels:
    """(n, height, width, 3) -> (n, size, size, 3) bytes, as Pillow does, and faster."""
    laid = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    found = interpolate(laid, (size, size), mode="bilinear", antialias=True)
    squares: Pixels = found.permute(0, 2, 3, 1).numpy()
    return squares


def _coloured(pixels: Pixels, matrix: tuple[float, ...]) -> Pixels:
    """Brightness and saturation are linear: one pass does both, and cuts at 0 and 255 once."""
    return np.asarray(pillow().fromarray(pixels).convert("RGB", matrix))


def _shift(size: int, drawn: float) -> int:
    """A whole number of pixels from -size / 8 to size / 8, each as likely."""
    most = round(size * SHIFT)
    return int(drawn * (2 * most + 1)) - most


def _part(shift: int, size: int) -> slice:
    """The part of a side that is still there when a picture has moved by so many pixels."""
    return slice(max(shift, 0), size + min(shift, 0))


def scaled_box(
    width: int, height: int, min_scale: float, drawn: NDArray[np.float64]
) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of a part of a picture.

    Its area is uniform from ``min_scale`` of the picture's to all of it, the logarithm of width /
    height uniform from 3 / 4 to 4 / 3. Where ``TRIES`` of them do not fit, the middle, cut to the
    nearest ratio that is allowed.

    Args:
        width, height: of the picture, in pixels.
        drawn: (DRAWS,) random numbers from 0 to 1.
    """
    for area, ratio in zip(drawn[_AREAS:_RATIOS], drawn[_RATIOS:], strict=True):
        wanted = width * height * (min_scale + (1 - min_scale) * area)
        root = math.sqrt(RATIO) ** (2 * ratio - 1)
        across, down = round(math.sqrt(wanted) * root), round(math.sqrt(wanted) / root)
        if 0 < across <= width and 0 < down <= height:
            return _placed(width, height, across, down, drawn)
    across = min(width, max(1, round(height * RATIO)))
    down = min(height, max(1, round(width * RATIO)))
    left, top = (width - across) // 2, (height - down) // 2
    return left, top, left + across, top + down


def _placed(
    width: int, height: int, across: int, down: int, drawn: NDArray[np.float64]
) -> tuple[int, int, int, int]:
    left = int(drawn[_ACROSS] * (width - across + 1))
    top = int(drawn[_DOWN] * (height - down + 1))
    return left, top, left + across, top + down


def usual_augment(images: ImageSet, min_scale: float = 0.08) -> Augment:
    """How the field changes the pictures of a data set.

    Args:
        min_scale: smallest part of the area that a crop of a large picture keeps.
    """
    if images.cropped:
        return Augment(crop="scaled", min_scale=min_scale, flip=True, colour=1.0)
    return Augment(crop="shifted", flip=images.name != DIGITS)  # a mirrored digit is none
