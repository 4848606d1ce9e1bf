"""Forms of predictors that need nobody: the mean of accuracies; latencies as a sum of places."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core.jobs.latency_records import latency_csv
from ofa_plugins_core.testing.toys import everything, toy_supernet

MEAN = """
import json
import numpy as np
from ofa_plugins_core import PredictorEntry, hookimpl
from ofa_plugins_core.measured import FittedFile, HeldOut, SizeSummary

TASKS = []

def fit(task):
    TASKS.append(task)
    top1, index = task.records.top1, task.records.genes[:, 0]
    half = np.full(len(top1) // 2, 5.0)
    held_out = HeldOut(top1[::2][: len(half)], top1[1::2][: len(half)], half)
    sizes = tuple(
        SizeSummary(size, int((index == i).sum()), 5.0, float(top1[index == i].max()))
        for i, size in enumerate(task.supernet.resolutions)
    )
    content = json.dumps({"mean": float(top1.mean()), "command": task.command}).encode()
    return FittedFile(content, ".json", held_out, sizes, details={"mean": float(top1.mean())})

@hookimpl
def ofa_predictors():
    yield PredictorEntry("mean", "the mean", load=lambda *given: None, fit=fit)
"""


@pytest.fixture
def mean(host_with):
    """The core, the toy plugin, and a plugin with the form ``mean``."""
    return host_with(MEAN)


@pytest.fixture
def measure(tmp_path):
    """(name, n, top1 of the i-th) -> a file with n measured networks of the toy."""

    def write(name: str, n: int, top1=lambda i: 60 + i % 17) -> Path:
        space = toy_supernet().space
        genes = np.random.default_rng(4).permutation(everything(space))[:n]
        lines = [
            json.dumps({"arch": arch.as_dict(), "top1": top1(i)})
            for i, arch in enumerate(space.decode(genes))
        ]
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("\n".join(lines) + "\n")
        return file

    return write


@pytest.fixture
def fit(ofa, mean):
    """Runs ``ofa run fit`` of the form mean for the toy, with more words."""

    def run(*words, predictor="mean"):
        what = ("--supernet", "toy", "--predictor", predictor)
        return ofa("run", "fit", *what, *map(str, words), "--json", host=mean)

    return run


LINEAR = """
import numpy as np
from ofa_plugins_core import LatencyPredictorEntry, NoOptions, hookimpl
from ofa_plugins_core import ReductionEntry
from ofa_plugins_core.errors import MissingExtraError
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.latency_fits import LatencyFit
from ofa_plugins_core.spelling import Spelling

TASKS = []

class Linear:
    def __init__(self, supernet, fit):
        self.spelling, self.fit = Spelling.of(supernet.geometry()), fit

    def predict(self, genes):
        return design(self.spelling, genes) @ self.fit.arrays["weights"]

def design(spelling, genes):
    numbers = spelling.numbers(genes)
    places = np.arange(numbers.shape[1]) * (len(spelling.words) + 1)
    found = np.zeros((len(genes), places[-1] + len(spelling.words) + 1))
    np.put_along_axis(found, numbers + 1 + places, 1.0, axis=1)
    return np.concatenate([found, found * genes[:, :1]], axis=1)

def fit(task, options):
    TASKS.append(task)
    rows = design(Spelling.of(task.supernet.geometry()), task.train.genes)
    weights = np.linalg.lstsq(rows, task.train.latency, rcond=None)[0]
    return LatencyFit({"weights": weights}, {"places": rows.shape[1]}, note="solved")

def fit_mean(task, options):
    weights = np.full(1, task.train.latency.mean())
    return LatencyFit({"weights": weights})

class Mean:
    def __init__(self, supernet, fit):
        self.value = fit.arrays["weights"][0]

    def predict(self, genes):
        return np.full(len(genes), self.value)

def lacking(task, options):
    raise MissingExtraError("trees", "ofa-plugins-core", "torch")

def failing(task, options):
    raise ValueError("no roots")

@hookimpl
def ofa_latency_predictors():
    yield LatencyPredictorEntry("linear", "a sum of places", fit=fit, load=Linear)
    yield LatencyPredictorEntry("mean", "the mean", fit=fit_mean, load=Mean, baseline=True)
    yield LatencyPredictorEntry("trees", "lacks", fit=lacking, load=Mean, baseline=True)
    yield LatencyPredictorEntry("odd", "fails", fit=failing, load=Mean, baseline=True)

@hookimpl
def ofa_reductions():
    yield ReductionEntry(Reduction("small", drop=[Drop({"k": 5})], source="made up"), "no 5×5")
    yield ReductionEntry(Reduction("wide", drop=[Drop({"k": 3})], source="made up"), "no 3×3")
    yield ReductionEntry(Reduction("deep", depth=[2, 2], source="made up"), "no depth 1")
"""


@pytest.fixture
def linear(host_with):
    """The core, the toy plugin, and a plugin with the latency predictors linear and mean."""
    return host_with(LINEAR)


@pytest.fixture
def label(tmp_path):
    """(name, n, noise) -> a CSV of n networks ``among`` all: ms by the MACs of their blocks."""

    def write(
        name: str = "bench.csv", n: int = 160, noise: float = 0.0, device="bench", among=None
    ) -> Path:
        supernet = toy_supernet()
        rng = np.random.default_rng(4)
        genes = rng.permutation(everything(supernet.space))
        if among is not None:
            genes = genes[[among(arch) for arch in supernet.space.decode(genes)]]
        genes = genes[:n]
        geometry = supernet.geometry()
        macs = [
            sum(op.macs for b in geometry.blocks(a) for op in b.ops)
            for a in supernet.space.decode(genes)
        ]
        latency = np.array(macs) / 1e5 * rng.normal(1, noise, len(genes))
        file = tmp_path / name
        file.write_text(latency_csv(supernet, genes, latency, device))
        return file

    return write


@pytest.fixture
def fit_latency(ofa, linear):
    """Runs ``ofa run fit --kind latency`` of the form linear for the toy, with more words."""

    def run(*words, form="linear"):
        what = ("--kind", "latency", "--supernet", "toy", "--predictor", form)
        return ofa("run", "fit", *what, *map(str, words), "--json", host=linear)

    return run
