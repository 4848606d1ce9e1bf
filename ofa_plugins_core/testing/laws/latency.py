"""Laws of latency predictors: (a form fitted to a few networks, their supernet, generator)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from ofa_plugins_core.entries import LatencyPredictorEntry
from ofa_plugins_core.fit_flaws import latency_flaw
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.latency_fits import Labelled, LatencyFit, LatencyPredictor, LatencyTask
from ofa_plugins_core.testing.laws import Law, demand, effects
from ofa_plugins_core.testing.laws.networks import drawn

Rng = np.random.Generator
TRAIN, DEV = 48, 12
"""Networks of a trial: few, so that it takes seconds."""
NEAR: Final = 1e-4
"""Relative difference of what is computed in batches of other sizes, in single precision."""


@frozen(eq=False)
class Trial:
    """A form, fitted to networks whose latencies are their MACs and a little for each block.

    Attributes:
        entry: of the form. options: of the fit.
        task: that it was given. fit: what it made. predictor: loaded from that.
    """

    entry: LatencyPredictorEntry
    options: Any
    task: LatencyTask
    fit: LatencyFit
    predictor: LatencyPredictor


def trial_of(entry: LatencyPredictorEntry, supernet: Supernet, options: Any = None) -> Trial:
    """Fit a form to a few networks of a supernet.

    Args:
        options: of the form; None: its defaults.
    """
    rng = np.random.default_rng(0)
    genes = supernet.space.canonical(supernet.space.sample(TRAIN + DEV, rng))
    found = Labelled(genes, _times(supernet, genes))
    rows = np.arange(TRAIN + DEV)
    task = LatencyTask(supernet, found.take(rows[:TRAIN]), found.take(rows[TRAIN:]), seed=1)
    given = entry.options() if options is None else options
    fit = entry.fit(task, given)
    return Trial(entry, given, task, fit, entry.load(supernet, fit))


def _times(supernet: Supernet, genes: NDArray[np.uint8]) -> NDArray[np.float64]:
    geometry = supernet.geometry()
    every = [geometry.blocks(arch) for arch in supernet.space.decode(genes)]
    macs = np.array([sum(op.macs for b in blocks for op in b.ops) for blocks in every], float)
    found: NDArray[np.float64] = 5 * macs / macs.mean() + 0.1 * np.array([len(b) for b in every])
    return found


def fit_can_be_kept(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """It is numbers by name, and settings that JSON takes.

    Return arrays of finite numbers by name, and settings of plain numbers, texts and lists.
    """
    flaw = latency_flaw(trial.fit, trial.task)
    demand(flaw is None, str(flaw))


def same_task_same_fit(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """The same data and the same seed give the same numbers again.

    Draw from a generator that task.seed makes, and keep nothing between fits.
    """
    again = trial.entry.fit(trial.task, trial.options).arrays
    demand(again.keys() == trial.fit.arrays.keys(), "the second fit has other arrays")
    for name, values in trial.fit.arrays.items():
        demand(np.array_equal(values, again[name]), f"the array {name!r} differs in a second fit")


def file_is_all_it_needs(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """Loaded from copies of its arrays and settings it predicts the same.

    Put all that predict uses into the fit's arrays and settings; what is kept in memory is lost.
    """
    rows = drawn(supernet.space, generator)
    kept = evolve(trial.fit, arrays=_copied(trial.fit.arrays), note="")
    found = trial.entry.load(supernet, kept).predict(rows)
    demand(np.array_equal(found, trial.predictor.predict(rows)), "predictions differ")


def _copied(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    found = {}
    for name, values in arrays.items():
        file = io.BytesIO()
        np.save(file, values, allow_pickle=False)
        found[name] = np.load(io.BytesIO(file.getvalue()), allow_pickle=False)
    return found


def numbers_are_finite(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """One finite number for each network, none for none.

    Return one finite number of ms for each row, an empty array for none.
    """
    rows = drawn(supernet.space, generator)
    found = trial.predictor.predict(rows)
    demand(found.shape == (len(rows),), f"{len(rows)} networks, shape {found.shape}")
    demand(np.isfinite(found).all(), f"not finite: {found[~np.isfinite(found)][:3]}")


def batch_equals_single(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """What a network is predicted does not depend on those beside it, nor on its place.

    Predict each row by itself: scale by numbers of the fit, not of the rows that are asked for.
    """
    rows = drawn(supernet.space, generator)
    found = trial.predictor.predict(rows)
    single = np.concatenate([trial.predictor.predict(rows[i : i + 1]) for i in range(len(rows))])
    order = generator.permutation(len(rows))
    other = trial.predictor.predict(rows[order])
    demand(np.allclose(found, single, rtol=NEAR), "single networks get other numbers")
    demand(np.allclose(found[order], other, rtol=NEAR), "another order gives other numbers")


def input_is_left_alone(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """The encoded array is not changed.

    Write into a copy (genes.copy()).
    """
    rows = drawn(supernet.space, generator)
    before = rows.copy()
    trial.predictor.predict(rows)
    demand(np.array_equal(rows, before), "predict changed the encoded array")


def it_has_learnt(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """On what it was fitted to it is nearer than their mean.

    Look at the fit: on 48 networks whose latency is nearly their MACs it does worse than the mean.
    """
    known = trial.task.train
    error = np.sqrt(np.mean((trial.predictor.predict(known.genes) - known.latency) ** 2))
    spread = known.latency.std()
    demand(error < spread, f"off by {error:.3g} ms, the mean by {spread:.3g} ms")


def used(trial: Trial, supernet: Supernet, generator: Rng) -> None:
    """Fitted and asked as jobs do it."""
    trial.entry.fit(trial.task, trial.options)
    trial.predictor.predict(drawn(supernet.space, generator))


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used)

LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    fit_can_be_kept,
    same_task_same_fit,  # next: others compare two calls, too
    file_is_all_it_needs,
    numbers_are_finite,
    batch_equals_single,
    input_is_left_alone,
    no_other_randomness,
    it_has_learnt,
)
