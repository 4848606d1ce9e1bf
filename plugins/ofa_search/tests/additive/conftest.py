"""A small supernet whose accuracies are known, and a host that knows nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from attrs import evolve, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UnknownNameError
from ofa_plugins_core.values import Derived, Dimension, Gene, SearchSpace
from ofa_search.plugin import ofa_predictors

STAGES, SLOTS = 3, 3


def space(name: str = "toy", sizes: tuple[int, ...] = (64, 96), kernel: int | None = None):
    """Depth 2 or 3 in each of three stages, a kernel for each slot, or one kernel for all."""
    genes: list[Gene] = []
    d: list[int] = []
    ks: list[int | Derived] = []
    for stage in range(STAGES):
        d.append(len(genes) + 1)
        genes.append(Gene(f"d[{stage}]", (2, 3), stage))
        for position in range(SLOTS):
            used = (position < 2, True)
            if kernel is not None:
                ks.append(Derived(d[-1], (kernel, kernel), used))
                continue
            ks.append(len(genes) + 1)
            table = np.array([range(3) if u else [0] * 3 for u in used], dtype=np.uint8)
            genes.append(Gene(f"ks[{len(ks) - 1}]", (3, 5, 7), stage, (d[-1],), table))
    dimensions = [Dimension("ks", tuple(ks), fixed=kernel is not None), Dimension("d", tuple(d))]
    return SearchSpace.of(name, sizes, genes, dimensions)


@frozen(eq=False, slots=False)
class Toy:
    """A supernet with a space and no geometry."""

    space: SearchSpace

    @property
    def name(self) -> str:
        return self.space.name

    @property
    def resolutions(self) -> tuple[int, ...]:
        return self.space.resolutions

    def at(self, resolutions: Any) -> Toy:
        return evolve(self, space=self.space.with_resolutions(resolutions))


class Plugins:
    """A host with the toy, and with whatever a test hangs on it."""

    def __init__(self, *supernets: Toy) -> None:
        self.supernets = {s.name: s for s in supernets}
        self.predictors: dict[str, Any] = {e.name: e for e in ofa_predictors()}
        self.costs: dict[str, Any] = {}
        self.shipped: list[Any] = []

    def _found(self, kind: str, name: str, known: dict[str, Any]) -> Any:
        if name not in known:
            raise UnknownNameError(kind, name, known)
        return known[name]

    def supernet(self, name: str) -> Toy:
        return self._found("supernet", name, self.supernets)

    def predictor(self, name: str) -> Any:
        return self._found("predictor", name, self.predictors)

    def entries(self, kind: str) -> list[Any]:
        return {
            "predictors": list(self.predictors.values()),
            "fitted_predictors": self.shipped,
        }[kind]

    def cost_model(self, name: str) -> Any:
        return self._found("cost", name, self.costs)


def true_accuracy(space: SearchSpace, genes: Any) -> Any:
    """75 % (64 pixels) or 80 % (96) less what small kernels and shallow stages cost."""
    kernels = sum(
        genes[:, entry].astype(float) * (0.05 + 0.01 * slot)
        for slot, entry in enumerate(next(d.entries for d in space.dimensions if d.key == "ks"))
    )
    depths = sum(
        genes[:, entry].astype(float) * 0.15
        for entry in next(d.entries for d in space.dimensions if d.key == "d")
    )
    sizes = np.array(space.resolutions, dtype=float)[genes[:, 0]]
    return 75 + (sizes - 64) * 5 / 32 - 15 * np.exp(-kernels - depths)


@pytest.fixture
def toy() -> Toy:
    return Toy(space())


@pytest.fixture
def fixed_kernel_toy() -> Toy:
    return Toy(space("toy_fixed", kernel=5))


@pytest.fixture
def plugins(toy: Toy) -> Plugins:
    return Plugins(toy)


@pytest.fixture
def context(plugins: Plugins, tmp_path: Path) -> JobContext:
    return JobContext(plugins, out=tmp_path / "out")


@pytest.fixture
def records(toy: Toy, tmp_path: Path) -> Path:
    """300 networks measured with a noise of 0.2 points, as JSON lines."""
    return write_records(toy.space, tmp_path / "measured.jsonl", 300)


def write_records(space: SearchSpace, file: Path, n: int) -> Path:
    """Measure n random networks."""
    generator = np.random.default_rng(5)
    genes = space.canonical(space.sample(n, generator))
    top1 = true_accuracy(space, genes) + generator.normal(0, 0.2, n)
    lines = [
        json.dumps({"arch": a.as_dict(), "top1": round(float(t), 3), "peak_memory": 1})
        for a, t in zip(space.decode(genes), top1, strict=True)
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


@pytest.fixture
def measure():
    """(space, file, n) -> the file, with n measured networks."""
    return write_records


@pytest.fixture
def truth():
    """(space, genes) -> accuracies without noise."""
    return true_accuracy
