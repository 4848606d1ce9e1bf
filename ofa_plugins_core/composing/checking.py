"""Whether what came back is what was asked for: looked at anew, by nobody's word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.events import Listener, silent
from ofa_plugins_core.interfaces import CostModel, Found, Predictions, Predictor, Problem, Searcher
from ofa_plugins_core.jobs.results import Item
from ofa_plugins_core.pareto import comparable, non_dominated
from ofa_plugins_core.values import Constraint, SearchSpace

NEAR: Final = 1e-4
"""Relative difference of a cost in batches of other sizes, for what computes in single precision.
"""
ALONE: Final = 3
"""Networks of a front whose costs and accuracies are asked for again, each by itself."""


class WrongResultError(Exception):
    """Something came back that cannot be: a network outside the space, a bound that is not met."""


def demand(holds: Any, fault: str) -> None:
    """Raise WrongResultError with the fault unless something holds."""
    if not holds:
        raise WrongResultError(fault)


@frozen(eq=False)
class Checked:
    """A searcher whose networks are looked at before anything is made of them."""

    searcher: Searcher

    def refuses(self, problem: Problem) -> str | None:
        """What the searcher says."""
        return self.searcher.refuses(problem)

    def search(
        self, problem: Problem, generator: np.random.Generator, listener: Listener = silent
    ) -> Found:
        """What the searcher finds.

        Raises:
            WrongResultError: that is not of the problem's space.
        """
        found = self.searcher.search(problem, generator, listener)
        _check_genes(problem.supernet.space, found)
        demand(problem.front or len(found.genes) < 2, f"one best is due, not {len(found.genes)}")
        return found


def _check_genes(space: SearchSpace, found: Found) -> None:
    genes = found.genes
    demand(isinstance(genes, np.ndarray), f"an array of networks is due, not {genes!r:.60}")
    shape = (len(genes), len(space.genes))
    demand(genes.shape == shape, f"networks of {genes.shape}, where {space.name} has {shape}")
    demand(genes.dtype == np.uint8, f"networks as {genes.dtype}, not as uint8")
    outside = (genes >= space.sizes).any(axis=1)
    demand(not outside.any(), f"{int(outside.sum())} networks outside the space {space.name}")
    demand(np.array_equal(genes, space.canonical(genes)), "networks not in canonical form")


def check_items(
    items: Sequence[Item],
    cost: CostModel,
    space: SearchSpace,
    bounds: Sequence[Constraint],
    predictor: Predictor | None = None,
) -> None:
    """Look at networks that a search gave.

    Args:
        cost: that was searched over, built for the supernet at all its image sizes.
        space: of that. bounds: on the cost. predictor: of the accuracies.

    Raises:
        WrongResultError: a network is not of the space, costs something else than was said or is
            as accurate as something else, breaks a bound, or is beaten by another of the front.
    """
    demand(items, "nothing was found, and nobody says that nothing can be")
    for item in items:
        _check_bounds(float(item.costs[cost.name].value), cost.name, bounds)
    some = [items[i] for i in sorted({round(i) for i in np.linspace(0, len(items) - 1, ALONE)})]
    again = space.decode(space.encode([item.arch.as_dict() for item in some]))
    for item, arch in zip(some, again, strict=True):
        demand(arch == item.arch, f"{item.arch.as_dict()} is not in canonical form")
        told = float(item.costs[cost.name].value)
        _check_same(cost.name, told, float(np.asarray(cost.evaluate([arch]))[0]))
        if predictor is not None:
            _check_accuracy(item, predictor.predict([arch]))
    _check_front(items, cost.name)


def _check_bounds(told: float, name: str, bounds: Sequence[Constraint]) -> None:
    demand(math.isfinite(told), f"a {name} of {told}")
    for bound in bounds:
        demand(bound.met(np.array([told])).all(), f"{bound} is not met: {told:.12g}")


def _check_accuracy(item: Item, again: Predictions) -> None:
    demand(item.accuracy is not None, "a network has no accuracy, where a predictor was given")
    assert item.accuracy is not None
    for name, told, found in (
        ("accuracy", item.accuracy.value, again.value),
        ("accuracy's lower end", item.accuracy.low, again.low),
        ("accuracy's upper end", item.accuracy.high, again.high),
    ):
        _check_same(name, math.nan if told is None else float(told), float(found[0]))


def _check_same(name: str, told: float, again: float) -> None:
    same = math.isclose(told, again, rel_tol=NEAR)
    demand(same, f"a network's {name} is {told:.12g} among others and {again:.12g} alone")


def _check_front(items: Sequence[Item], name: str) -> None:
    if len(items) < 2:
        return
    known = [(i.accuracy, float(i.costs[name].value)) for i in items]
    points = np.array([(-a.value, c) for a, c in known if a is not None], dtype=float)
    demand(len(points) == len(items), "a front of accuracies has networks without one")
    kept = non_dominated(comparable(points))
    demand(len(kept) == len(items), f"{len(items) - len(kept)} networks of the front are beaten")
