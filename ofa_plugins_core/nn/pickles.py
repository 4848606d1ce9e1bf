"""What a pickle asks for, read from its words alone: nothing of it is run or imported."""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, Final

WORDS: Final = 500_000
"""That are looked at: a checkpoint of a supernet has some ten thousand."""
DATA: Final = ("torch.", "collections.OrderedDict", "_codecs.encode")
"""What checkpoints of plain tensors ask for."""
MODULES: Final = "torch.nn.modules."
"""Of a whole network that was saved, not of its tensors."""
TEXTS: Final = ("UNICODE", "STRING")


def asked_for(path: Path) -> list[str]:
    """Names of classes and functions that a checkpoint asks for beyond plain tensors' own.

    Args:
        path: a file of torch's, in either format, or any other pickle.

    Returns:
        ``module.name``, each once, in the order of the file; as far as it can be read.
    """
    names = dict.fromkeys(_names(path))
    return [n for n in names if n.startswith(MODULES) or not n.startswith(DATA)]


def _names(path: Path) -> Iterator[str]:
    broken = (ValueError, OSError, KeyError, zipfile.BadZipFile, NotImplementedError)
    with suppress(*broken), path.open("rb") as file:
        yield from _in_pickles(_pickles(path, file))


def _pickles(path: Path, file: IO[bytes]) -> IO[bytes]:
    """The file itself, or the one in an archive."""
    if not zipfile.is_zipfile(path):
        return file
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in [*archive.namelist(), "data.pkl"] if n.endswith("data.pkl"))
        return BytesIO(archive.read(name))


def _in_pickles(file: IO[bytes]) -> Iterator[str]:
    """Names in one pickle after the other: the older format is several."""
    while True:
        found = False
        texts: list[str] = []
        for word, value, _ in islice(pickletools.genops(file), WORDS):
            found = True
            if word.name in ("GLOBAL", "INST"):
                yield str(value).replace(" ", ".", 1)
            elif word.name == "STACK_GLOBAL":
                yield ".".join(texts[-2:])
            elif any(text in word.name for text in TEXTS):
                texts.append(str(value))
        if not found:
            return
