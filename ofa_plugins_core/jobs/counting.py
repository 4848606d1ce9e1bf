"""How many networks meet the bounds: exactly for maxima, an estimate with its error for sums."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from ofa_plugins_core.chain import count_within
from ofa_plugins_core.interfaces import Problem, Searcher, SeparableCost
from ofa_plugins_core.structural import Structural


@runtime_checkable
class FittingCount(Protocol, metaclass=Structural):
    """A searcher that can estimate how many networks meet bounds on sums."""

    def count_fitting(self, problem: Problem, generator: np.random.Generator) -> Any:
        """Image size -> (estimate, standard error)."""


def networks_within(
    problem: Problem, searcher: Searcher, generator: np.random.Generator
) -> dict[str, Any] | None:
    """Image size -> distinct networks that meet the bounds on costs, or None where unknown.

    An exact number for upper bounds on separable maxima; otherwise ``{"estimate", "error"}`` where
    the searcher offers one.
    """
    bounds = [c for c in problem.constraints if c.name != "accuracy"]
    models = [problem.costs[c.name] for c in bounds]
    exact = all(
        isinstance(m, SeparableCost) and c.relation == "<="
        for m, c in zip(models, bounds, strict=True)
    )
    sizes = problem.supernet.resolutions
    tables = {s: [m.separable(s) for m in models] for s in sizes} if exact else {}  # type: ignore[attr-defined]
    if exact and all(t.reduce == "max" for found in tables.values() for t in found):
        return {
            str(s): count_within(
                problem.supernet.space,
                [(t, c.bound) for t, c in zip(tables[s], bounds, strict=True)],
            )
            for s in sizes
        }
    if isinstance(searcher, FittingCount):
        found = searcher.count_fitting(problem, generator)
        return {str(s): {"estimate": float(n), "error": float(e)} for s, (n, e) in found.items()}
    return None
