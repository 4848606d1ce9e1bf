"""One bound of several: the search under it as plain data that can be kept, and read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import evolve

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.jobs.choosing import Choice
from ofa_plugins_core.jobs.describing import described
from ofa_plugins_core.jobs.results import Infeasible, Item
from ofa_plugins_core.values import Constraint, Genes, whole


def numbered(context: JobContext, number: int = 0) -> np.random.Generator:
    """One for each bound, so that a resumed sweep finds what an uninterrupted one finds."""
    return np.random.Generator(np.random.PCG64([context.seed, number]))


def at_bound(context: JobContext, problem: Problem, choice: Choice, number: int) -> dict[str, Any]:
    """The best under the bounds of a problem, ready for JSON.

    Args:
        problem: with all its bounds. number: of the bound among those of the sweep.

    Raises:
        KeyboardInterrupt: before anything was found.
    """
    try:
        found = choice.searcher.search(problem, numbered(context, number), context.listener)
    except InfeasibleError as error:
        return {"smallest": dict(error.smallest), "binds": error.binds}
    if not len(found.genes):
        raise KeyboardInterrupt
    return {
        "arch": problem.supernet.space.decode(found.genes[:1])[0].as_dict(),
        "optimal": found.optimal,
        "evaluations": found.evaluations,
        "interrupted": found.interrupted,
    }


def read_part(
    problem: Problem, constraint: Constraint, part: Mapping[str, Any]
) -> Item | Infeasible:
    """What ``at_bound`` came to, as an item of a front."""
    if "arch" not in part:
        return missed(constraint, part["smallest"], part["binds"])
    genes = problem.supernet.space.encode([part["arch"]])
    return item_at(problem, constraint, genes, part["optimal"], part["evaluations"])


def item_at(
    problem: Problem, constraint: Constraint, genes: Genes, optimal: bool, evaluations: int = 0
) -> Item:
    """The network found under a bound, (1, genes), as an item of a front."""
    (item,) = described(problem, genes, problem.constraints or (constraint,))
    bound = whole(constraint.bound)
    return evolve(item, bound=bound, optimal=optimal, evaluations=evaluations)


def missed(constraint: Constraint, smallest: Mapping[str, float], binds: str) -> Infeasible:
    """A bound that no network meets.

    Args:
        smallest: bounded quantity -> what can be reached. binds: what keeps it from less.
    """
    reachable = {name: whole(value) for name, value in smallest.items()}
    found = reachable.get(constraint.name, next(iter(reachable.values()), None))
    return Infeasible(whole(constraint.bound), found, binds, reachable, constraint.relation)
