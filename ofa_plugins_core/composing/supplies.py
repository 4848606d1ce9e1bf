"""What a user brings and no plugin ships, made up for a trial: a table, a fit.

All of it comes from one formula on a network's MACs: it says nothing about any device or data set,
and serves to see that the parts fit together. Each file is made once and kept in the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.config import plain, structure
from ofa_plugins_core.entries import (
    FittedPredictorEntry,
    LatencyPredictorEntry,
    Plugins,
    PredictorEntry,
)
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.journal import locked
from ofa_plugins_core.latency_fits import quality_of
from ofa_plugins_core.latency_models import Header, Split, as_bytes, networks_digest
from ofa_plugins_core.measured import FitTask, Measured
from ofa_plugins_core.own_tables import FILE, MODEL, OwnRow, OwnTable
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.testing.laws.latency import trial_of
from ofa_plugins_core.timing import Effort
from ofa_plugins_core.values import Genes

DATASET: Final = "made_up"
SIZES: Final = 3
"""Image sizes of a fit's records, at most."""
RECORDS: Final = 30
"""Networks an image size."""
LEAST: Final = (60, 20)
"""Records that a form may ask for: in all, and an image size."""
ORIGIN: Final = "made up by ofa plugins matrix: a formula of MACs, measured on nothing"


@frozen(eq=False)
class Supplies:
    """Files made for a trial.

    Attributes:
        host: whose forms are fitted.
        folder: where the files are kept, by supernet.
    """

    host: Plugins
    folder: Path

    def table(self, supernet: Supernet, sizes: tuple[int, ...]) -> Path:
        """The folder of a latency table with every row of a supernet.

        Args:
            sizes: image sizes that it has, pixels.
        """
        place = self.folder / _safe(f"{supernet.name}-table")
        return _kept(place / FILE, lambda: _table(supernet, sizes)).parent

    def latency_fit(self, form: str, supernet: Supernet) -> Path:
        """The folder of a latency predictor that was fitted to a few networks.

        Raises:
            OfaError: the form cannot be fitted here, for example without an extra.
        """
        place = self.folder / _safe(f"{supernet.name}-{form}")
        entry = self.host.latency_predictor(form)
        return _kept(place / MODEL, lambda: _latency_fit(entry, supernet)).parent

    def accuracy_fit(self, form: str, supernet: Supernet) -> FittedPredictorEntry:
        """A predictor of a form, fitted to a few networks of a supernet.

        Raises:
            UsageError: the form cannot be fitted, or the supernet is too small.
            OfaError: what it needs is not installed.
        """
        entry = self.host.predictor(form)
        place = self.folder / _safe(f"{supernet.name}-{form}-fit")
        file = next(place.glob("fit.*"), None)
        if file is None:
            with _alone(place):
                file = next(place.glob("fit.*"), None) or self._fitted(entry, supernet, place)
        return FittedPredictorEntry(form, supernet.name, DATASET, file, ORIGIN)

    @staticmethod
    def _fitted(entry: PredictorEntry, supernet: Supernet, place: Path) -> Path:
        if entry.fit is None:
            raise UsageError(f"{entry.name} cannot be fitted: it comes as a file")
        fitted = entry.fit(_task(supernet))
        return _written(place / f"fit{fitted.ending}", fitted.content)


def _safe(name: str) -> str:
    """A folder's name: supernets' names have signs that are none of a path's."""
    return re.sub(r"[^\w.=+@-]", "_", name)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process at a time makes what belongs into a folder; the others wait for it."""
    place.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as file:
        locked(file, wait=True)
        yield


def _kept(path: Path, made: Callable[[], bytes]) -> Path:
    """A file that is there, or is made now."""
    if not path.exists():
        with _alone(path.parent):
            return path if path.exists() else _written(path, made())
    return path


def _written(path: Path, content: bytes) -> Path:
    """All of it or nothing: an interruption leaves no half of a file."""
    beside = path.with_name(".part")
    beside.write_bytes(content)
    beside.replace(path)
    return path


def _table(supernet: Supernet, sizes: tuple[int, ...]) -> bytes:
    """A block takes 10 µs, and 1 ms for each 100 million MACs."""
    geometry = supernet.as_built().geometry()
    rows = {
        str(size): {
            row_key(block): OwnRow(
                mean=0.01 + 1e-8 * sum(op.macs for op in block.ops), std=0.0, count=1
            )
            for block in geometry.catalogue(size).blocks
        }
        for size in sizes
    }
    device = {"device": "made up", "model": "a formula of MACs"}
    table = OwnTable(supernet=supernet.name, device=device, batch=1, effort=Effort(), rows=rows)
    return json.dumps(plain(table)).encode()


def _latency_fit(entry: LatencyPredictorEntry, supernet: Supernet) -> bytes:
    whole = supernet.as_built()
    options: Any = structure(dict(entry.trial), entry.options, entry.name)
    trial = trial_of(entry, whole, options)
    train, dev = trial.task.train, trial.task.dev
    predicted = np.asarray(trial.predictor.predict(dev.genes), dtype=float)
    header = Header(
        form=entry.name,
        supernet=supernet.name,
        networks=networks_digest(whole),
        device="made up",
        resolutions=list(whole.resolutions),
        least=float(train.latency.min()),
        split=Split(train=len(train.latency), dev=len(dev.latency), held_out=len(dev.latency)),
        seed=trial.task.seed,
        command="ofa plugins matrix",
        origin=ORIGIN,
        quality=quality_of(predicted, dev.latency),
        settings=dict(trial.fit.settings),
    )
    return as_bytes(header, trial.fit.arrays)


def _task(supernet: Supernet) -> FitTask:
    """Records of a supernet at some of its image sizes.

    Raises:
        UsageError: it has too few networks.
    """
    sizes = supernet.resolutions
    chosen = sorted({sizes[i] for i in np.linspace(0, len(sizes) - 1, SIZES).round().astype(int)})
    place = supernet.at(chosen)
    rng = np.random.default_rng(0)
    drawn = [_distinct(place, number, rng) for number in range(len(chosen))]
    genes = np.concatenate(drawn)
    if len(genes) < LEAST[0] or min(map(len, drawn)) < LEAST[1]:
        raise UsageError(f"{supernet.name} has too few networks to fit anything to")
    records = Measured(place.space, genes, _accuracies(place, genes), 0)
    return FitTask(place, records, DATASET, "predicted", ORIGIN, "ofa plugins matrix")


def _distinct(place: Supernet, number: int, rng: np.random.Generator) -> Genes:
    genes = place.space.sample(4 * RECORDS, rng)
    genes[:, 0] = number
    found = np.unique(place.space.canonical(genes), axis=0)
    return rng.permutation(found)[: 2 * RECORDS]


def _accuracies(place: Supernet, genes: Genes) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """60 to 80 %, more for more MACs, with less and less gain."""
    geometry = place.geometry()
    every = [geometry.blocks(arch) for arch in place.space.decode(genes)]
    macs = np.array([sum(op.macs for b in blocks for op in b.ops) for blocks in every], float)
    found: np.ndarray[tuple[int], np.dtype[np.float64]] = 60 + 20 * macs / (macs + np.median(macs))
    return found
