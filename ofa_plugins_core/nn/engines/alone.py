"""One process, without any other: every sum and every mean is its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from attrs import frozen
from torch import Tensor

from ofa_plugins_core.nn.engines import Compress, Engine, device_of


@frozen(eq=False)
class Alone(Engine):
    """The only process; nothing travels, so nothing is compressed either."""

    name: ClassVar[str] = "one process"

    def mean_(self, tensor: Tensor, name: str) -> None:
        """It is the mean already."""

    def sum_(self, tensor: Tensor, name: str) -> None:
        """It is the sum already."""

    def broadcast_(self, tensor: Tensor, name: str) -> None:
        """These are process 0's values already."""


@contextmanager
def joined(device: str, compress: Compress) -> Iterator[Engine]:
    """Be the only process.

    Raises:
        UsageError: there is no such device.
    """
    yield Alone(0, 1, device_of(device))
