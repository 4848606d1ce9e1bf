"""The numbers of a tensor's storage, as ``torch.save`` wrote it before it wrote zip files.

Some small pickles say what follows: the numbers, as they lie in memory. Whatever device they were
on, they are read here without torch, and no name of the pickles is imported.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

STORAGES: Final = {"DoubleStorage": "f8", "FloatStorage": "f4", "HalfStorage": "f2"}
"""torch's names of storages of real numbers -> numpy's of their elements."""

MAGIC: Final = 0x1950A86A20F9469CFC6C
PROTOCOL: Final = 1001
"""With these two begins what ``torch.save`` wrote before it wrote zip files."""


class RefusedError(pickle.UnpicklingError):
    """The file asks for something that is not data."""


@frozen
class Answer:
    """A call that a pickle may make. A state for it is refused: it would change this module."""

    call: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)

    def __setstate__(self, state: Any) -> None:
        raise RefusedError("a state for a function")


def read_storage(content: bytes) -> NDArray[Any]:
    """The numbers of a storage.

    Args:
        content: as ``torch.save`` writes a storage, without zip.

    Raises:
        RefusedError: it is none of real numbers.
    """
    file = BytesIO(content)
    try:
        magic, protocol, about, described, keys = (_Storage(file).load() for _ in range(5))
    except RefusedError:
        raise
    except Exception as error:  # any opcode may fail in its own way
        raise RefusedError(f"a storage that cannot be read: {error!s:.80}") from error
    if (magic, protocol) != (MAGIC, PROTOCOL) or not isinstance(described, _Described):
        raise RefusedError("a storage that torch has not written")
    if keys != [described.key] or not isinstance(about, Mapping):
        raise RefusedError("a storage of several parts")
    order: Literal["<", ">"] = "<" if about.get("little_endian", True) else ">"
    count = int.from_bytes(file.read(8), "little" if order == "<" else "big")
    element = np.dtype(described.code).newbyteorder(order)
    rest = file.read()
    if count != described.count or len(rest) != count * element.itemsize:
        raise RefusedError("a storage that was cut short")
    return np.frombuffer(rest, element)


@frozen(eq=False)
class _Described:
    """What the pickle of a storage says: elements, key, and how many there are."""

    code: str
    key: str
    count: int


class _Storage(pickle.Unpickler):
    """Knows the names of storages, and calls nothing."""

    def find_class(self, module: str, name: str) -> Any:
        if module not in ("torch", "torch.cuda") or name not in STORAGES:
            raise RefusedError(f"{module}.{name}")
        return Answer(lambda: name)

    def persistent_load(self, pid: Any) -> _Described:
        _, kind, key, _, count, view = pid
        if not isinstance(kind, Answer) or view is not None:
            raise RefusedError("a storage that is part of another")
        return _Described(STORAGES[kind()], str(key), int(count))
