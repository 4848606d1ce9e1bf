"""How many networks meet the bounds: exactly for maxima, an estimate with its error otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from attrs import frozen

from ofa_plugins_core.chain import Counting
from ofa_plugins_core.interfaces import CostModel, Predictor, Problem, Supernet
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import Constraint
from ofa_search.exact.question import Question, ask

DRAWS: Final = 200_000
_CHUNK: Final = 2**15


@frozen
class Count:
    """A number of distinct networks at one image size.

    Attributes:
        value: exact where ``error`` is 0, otherwise an estimate.
        error: standard error of the estimate. Where no draw fits, or every draw does, it is
            that of one draw: the true share is then at most about three times as far away.
    """

    value: int | float
    error: float = 0.0

    @property
    def exact(self) -> bool:
        """Whether it is the exact number."""
        return self.error == 0


def count_fitting(
    supernet: Supernet,
    costs: Mapping[str, CostModel],
    constraints: Sequence[Constraint],
    generator: np.random.Generator,
    predictor: Predictor | None = None,
    draws: int = DRAWS,
) -> dict[int, Count]:
    """Image size -> how many distinct networks meet the constraints.

    Upper bounds on maxima are counted exactly. Any other bound is estimated on networks drawn
    uniformly from those that meet the former, so the estimate stays sharp where these are tight.

    Args:
        draws: networks drawn for each image size.
    """
    problem = Problem(supernet, costs, predictor, tuple(constraints))
    found = {}
    for index, size in enumerate(supernet.resolutions):
        question = ask(problem, index, constraints, Separable("sum", ()))
        found[size] = _count(question, generator, draws)
    return found


def _count(question: Question, generator: np.random.Generator, draws: int) -> Count:
    if not question.possible:
        return Count(0)
    filters = [(f.quantity, f.bound) for f in question.filters]
    counting = Counting.of(question.problem.supernet.space, filters)
    if not question.bounds or counting.total == 0:
        return Count(counting.total)
    share = _share(question, counting, generator, draws)
    spread = max(share * (1 - share), 1 / draws)
    return Count(counting.total * share, counting.total * float(np.sqrt(spread / draws)))


def _share(
    question: Question, counting: Counting, generator: np.random.Generator, draws: int
) -> float:
    """Share of uniform draws that meet every constraint."""
    rest = [c for c in question.problem.constraints if _estimated(question, c)]
    hits = 0
    for start in range(0, draws, _CHUNK):
        genes = counting.draw(min(_CHUNK, draws - start), generator)
        met = np.ones(len(genes), dtype=bool)
        for constraint in rest:
            met &= constraint.met(question.shown(constraint.name, genes))
        hits += int(met.sum())
    return hits / draws


def _estimated(question: Question, constraint: Constraint) -> bool:
    if constraint.name == ACCURACY or constraint.relation == ">=":
        return True
    return question.table(constraint.name).reduce == "sum"
