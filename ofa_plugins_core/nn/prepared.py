"""Images of one size, decoded, resized and cropped once: bytes that wait to be normalised.

What comes before normalising is done on bytes, so that bytes are what is kept: a quarter of the
room that float32 takes, and the same bits for the network.
"""

from __future__ import annotations

import json
import re
import warnings
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import torch
from attrs import evolve, field, frozen
from torch import Tensor

from ofa_plugins_core import journal, runs
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.nn.data import WHOLE, ImageSet, Share, read_parts
from ofa_plugins_core.nn.pictures import CROP, pillow
from ofa_plugins_core.nn.room import disk_left
from ofa_plugins_core.words import counted, sized

PART: Final = 64
"""Pictures that a process reads at once."""
CHUNK: Final = 1 << 24
NUMBER: Final = 8
"""Bytes of each of the two numbers at the end of a file: a checksum of all before it, and how long
the description between the pictures and it is."""
ENDING: Final = ".images"


@frozen(eq=False)
class Prepared:
    """Images of one size, ready.

    Attributes:
        images: in the order of the rows.
        pixels: (n, 3, size, size) bytes.
        broken: row -> why its picture cannot be read.
        share: which batches are this process's.
    """

    images: ImageSet
    pixels: Tensor = field(repr=False)
    broken: Mapping[int, str]
    share: Share = WHOLE

    def raw_batches(self, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """What ``ImageSet.raw_batches`` gives."""
        labels = torch.tensor(self.images.labels, dtype=torch.int64)
        starts = range(0, len(labels), batch)[self.share[0] :: self.share[1]]
        for part in (range(at, min(at + batch, len(labels))) for at in starts):
            bad = [row for row in part if row in self.broken]
            numbers = self.images.numbers
            self.images.count_unreadable([(numbers[row], self.broken[row]) for row in bad])
            rows: Any = slice(part.start, part.stop)
            if bad:
                rows = [row for row in part if row not in self.broken]
            if len(bad) < len(part):
                yield self.pixels[rows], labels[rows]


def bytes_of(images: ImageSet) -> int:
    """What the images of a set take at its size."""
    return len(images) * 3 * images.size**2


def in_memory(images: ImageSet, batch: int, workers: int = 0, share: Share = WHOLE) -> Prepared:
    """The batches of this process, read into memory.

    Args:
        batch: images a batch. workers: processes that read. share: (n, of) of the batches.
    """
    starts = range(0, len(images), batch)[share[0] :: share[1]]
    own = evolve(images, numbers=[n for at in starts for n in images.numbers[at : at + batch]])
    pixels = torch.empty(len(own), 3, images.size, images.size, dtype=torch.uint8)
    broken: dict[int, str] = {}
    at = 0
    for block, bad in _blocks(own, workers):
        pixels[at : at + len(block)] = block
        broken |= {at + row: why for row, why in bad.items()}
        at += len(block)
    return Prepared(own, pixels, broken)


def _blocks(images: ImageSet, workers: int) -> Iterator[tuple[Tensor, dict[int, str]]]:
    """Pictures in their order, some at once: bytes, and row in the block -> why it is broken."""
    size, numbers = images.size, list(images.numbers)
    parts = [numbers[at : at + PART] for at in range(0, len(numbers), PART)]
    done = 0
    for part, read in zip(parts, read_parts(images, parts, workers), strict=True):
        why = dict(read.broken)
        block = torch.zeros(len(part), 3, size, size, dtype=torch.uint8)
        if len(read.labels):
            block[[row for row, number in enumerate(part) if number not in why]] = read.pixels
        yield block, {row: why[number] for row, number in enumerate(part) if number in why}
        done += len(part)
        images.listener(Progress(f"prepare images at {size}", done, len(numbers), "images"))


# ------------------------------------------------------------------------------- on disk


def on_disk(images: ImageSet, folder: Path, workers: int = 0, share: Share = WHOLE) -> Prepared:
    """All images of a set in a file, mapped into memory; made where it is not there.

    A file is taken for the same pictures (by their paths, lengths and times), prepared the same
    way, if its checksum is right. Pictures that could not be read are tried again. Several
    processes share one file, and its place in memory.

    Args:
        folder: for such files. workers: processes that read. share: (n, of) of the batches.

    Raises:
        InputError: the disk has no room for it, or it cannot be written.
    """
    said = _described(images)
    path = _place(folder, images, said)
    found = _opened(path, images, said)
    if found is None:
        with _alone(path):  # whoever waited here finds what the other has made
            found = _opened(path, images, said, tell=True)
            if found is None:
                check_disk([images], folder)
                _write(path, images, workers, said)
                found = _opened(path, images, said)
    if found is None:
        raise InputError(f"{path} is another than was written", advice="is its disk sound?")
    return evolve(found, share=share)


def _place(folder: Path, images: ImageSet, said: Mapping[str, Any]) -> Path:
    name = re.sub(r"[^\w.-]+", "_", images.name)
    return folder / f"{name}-{images.size}-{said['pictures'][:16]}{ENDING}"


def _described(images: ImageSet) -> dict[str, Any]:
    """What a file is of: it is of no use for anything else."""
    pictures = sha256()
    for number in images.numbers:
        pictures.update(f"{images.pictures.stamp(number)}\n".encode())
    cut = f"centre {CROP}" if images.cropped else "whole"
    how = {"size": images.size, "cut": cut, "filter": "bilinear", "pillow": pillow().__version__}
    pictures.update(json.dumps(how).encode())
    return {**how, "images": len(images), "pictures": pictures.hexdigest()}


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """No other process makes the same file meanwhile; what a killed one left is removed."""
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = lock.open("ab")
    except OSError as error:
        raise InputError(f"cannot write {lock}: {error.strerror or error}") from error
    with file:
        journal.locked(file, wait=True)
        for left in path.parent.glob(f".{path.name}.*.part"):
            with suppress(OSError):
                left.unlink()
        yield


def check_disk(sets: Iterable[ImageSet], folder: Path) -> None:
    """Refuse files that the disk has no room for; those that are there already need none.

    Raises:
        InputError: says how much is needed, and how much is there.
    """
    lacking = [s for s in sets if not _place(folder, s, _described(s)).exists()]
    needed, left = sum(map(bytes_of, lacking)), disk_left(folder)
    if needed > left:
        raise InputError(
            f"--fast disk needs {sized(needed)} in {folder}, {sized(left)} are free",
            advice="make room, name another folder with OFA_CACHE, or take fewer --images",
        )


def _write(path: Path, images: ImageSet, workers: int, said: Mapping[str, Any]) -> None:
    broken: dict[int, str] = {}
    checksum = at = 0
    with runs.placed(path) as beside, beside.open("wb") as file:
        for block, bad in _blocks(images, workers):
            content = block.numpy().data
            file.write(content)
            checksum = zlib.crc32(content, checksum)
            broken |= {at + row: why for row, why in bad.items()}
            at += len(block)
        text = json.dumps({**said, "broken": broken}, ensure_ascii=False).encode()
        numbers = (zlib.crc32(text, checksum), len(text))
        file.write(text + b"".join(n.to_bytes(NUMBER, "big") for n in numbers))
    kept = f"{counted(len(images), 'image')} of {images.size} pixels, {sized(bytes_of(images))}"
    images.listener(Notice(f"prepared: {kept}, kept in {path} until you remove it"))


def _opened(
    path: Path, images: ImageSet, said: Mapping[str, Any], tell: bool = False
) -> Prepared | None:
    """A file's images; None where it is not there, of something else, or broken.

    Args:
        tell: say so where it is there and cannot be taken.
    """
    length = bytes_of(images)
    try:
        with path.open("rb") as file:
            text, checksum = _end(file, length)
            about = json.loads(text)
            broken = {int(row): str(why) for row, why in about.pop("broken").items()}
            sound = about == said and all(0 <= row < len(images) for row in broken)
            sound = sound and zlib.crc32(text, _checksum(file, length, images)) == checksum
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        sound, broken = False, {}
    if sound and not _readable_now(images, broken):
        return Prepared(images, _mapped(path, images), broken)
    if tell and not sound:
        images.listener(Notice(f"{path} is not what was written there: it is made again"))
    return None


def _end(file: IO[bytes], start: int) -> tuple[bytes, int]:
    """The description at the end of a file, after so many bytes of pictures, and the checksum."""
    file.seek(start)
    rest = file.read()
    text, ends = rest[: -2 * NUMBER], (rest[-2 * NUMBER : -NUMBER], rest[-NUMBER:])
    checksum, length = (int.from_bytes(end, "big") for end in ends)
    if len(text) != length:
        raise ValueError("it is of another length")
    return text, checksum


def _checksum(file: IO[bytes], length: int, images: ImageSet) -> int:
    """Of the pictures."""
    file.seek(0)
    found = done = 0
    while content := file.read(min(CHUNK, length - done)):
        found, done = zlib.crc32(content, found), done + len(content)
        images.listener(Progress(f"check images at {images.size}", done, length, "bytes"))
    return found


def _readable_now(images: ImageSet, broken: Iterable[int]) -> bool:
    """Whether a picture can be read that could not be: a disk elsewhere may be back."""
    again = [images.numbers[row] for row in broken]
    if not again:
        return False
    return any(len(read.labels) for read in read_parts(images, [[n] for n in again], 0))


def _mapped(path: Path, images: ImageSet) -> Tensor:
    """(n, 3, size, size) bytes, not to be written; the system reads pages as they are asked for."""
    shape = (len(images), 3, images.size, images.size)
    with warnings.catch_warnings():  # a copy on write may not be larger than the memory
        warnings.filterwarnings("ignore", message=".*not writable")
        return torch.from_numpy(np.memmap(path, np.uint8, mode="r", shape=shape))
