"""Published tables as pickles, and a host of toys; torch is not needed."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from importlib.metadata import entry_points
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from ofa_plugins_core import (
    DeviceEntry,
    FittedPredictorEntry,
    Host,
    InfeasibleError,
    JobContext,
    PredictorEntry,
    SearcherEntry,
    SupernetEntry,
    UsageError,
)
from ofa_plugins_core.events import Notice, silent
from ofa_plugins_core.interfaces import Found
from ofa_plugins_core.testing import in_process, toy_supernet
from ofa_plugins_core.testing.toy_device import ToyDevice
from ofa_plugins_core.testing.toys import ToyPredictor, everything


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


# ------------------------------------------------------------------------------- the job


class Looking:
    """Looks at every network of the toy."""

    def __init__(self, options=None):
        pass

    def refuses(self, problem):
        return None

    def search(self, problem, generator, listener=silent):
        genes = everything(problem.supernet.space)
        values = {name: model.evaluate(genes) for name, model in problem.costs.items()}
        values["accuracy"] = problem.predictor.predict(genes).value
        met = np.ones(len(genes), dtype=bool)
        for bound in problem.constraints:
            met &= bound.met(values[bound.name])
        if not met.any():
            end = {"<=": np.min, ">=": np.max}
            least = {c.name: float(end[c.relation](values[c.name])) for c in problem.constraints}
            raise InfeasibleError("nothing", smallest=least, binds="the stem")
        sign = -1 if problem.objective == "accuracy" else 1
        rows = np.flatnonzero(met)
        best = rows[np.argmin(sign * values[problem.objective][rows])]
        return Found(genes[[best]], True, 0)


def _additive(supernet, file, entry):
    if supernet.name == "bare":
        raise UsageError(f"nothing fitted for {supernet.name}")
    return ToyPredictor(supernet.space, "additive", "made up")


@pytest.fixture(scope="session")
def host_on():
    """device -> the core, this plugin and the toys: supernets, a predictor, a searcher, ``bench``.

    ``toy`` has a predictor; ``bare`` has none.
    """
    others = {point.name for point in entry_points(group="ofa.plugins")} - {"dynamic_ofa"}

    def make(device=None):
        toys = in_process(
            "toys",
            ofa_supernets=[
                SupernetEntry("toy", "small", toy_supernet),
                SupernetEntry("bare", "small", lambda: toy_supernet("bare")),
            ],
            ofa_predictors=[PredictorEntry("additive", "made up", _additive)],
            ofa_fitted_predictors=[
                FittedPredictorEntry("additive", "toy", "imagenet", Path("nowhere"), "made up")
            ],
            ofa_searchers=[SearcherEntry("exact", "looks at all", Looking, exact=True)],
            ofa_devices=[DeviceEntry("bench", "a toy", lambda options: device or ToyDevice())],
        )
        return Host.discover(others, {"toys": toys})

    return make


@pytest.fixture
def context(host_on, tmp_path):
    """Of a job on the toys, in a folder that is not there yet; and what it is told."""
    told = []
    found = JobContext(host_on(), told.append, out=tmp_path / "out")
    return found, told


@pytest.fixture
def notices():
    """events -> the messages among them."""
    return lambda told: [e.message for e in told if isinstance(e, Notice)]
