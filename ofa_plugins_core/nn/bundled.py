"""Data sets in arrays: scikit-learn's digits, and CIFAR-10 as its authors publish it."""

from __future__ import annotations

import pickle
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.errors import InputError, MissingExtraError
from ofa_plugins_core.nn.folders import HELD_OUT, Listed, Split
from ofa_plugins_core.nn.pictures import Arrays

DIGITS: Final = "digits"
CIFAR_FOLDERS: Final = ("cifar-10-batches-py", "cifar-10-batches-bin")
_TRAIN: Final = tuple(f"data_batch_{n}" for n in range(1, 6))
_RECORD: Final = 1 + 3 * 32 * 32
"""Bytes of one image of CIFAR-10's binary version: a label, then the three planes."""

_CIFAR_CLASSES: Final = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)


def digits(split: Split) -> Listed:
    """8×8 grey digits (Alpaydin and Kaynak, 1998), which come with scikit-learn: 1,797 images.

    Every fifth is held out to evaluate on.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    rows = _digit_rows()
    held_out = np.arange(len(rows)) % HELD_OUT == 0
    chosen = rows[held_out if split == "val" else ~held_out]
    grey = (chosen[:, :-1].reshape(-1, 8, 8) * (255 / 16)).round().astype(np.uint8)
    pixels = np.repeat(grey[..., None], 3, axis=3)
    labels = [int(label) for label in chosen[:, -1]]
    return Listed(DIGITS, tuple("0123456789"), Arrays(pixels, labels), cropped=False)


def _digit_rows() -> NDArray[np.float64]:
    """(1797, 65): 64 shades from 0 to 16, and the label.

    Read from scikit-learn's file where it is: importing scikit-learn itself takes seconds.
    """
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise MissingExtraError("the data set digits", "ofa-plugins-core", "torch")
    file = Path(found.origin).with_name("datasets") / "data" / "digits.csv.gz"
    if file.is_file():
        return np.loadtxt(file, delimiter=",")
    from sklearn.datasets import load_digits

    whole: Any = load_digits()
    return np.column_stack([whole.data, whole.target])


def cifar_folder(folder: Path) -> Path | None:
    """The folder with CIFAR-10's own files: this one, or the one that torchvision makes in it."""
    for place in (folder, *(folder / name for name in CIFAR_FOLDERS)):
        if any((place / f"test_batch{ending}").is_file() for ending in ("", ".bin")):
            return place
    return None


def cifar10(folder: Path, split: Split) -> Listed:
    """CIFAR-10 (Krizhevsky, 2009) in its Python or its binary version.

    Raises:
        InputError: a file is missing or broken.
    """
    names = _TRAIN if split == "train" else ("test_batch",)
    parts = [_batch(folder, name) for name in names]
    pixels = np.concatenate([p for p, _ in parts]).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    labels = [label for _, found in parts for label in found]
    if any(not 0 <= label < len(_CIFAR_CLASSES) for label in labels):
        raise InputError(f"{folder}: CIFAR-10 has labels from 0 to 9")
    return Listed("cifar10", _CIFAR_CLASSES, Arrays(np.ascontiguousarray(pixels), labels), False)


def _batch(folder: Path, name: str) -> tuple[NDArray[np.uint8], list[int]]:
    """(n, 3072) bytes and n labels of one file."""
    binary = folder / f"{name}.bin"
    path = binary if binary.is_file() else folder / name
    try:
        return _records(path) if path == binary else _pickled(path)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except Exception as error:  # pickles break in many ways
        raise InputError(f"{path} is no file of CIFAR-10: {error}") from error


def _records(path: Path) -> tuple[NDArray[np.uint8], list[int]]:
    rows = np.fromfile(path, np.uint8)
    if not len(rows) or len(rows) % _RECORD:
        raise ValueError(f"its length is no multiple of {_RECORD} bytes")
    rows = rows.reshape(-1, _RECORD)
    return rows[:, 1:], rows[:, 0].tolist()


def _pickled(path: Path) -> tuple[NDArray[np.uint8], list[int]]:
    with path.open("rb") as file:
        found = _Arrays(file, encoding="bytes").load()
    pixels = np.asarray(found[b"data"], np.uint8)
    if pixels.ndim != 2 or pixels.shape[1] != _RECORD - 1:
        raise ValueError(f"its data have the shape {pixels.shape}")
    return pixels, [int(n) for n in found[b"labels"]]


class _Arrays(pickle.Unpickler):
    """Reads numpy's arrays and nothing else: a pickle may not run what it likes."""

    _NUMPY: Final = ("_reconstruct", "ndarray", "dtype")

    def __init__(self, file: IO[bytes], *, encoding: str) -> None:
        super().__init__(file, encoding=encoding)

    def find_class(self, module: str, name: str) -> Any:
        """One of the names that an array's pickle needs."""
        if (module, name) == ("_codecs", "encode"):  # bytes, as newer Pythons write them
            return super().find_class(module, name)
        if module.partition(".")[0] != "numpy" or name not in self._NUMPY:
            raise ValueError(f"it asks for {module}.{name}: more than arrays")
        moved = module.replace("numpy.core", "numpy._core")
        return super().find_class(moved if hasattr(np, "_core") else module, name)
