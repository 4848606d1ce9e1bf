"""A form of predictor that needs nobody: the mean of the accuracies at each image size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

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
