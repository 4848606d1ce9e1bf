"""Horovod, the engine of the Once-for-All papers; the only file that imports it.

horovodrun sets HOROVOD_RANK, HOROVOD_SIZE, HOROVOD_LOCAL_RANK and an address to meet at. Horovod
matches operations by name, so each has one that says what it is of: unnamed ones are numbered by
each process for itself, and processes that have counted differently wait for each other for ever.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from typing import Any, ClassVar, Final

import torch
from attrs import frozen
from torch import Tensor

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.nn.engines import (
    NOT_MET,
    Compress,
    Engine,
    contiguous,
    device_of,
    needing_all,
    number,
)
from ofa_plugins_core.nn.engines.ending import ended_by_launcher

BUILD: Final = (
    'build it for this torch, with CXX a script that runs: g++ "$@" -std=c++17, '
    "HOROVOD_WITH_PYTORCH=1 and HOROVOD_WITH_GLOO=1; see docs/horovod.md, or run nox -s horovod"
)


@frozen(eq=False)
class Horovod(Engine):
    """One of the processes of horovodrun.

    Attributes:
        hvd: ``horovod.torch``, initialised.
        compression: Horovod's own, of what is averaged.
    """

    name: ClassVar[str] = "horovod"

    hvd: Any
    compression: Any

    def mean_(self, tensor: Tensor, name: str) -> None:
        """A sum of parts: Horovod's own average divides what it has added up, compressed."""
        with contiguous(tensor) as values:
            sent, context = self.compression.compress(values.div_(self.count))
            self._reduce(sent, self.hvd.Sum, f"mean.{name}")
            values.copy_(self.compression.decompress(sent, context))

    def sum_(self, tensor: Tensor, name: str) -> None:
        """Horovod's sum."""
        with contiguous(tensor) as values:
            self._reduce(values, self.hvd.Sum, f"sum.{name}")

    def broadcast_(self, tensor: Tensor, name: str) -> None:
        """From process 0, in place."""
        with contiguous(tensor) as values, needing_all():
            self.hvd.broadcast_(values, root_rank=0, name=f"broadcast.{name}")

    def _reduce(self, values: Tensor, operation: Any, name: str) -> None:
        with needing_all():
            self.hvd.allreduce_(values, name=name, op=operation)


def started() -> bool:
    """Whether horovodrun has started this process."""
    return {"HOROVOD_RANK", "HOROVOD_SIZE"} <= os.environ.keys()


@contextmanager
def joined(device: str, compress: Compress) -> Iterator[Engine]:
    """Join the processes that horovodrun started.

    Raises:
        UsageError: there is no such device; Horovod is not installed, or not built for this torch.
        PeerLostError: another was gone before all had met, or horovodrun ends this one.
    """
    hvd = imported()
    place = device_of(device, number("HOROVOD_LOCAL_RANK", 0))
    compression = hvd.Compression.fp16 if compress == "fp16" else hvd.Compression.none
    with ended_by_launcher():
        with needing_all(NOT_MET):
            hvd.init()
        found = Horovod(hvd.rank(), hvd.size(), place, hvd, compression)
        found.meet()
        yield found  # after an error the others are not waited for: they find this one gone
        hvd.shutdown()


def imported() -> Any:
    """``horovod.torch``.

    Raises:
        UsageError: it is not installed, or not built for this torch; says what to do.
    """
    if find_spec("horovod") is None:
        raise UsageError("--engine horovod: Horovod is not installed", advice=BUILD)
    said = StringIO()
    try:
        with redirect_stdout(said):  # it prints what it lacks, where results are printed
            hvd = import_module("horovod.torch")
    except (ImportError, OSError) as error:  # of another torch, the file cannot be loaded
        raise _unfit(str(error)) from error
    if not hasattr(hvd, "init"):
        raise _unfit(said.getvalue())
    if not hvd.gloo_built():
        raise _unfit("it was built without gloo")
    return hvd


def _unfit(reason: str) -> UsageError:
    line = (reason.strip().splitlines() or ["it was built without torch"])[0].strip()
    said = f"Horovod is installed, but not built for torch {torch.__version__}: {line}"
    return UsageError(f"--engine horovod: {said}", advice=BUILD)
