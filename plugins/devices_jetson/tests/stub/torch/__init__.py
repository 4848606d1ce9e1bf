"""Stands in for torch on a constructed board: builds what it is told, computes nothing.

A pass takes a fifth of a millisecond; while it runs, the constructed board takes more power.
"""

import os
import time
from contextlib import contextmanager
from types import SimpleNamespace

from torch import nn

__version__ = "0.stub"
version = SimpleNamespace(cuda="0.stub")
threads = []


class Tensor:
    def __init__(self, *shape):
        self.shape = shape

    def add_(self, other):
        return self

    def cuda(self):
        return self

    def half(self):
        return self


def rand(*shape):
    if os.environ.get("STUB_FULL"):
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return Tensor(*shape)


def set_num_threads(count):
    threads.append(count)


@contextmanager
def no_grad():
    yield


class Event:
    def __init__(self, enable_timing=False):
        assert enable_timing

    def record(self):
        self.at = time.perf_counter()

    def synchronize(self):
        pass

    def elapsed_time(self, other):
        return (other.at - self.at) * 1000


cuda = SimpleNamespace(
    is_available=lambda: bool(os.environ.get("STUB_CUDA")),
    get_device_name=lambda index: "a stub",
    Event=Event,
    synchronize=lambda: None,
    empty_cache=lambda: None,
)
backends = SimpleNamespace(cudnn=SimpleNamespace(benchmark=False, version=lambda: 0))
__all__ = ["nn"]
