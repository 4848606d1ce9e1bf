"""Images to train on: the same ones, changed the same way, however the work is split.

What happens to an image depends on (seed, phase, epoch, its number in the set) and on the step's
image size, not on the process, the worker or the micro-batch that reads it.

Source of the changes: Once-for-All's training (ICLR 2020) for large pictures; for CIFAR-10 the
field's shifts by an eighth of the side and flips (He et al., CVPR 2016).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import torch
from attrs import evolve, field, frozen
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import DataLoader, Dataset

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Progress, silent
from ofa_plugins_core.nn.bundled import DIGITS
from ofa_plugins_core.nn.data import ImageSet
from ofa_plugins_core.nn.pictures import Arrays, Picture, Pictures, pillow

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

ROOM: Final = 2 * 2**30
"""Bytes of decoded pictures that are kept in memory."""
SMALL: Final = 64
"""Pictures of at most that side are worth keeping: they take longer to open than to change."""

PART: Final = 256
"""Pictures that a process decodes at once, to be kept."""

_ORDER, _SIZE, _CHANGE = 1, 2, 3
"""Set the random streams apart; first in the key, since numpy drops zeros at its end."""

_ACROSS, _DOWN, _FLIP, _LIGHT, _COLOUR, _AREAS = range(6)
_RATIOS: Final = _AREAS + TRIES
DRAWS: Final = _RATIOS + TRIES
"""Random numbers an image and epoch has; see ``draws``."""


# ------------------------------------------------------------------------------- randomness


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


def _generator(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(key)))


# ------------------------------------------------------------------------------- changes


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


# ------------------------------------------------------------------------------- in memory


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
    for part, found in zip(places, _loaded(opener, places, workers), strict=True):
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
        return [_decoded(self.images.pictures, self.images.numbers[place]) for place in places]


def _loaded(dataset: Dataset[Any], plan: Sequence[Any], workers: int) -> Iterable[Any]:
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
    found = (_decoded(images.pictures, number) for number in images.numbers)
    first = next((f for f in found if not isinstance(f, str)), None)
    return None if first is None else (first.shape[0], first.shape[1])


def _decoded(pictures: Pictures, number: int) -> Pixels | str:
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


# ------------------------------------------------------------------------------- reading


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
            found = _decoded(self.images.pictures, number)
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
        return _loaded(reader, plan, self.workers)

    def _checked(self, read: _Read) -> tuple[Tensor, Tensor]:
        self.images.count_unreadable(read.broken)
        if not len(read.labels):
            raise InputError(f"{self.images.name}: none of {len(self.images)} images can be read")
        return read.pixels, read.labels
