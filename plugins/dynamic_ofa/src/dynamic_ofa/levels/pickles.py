"""Reads a pickle that holds data only: plain containers, numbers, numpy's arrays, torch's tensors.

A pickle is a program; this reader knows no other calls than those that such data is made of, and
answers them itself: no name of the file is ever imported, and neither torch nor the program that
wrote the file is needed. A tensor's storage lies in the pickle as the bytes of ``torch.save`` in
its form before zip files, whatever device it was on: some small pickles, then the numbers.
"""

from __future__ import annotations

import pickle
import pickletools
from collections import OrderedDict
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any, Final, Literal

import numpy as np
from attrs import define, frozen
from numpy.typing import NDArray

from dynamic_ofa.levels.storages import Answer, RefusedError, read_storage
from ofa_plugins_core.errors import InputError

KINDS: Final = "iuf"
"""Kinds of numpy elements that are read: whole and real numbers."""

Order = Literal["<", ">", "|", "="]
_ORDERS: Final[Mapping[Any, Order]] = {"<": "<", ">": ">", "|": "|"}

MOST_TUPLES: Final = 50_000
"""A published table has some 9,000; numbers that only serve to nest break the interpreter."""


# ------------------------------------------------------------------------------- numpy


@define(eq=False)
class _Type:
    """Stands for a numpy dtype: its kind and size, and the byte order that its state adds."""

    code: str
    order: Order = "="

    def __setstate__(self, state: Any) -> None:
        self.order = _ORDERS.get(state[1], "=")

    @property
    def objects(self) -> bool:
        return self.code.startswith("O")

    def dtype(self) -> np.dtype[Any]:
        found = np.dtype(self.code)
        if found.kind not in KINDS:
            raise RefusedError(f"an array of {found}")
        return found.newbyteorder(self.order)


@define(eq=False)
class Array:
    """Stands for a numpy array or scalar.

    Attributes:
        items: flat, in the order of the file: numbers, or anything that is data.
    """

    items: list[Any]

    def __setstate__(self, state: Any) -> None:
        _, _, kind, _, content = state
        if kind.objects:
            self.items = list(content) if isinstance(content, list) else []
        else:
            self.items = _numbers(kind, content)


def _numbers(kind: _Type, content: Any) -> list[Any]:
    if not isinstance(content, bytes | bytearray):
        raise RefusedError("an array whose content is not bytes")
    found: list[Any] = np.frombuffer(bytes(content), kind.dtype()).tolist()
    return found


def _dtype(code: Any, *_: Any) -> _Type:
    return _Type(str(code))


def _reconstruct(*_: Any) -> Array:
    return Array([])


def _from_buffer(content: Any, kind: _Type, *_: Any) -> Array:
    return Array(_numbers(kind, content))


def _scalar(kind: _Type, content: Any) -> Array:
    return Array(_numbers(kind, content))


def _array_type(*_: Any) -> Any:
    raise RefusedError("an array without content")


# ------------------------------------------------------------------------------- torch


@frozen(eq=False)
class Tensor:
    """Stands for a tensor; its numbers are read when they are asked for.

    Attributes:
        storage: as ``torch.save`` wrote it. offset, size, stride: in elements.
    """

    storage: bytes
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]

    def values(self) -> NDArray[np.float32]:
        """Its numbers, in its shape.

        Raises:
            RefusedError: the storage holds no such numbers.
        """
        numbers = read_storage(self.storage)
        places = np.asarray(self.offset)
        for size, stride in zip(self.size, self.stride, strict=True):
            if not (0 <= size <= len(numbers) and 0 <= stride <= len(numbers)):
                raise RefusedError("a tensor that is larger than its storage")
            places = places[..., None] + stride * np.arange(size)
            if places.size > len(numbers):
                raise RefusedError("a tensor that is larger than its storage")
        if places.size and not 0 <= places.min() <= places.max() < len(numbers):
            raise RefusedError("a tensor that is larger than its storage")
        return np.asarray(numbers[places], dtype=np.float32)


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> Tensor:
    if not isinstance(storage, bytes) or len(size) != len(stride):
        raise RefusedError("a tensor without a storage")
    return Tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _storage_bytes(content: Any) -> bytes:
    if not isinstance(content, bytes | bytearray):
        raise RefusedError("a storage whose content is not bytes")
    return bytes(content)


# ------------------------------------------------------------------------------- the file


class Meter:
    """Stands for an average that was kept over batches; what it kept is ``kept``."""

    kept: Mapping[str, Any]

    def __setstate__(self, state: Any) -> None:
        parts = state if isinstance(state, tuple) else (state,)
        found = next((p for p in parts if isinstance(p, dict)), None)
        if found is None:
            raise RefusedError("an average without content")
        self.kept = found


_CALLS: Final[dict[str, Callable[..., Any]]] = {
    "numpy.ndarray": _array_type,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "numpy._core.numeric._frombuffer": _from_buffer,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.storage._load_from_bytes": _storage_bytes,
    "collections.OrderedDict": OrderedDict,
}


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        called = f"{module}.{name}"
        if called == "ofa.utils.AverageMeter":
            return Meter  # made without a call: it has to be a type
        if called not in _CALLS:
            raise RefusedError(called)
        return Answer(_CALLS[called])

    def persistent_load(self, pid: Any) -> Any:
        raise RefusedError("a persistent object")


def load_data(content: bytes, name: str) -> Any:
    """The data of a pickle.

    Args:
        content: of the file. name: of it, for the message.

    Returns:
        Containers, numbers and text; Array, Tensor and Meter for what they stand for.

    Raises:
        InputError: it is broken, or asks for anything that is not data; nothing of it was run.
    """
    try:
        _check_size(content)
        return _DataOnly(BytesIO(content)).load()
    except RefusedError as error:
        raise refused(name, error) from error
    # What a broken pickle raises is not bounded: any opcode may fail in its own way.
    except Exception as error:
        raise InputError(f"{name} is no readable pickle: {error!s:.80}") from error


def refused(name: str, error: RefusedError) -> InputError:
    """The error for a file that asks for what is not data."""
    return InputError(
        f"{name}: the pickle asks for {error}, which is not data; it was not run",
        advice="numbers, numpy's arrays and torch's tensors are read from a pickle, nothing else",
    )


def _check_size(content: bytes) -> None:
    """Refuse what would take the memory, or the stack, that it only claims to need."""
    tuples = 0
    for opcode, value, _ in pickletools.genops(content):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and int(value or 0) > len(content):
            raise RefusedError("room for more than it holds")
        tuples += opcode.name.startswith("TUPLE")
        if tuples > MOST_TUPLES:
            raise RefusedError("more tuples than any table has")
