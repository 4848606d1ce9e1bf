"""Pickles as published level tables are written, made here: torch is not needed."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from io import BytesIO
from types import ModuleType

import numpy as np
import pytest


class AverageMeter:
    """What the published program kept averages in."""


AverageMeter.__module__ = "ofa.utils"


class _Pickler(pickle._Pickler):
    """Writes calls of names that need not be there."""

    def save_global(self, found, name=None):
        self.write(pickle.GLOBAL + f"{found.__module__}\n{found.__qualname__}\n".encode())
        self.memoize(found)


def _named(module, name):
    """Something that pickles as ``module.name``."""
    return type(name, (), {"__module__": module, "__qualname__": name})


class _Call:
    def __init__(self, module, name, *args):
        self.args = _named(module, name), args

    def __reduce__(self):
        return self.args


class _Storage:
    """The numbers of a tensor as ``torch.save`` wrote them before it wrote zip files."""

    def __init__(self, values):
        self.values = values

    def __bytes__(self):
        file = BytesIO()
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            pickle.dump(part, file, 2)
        file.write(b"\x80\x02(X\x07\x00\x00\x00storagectorch.cuda\nFloatStorage\n")
        file.write(b"X\x01\x00\x00\x00kX\x06\x00\x00\x00cuda:0K%cNtQ." % len(self.values))
        pickle.dump(["k"], file, 2)
        file.write(len(self.values).to_bytes(8, "little"))
        return file.getvalue() + np.asarray(self.values, "<f4").tobytes()


def tensor(values):
    """A tensor on a GPU, of at most 255 numbers."""
    storage = _Call("torch.storage", "_load_from_bytes", bytes(_Storage(values)))
    size = (len(values),)
    return _Call("torch._utils", "_rebuild_tensor_v2", storage, 0, size, (1,), False, OrderedDict())


def meter(values, count=2000):
    """An average of so many images."""
    found = AverageMeter()
    found.__dict__.update(val=tensor(values), avg=tensor(values), count=count)
    return found


def norms(nested):
    """[means, variances] of two norms, as one published file or the other nests them."""
    means = {"first_conv.bn": meter([0.5, -1.0]), "blocks.0.bn": meter([2.0])}
    variances = {"first_conv.bn": meter([1.0, 4.0]), "blocks.0.bn": meter([0.25])}
    if not nested:
        return [[means, variances]]
    found = np.empty((1, 2), dtype=object)
    found[0, 0], found[0, 1] = means, variances
    return found


def published(levels=2, nested=True, **other):
    """What a published file holds, the slowest level first."""
    config = {"wid": None, "ks": [3, 5], "e": [4, 6], "d": [2], "r": [176]}
    found = {
        "accu_lat": [np.array([78.0 - n, 60.0 - 10 * n]) for n in range(levels)],
        "configs": [dict(config) for _ in range(levels)],
        "bn_lists": [norms(nested) for _ in range(levels)],
    }
    return {**found, **other}


def written(data, protocol=4):
    """A pickle of it, in which names are written that need not be there."""
    file = BytesIO()
    _Pickler(file, protocol).dump(data)
    return file.getvalue()


@pytest.fixture(scope="session")
def pickles():
    """What makes published tables: ``published``, ``written``, ``tensor``, ``meter``, ``call``."""
    found = ModuleType("pickles")
    vars(found).update(published=published, written=written, tensor=tensor, meter=meter, call=_Call)
    return found
