"""Whole fronts: which method answers which, and the union over resolutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.events import Listener, Progress, silent
from ofa_plugins_core.interfaces import Found, Problem
from ofa_plugins_core.pareto import comparable, non_dominated, spread
from ofa_plugins_core.scoring import ACCURACY, objectives
from ofa_plugins_core.values import RESOLUTION, Constraint
from ofa_search.exact.best import Search
from ofa_search.exact.question import ask, tables
from ofa_search.exact.thresholds import Thresholds
from ofa_search.exact.trade import Part, Trade

MOST_LEVELS: Final = 200
"""Values of a maximum up to which a front is solved for each."""


def front(problem: Problem, limit: int, listener: Listener) -> Found:
    """Every trade-off of the problem's objectives; what was found so far on an interruption."""
    names = objectives(problem)
    if len(names) == 1:
        genes = Search.of(problem, limit, listener).best()
        none = np.zeros((0, len(problem.supernet.space.genes)), np.uint8)
        return Found(none if genes is None else genes, optimal=True, evaluations=0)
    parts: list[Part] = []
    note = None
    try:
        for done, part in enumerate(_parts(problem, limit, listener)):
            parts.append(part)
            listener(Progress("resolution", done + 1, len(problem.supernet.resolutions)))
    except KeyboardInterrupt:
        sizes = problem.supernet.resolutions
        note = f"interrupted: only resolutions {', '.join(map(str, sizes[: len(parts)])) or 'none'}"
    return _union(problem, names, parts, note)


def _parts(problem: Problem, limit: int, listener: Listener) -> Iterator[Part]:
    names = objectives(problem)
    for index in range(len(problem.supernet.resolutions)):
        levels = _levels(problem, index)
        if _by_thresholds(problem):
            yield threshold_part(problem, index)
        elif 0 < len(levels) <= MOST_LEVELS:
            yield level_part(problem, index, levels, limit, listener)
        else:
            yield Trade.of(problem, index, names, limit, listener).part()


def _by_thresholds(problem: Problem) -> bool:
    """Whether filtering alone answers: accuracy against one maximum, other bounds on maxima."""
    if problem.objective != ACCURACY or len(problem.costs) != 1:
        return False
    return all(map(_filters_only, [problem] * len(problem.constraints), problem.constraints)) and (
        _reduce(problem, next(iter(problem.costs))) == "max"
    )


def _filters_only(problem: Problem, constraint: Constraint) -> bool:
    if constraint.name == ACCURACY:
        return constraint.relation == ">="
    return constraint.relation == "<=" and _reduce(problem, constraint.name) == "max"


def _reduce(problem: Problem, name: str) -> str:
    return tables(problem, name, problem.supernet.resolutions[0]).reduce


def threshold_part(problem: Problem, index: int) -> Part:
    """The front of accuracy against one maximum at one resolution, all thresholds at once."""
    (cost,) = problem.costs
    space, size = problem.supernet.space, problem.supernet.resolutions[index]
    bounds = [c for c in problem.constraints if c.name != ACCURACY]
    question = ask(problem, index, bounds, tables(problem, ACCURACY, size))
    curve = Thresholds.of(space, question.value, question.table(cost), question.filters)
    levels = curve.distinct()
    best = curve.best(levels) if question.possible else np.full(len(levels), -np.inf)
    before = np.concatenate([[-np.inf], np.maximum.accumulate(best)[:-1]])
    steps = np.flatnonzero(best > before)
    accuracy = question.link.forward(best[steps])
    for floor in problem.constraints:
        if floor.name == ACCURACY:
            steps, accuracy = steps[floor.met(accuracy)], accuracy[floor.met(accuracy)]
    genes = curve.rows(levels[steps])
    genes[:, RESOLUTION] = index
    points = np.stack([-accuracy, levels[steps]], axis=1)
    return Part(points, genes, np.zeros(2))


def _levels(problem: Problem, index: int) -> NDArray[np.float64]:
    """Distinct values of the one maximum among three objectives; none for other objectives."""
    names = objectives(problem)
    maxima = [n for n in names if n != ACCURACY and _reduce(problem, n) == "max"]
    if len(names) != 3 or len(maxima) != 1:
        return np.zeros(0)
    size = problem.supernet.resolutions[index]
    terms = [f.table.ravel() for f in tables(problem, maxima[0], size).factors]
    return np.array(sorted({float(t) for table in terms for t in table}))


def level_part(
    problem: Problem, index: int, levels: NDArray[np.float64], limit: int, listener: Listener
) -> Part:
    """The exact front of one maximum and two sums at one resolution: a front a level.

    What no network beats in all three is beaten in the two sums by none whose maximum is at most
    its own; so the fronts of the sums under each value of the maximum hold the whole front.
    """
    names = objectives(problem)
    (column,) = [i for i, n in enumerate(names) if n != ACCURACY and _reduce(problem, n) == "max"]
    sums = tuple(n for i, n in enumerate(names) if i != column)
    points, genes = [np.zeros((0, 3))], [np.zeros((0, len(problem.supernet.space.genes)), np.uint8)]
    below = -np.inf
    for number, level in enumerate(levels):
        bounds = (*problem.constraints, Constraint(names[column], "<=", level))
        part = Trade.of(problem.with_constraints(bounds), index, sums, limit, silent).part()
        peaks = problem.costs[names[column]].evaluate(part.genes)
        new = peaks > below  # the others were met at a lower level
        points.append(np.insert(part.points, column, peaks, axis=1)[new])
        genes.append(part.genes[new])
        below = level
        listener(
            Progress(
                f"{names[column]} at {problem.supernet.resolutions[index]}", number + 1, len(levels)
            )
        )
    found, networks = np.concatenate(points), np.concatenate(genes)
    rows = non_dominated(comparable(found))
    return Part(found[rows], networks[rows], np.zeros(3))


def _union(problem: Problem, names: tuple[str, ...], parts: list[Part], note: str | None) -> Found:
    """The non-dominated of all resolutions, by the first cost; thinned where costs are several."""
    space = problem.supernet.space
    if not parts:
        return Found(
            np.zeros((0, len(space.genes)), np.uint8), False, 0, None, note, note is not None
        )
    points = np.concatenate([p.points for p in parts])
    genes = np.concatenate([p.genes for p in parts])
    rows = non_dominated(comparable(points))
    epsilon = np.max([p.epsilon for p in parts], axis=0)
    exact = not epsilon.any()
    if len(names) > 2 and 0 < problem.points < len(rows):
        kept, away = spread(points[rows], problem.points)
        rows, epsilon = rows[kept], epsilon + away
    first = names.index(next(iter(problem.costs)))
    rows = rows[np.lexsort((*points[rows].T[::-1], points[rows, first]))]
    thinned: Mapping[str, float] | None = None
    if epsilon.any():
        thinned = dict(zip(names, map(float, epsilon), strict=True))
    stopped = note is not None
    found = space.canonical(genes[rows])
    return Found(found, exact and not stopped, 0, thinned, note, stopped)
