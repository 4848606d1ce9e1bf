"""What lies in a folder of images: its classes, its splits, its files. Reads no picture yet."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, Literal, TypeAlias

from attrs import frozen

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.nn.pictures import Files, Pictures

Split: TypeAlias = Literal["train", "val"]

ENDINGS: Final = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm", ".gif", ".tif", ".tiff")
SPLITS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "test"),
}
"""Names of the folders that hold a split."""

HELD_OUT: Final = 5
"""One image in so many is held out, where a folder has no splits."""

CIFAR10: Final = frozenset(
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
)
IMAGENETTE: Final = frozenset(
    (
        *("n01440764", "n02102040", "n02979186", "n03000684", "n03028079"),
        *("n03394916", "n03417042", "n03425413", "n03445777", "n03888257"),
    )
)
SHAPES: Final = (
    "expected train/ and val/ with a folder a class, a folder a class, or images alone "
    "(for calibration)"
)


@frozen(eq=False)
class Listed:
    """A split of a data set, listed.

    Attributes:
        name: of the data set, for reports.
        classes: names in the order of the labels; () where there are none.
        pictures: to be read.
        cropped: evaluated on a centre crop; small pictures are taken whole.
        skipped: files that are no pictures by their names.
        note: what the user should know: how a split was made.
    """

    name: str
    classes: tuple[str, ...]
    pictures: Pictures
    cropped: bool = True
    skipped: int = 0
    note: str | None = None


@lru_cache(maxsize=1)
def imagenet_wnids() -> tuple[str, ...]:
    """The 1,000 WordNet identifiers of ImageNet's classes in the order of its labels."""
    return tuple((files(__package__) / "imagenet_wnids.txt").read_text("ascii").split())


def list_folder(folder: Path, split: Split) -> Listed:
    """List one split of a folder of images.

    Raises:
        InputError: it is no folder, cannot be read, or holds no image; says what is expected.
    """
    given = _subfolders(folder)
    parts = {s: next((given[n] for n in names if n in given), None) for s, names in SPLITS.items()}
    if any(parts.values()):
        return _of_splits(folder, parts, split)
    if not given:
        return _flat(folder, split)
    return _split(folder, _with_classes(folder, folder.resolve().name), split)


def _split(folder: Path, listed: Listed, split: Split) -> Listed:
    everything = range(len(listed.pictures.labels))
    if len(everything) < HELD_OUT * len(listed.classes):
        note = f"{folder} has no train/ and val/, and few images a class: all of them are taken"
        return _only(listed, everything, note)
    note = (
        f"{folder} has no train/ and val/: one image in {HELD_OUT} is held out to evaluate on "
        "(by names of files, always the same ones)"
    )
    return _only(listed, [n for n in everything if _side(listed, n) == split] or everything, note)


def _of_splits(folder: Path, parts: Mapping[str, Path | None], split: Split) -> Listed:
    here = parts[split]
    if here is not None:
        return _with_classes(here, folder.resolve().name)
    other = next(p for p in parts.values() if p is not None)
    listed = _with_classes(other, folder.resolve().name)
    note = f"{folder} has no images of its own for {split}: those of {other.name}/ are taken"
    return _only(listed, range(len(listed.pictures.labels)), note)


def _only(listed: Listed, kept: Iterable[int], note: str) -> Listed:
    numbers = list(kept)
    pictures = listed.pictures
    assert isinstance(pictures, Files)
    chosen = Files([pictures.paths[n] for n in numbers], [pictures.labels[n] for n in numbers])
    return Listed(listed.name, listed.classes, chosen, listed.cropped, listed.skipped, note)


def _side(listed: Listed, number: int) -> Split:
    """By a checksum of the class's and the file's names: as good as random, and always the same."""
    path = Path(listed.pictures.called(number))
    key = f"{path.parent.name}/{path.name}".encode()
    return "val" if zlib.crc32(key) % HELD_OUT == 0 else "train"


def _with_classes(folder: Path, name: str) -> Listed:
    classes = sorted(_subfolders(folder))
    if not classes:
        return _flat(folder, "val")
    paths, labels, skipped = list[str](), list[int](), 0
    for label, own in enumerate(classes):
        found, odd = _files(folder / own)
        paths += found
        labels += [label] * len(found)
        skipped += odd
    _refuse_empty(folder, paths, skipped)
    known = frozenset(classes)
    called = "cifar10" if known == CIFAR10 else "imagenette" if known == IMAGENETTE else name
    if known == frozenset(imagenet_wnids()):
        called = "imagenet"
    return Listed(called, tuple(classes), Files(paths, labels), known != CIFAR10, skipped)


def _flat(folder: Path, split: Split) -> Listed:
    """Images without classes: good for calibration."""
    paths, skipped = _files(folder)
    _refuse_empty(folder, paths, skipped)
    return Listed(folder.resolve().name, (), Files(paths, [-1] * len(paths)), True, skipped)


def _refuse_empty(folder: Path, paths: Sequence[str], skipped: int) -> None:
    if not paths:
        odd = f"; {skipped} files in it are no images by their names" if skipped else ""
        raise InputError(f"{folder} holds no image{odd}", advice=SHAPES)


def _subfolders(folder: Path) -> dict[str, Path]:
    return {e.name: folder / e.name for e in _entries(folder) if e.is_dir()}


def _files(folder: Path) -> tuple[list[str], int]:
    """Paths of images under a class's folder, sorted, and the number of other files."""
    found, odd = list[str](), 0
    for entry in sorted(_entries(folder), key=lambda e: e.name):
        if entry.is_dir():
            below, more = _files(Path(entry.path))
            found += below
            odd += more
        elif entry.name.lower().endswith(ENDINGS):
            found.append(entry.path)
        else:
            odd += 1
    return found, odd


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """What lies in a folder, hidden things left out."""
    try:
        with os.scandir(folder) as entries:
            yield from (e for e in entries if not e.name.startswith("."))
    except OSError as error:
        raise InputError(
            f"cannot read {folder}: {error.strerror or error}", advice=SHAPES
        ) from error
