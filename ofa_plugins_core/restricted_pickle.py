"""Reads a pickle that holds data only: plain containers, numbers, text, numpy scalars and arrays.

A pickle is a program; this reader knows no other calls than those that numpy's own arrays are
made of, and answers them itself: no name of the file is ever imported.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from attrs import define, frozen

from ofa_plugins_core.errors import InputError

KINDS: Final = "biuf"
"""Kinds of numpy elements that are read: truth values, whole and real numbers."""


class _RefusedError(pickle.UnpicklingError):
    """The file asks for something that is not data."""


@define(eq=False)
class PlainType:
    """Stands for a numpy dtype: its kind and size, and the byte order that its state adds."""

    code: str
    order: str = "="

    def __setstate__(self, state: Any) -> None:
        self.order = str(state[1]) if str(state[1]) in "<>|=" else "="

    def dtype(self) -> np.dtype[Any]:
        """The numpy type, refused unless its elements are numbers."""
        found = np.dtype(self.code)
        if self.order in "<>":
            found = found.newbyteorder("<" if self.order == "<" else ">")
        if found.kind not in KINDS:
            raise _RefusedError(f"an array of {found}")
        return found


@define(eq=False)
class PlainArray:
    """Stands for a numpy array or scalar, filled from its bytes."""

    values: np.ndarray[Any, Any]
    scalar: bool = False

    def __setstate__(self, state: Any) -> None:
        _, shape, kind, fortran, raw = state
        self.values = _shaped(raw, kind, shape, "F" if fortran else "C")

    def as_list(self) -> list[Any]:
        """Elements as Python numbers, flat."""
        return list(self.values.ravel().tolist())


def _shaped(raw: Any, kind: PlainType, shape: Any, order: Any) -> np.ndarray[Any, Any]:
    values = np.frombuffer(_raw(raw), kind.dtype())
    return values.reshape(tuple(int(n) for n in shape), order="F" if order == "F" else "C")


def _raw(raw: Any) -> bytes:
    if not isinstance(raw, bytes | bytearray):
        raise _RefusedError("an array whose content is not bytes")
    return bytes(raw)


def _dtype(code: Any, *_: Any) -> PlainType:
    return PlainType(str(code))


def _reconstruct(*_: Any) -> PlainArray:
    return PlainArray(np.empty(0))


def _from_buffer(raw: Any, kind: PlainType, shape: Any, order: str) -> PlainArray:
    return PlainArray(_shaped(raw, kind, shape, order))


def _scalar(kind: PlainType, raw: Any) -> PlainArray:
    return PlainArray(np.frombuffer(_raw(raw), kind.dtype()), scalar=True)


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    # Protocol 2 writes bytes as text with this call.
    if encoding not in ("latin1", "latin-1"):
        raise _RefusedError(f"an encoding {encoding!r}")
    return str(text).encode("latin1")


def _array_type(*_: Any) -> PlainArray:
    raise _RefusedError("an array without content")


@frozen
class _Answer:
    """A call that a pickle may make. A state for it is refused: it would change this module."""

    call: Callable[..., Any]

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)

    def __setstate__(self, state: Any) -> None:
        raise _RefusedError("a state for a function")


_CALLS: Final[dict[str, Callable[..., Any]]] = {
    "numpy.ndarray": _array_type,
    "numpy.dtype": _dtype,
    "numpy.core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy.core.multiarray.scalar": _scalar,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy.core.numeric._frombuffer": _from_buffer,
    "numpy._core.numeric._frombuffer": _from_buffer,
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _encode,
}


class _DataOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            return _Answer(_CALLS[f"{module}.{name}"])
        except KeyError:
            raise _RefusedError(f"{module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        raise _RefusedError("a persistent object")


def load_plain(content: bytes, name: str) -> Any:
    """The data of a pickle.

    Args:
        content: of the file.
        name: of the file, for the message.

    Returns:
        Containers, numbers and text; numpy arrays and scalars as PlainArray.

    Raises:
        InputError: it is broken, or asks for anything that is not data; nothing of it was run.
    """
    try:
        return _DataOnly(io.BytesIO(content)).load()
    except _RefusedError as error:
        raise InputError(
            f"{name}: the pickle asks for {error}, which is not data; it was not run",
            advice="only plain containers, numpy scalars and numpy arrays are read from a pickle",
        ) from error
    # What a broken pickle raises is not bounded: any opcode may fail in its own way.
    except Exception as error:
        raise InputError(f"{name} is neither JSON lines nor a readable pickle: {error}") from error
