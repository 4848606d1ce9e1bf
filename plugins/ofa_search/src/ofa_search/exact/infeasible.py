"""Why no network meets the bounds: the smallest reachable values, and what binds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.values import RESOLUTION, Constraint, Genes
from ofa_search.exact.best import NOTHING, Search, only
from ofa_search.exact.question import Question, ask, tables
from ofa_search.exact.solving import Solver
from ofa_search.exact.thresholds import Thresholds


@frozen(eq=False)
class Reach:
    """How far a constraint's quantity can be brought towards its bound.

    Attributes:
        value: the smallest value reached, for ``<=``; the largest, for ``>=``.
        genes: (1, genes) a network that reaches it.
    """

    constraint: Constraint
    value: float
    genes: Genes

    @property
    def enough(self) -> bool:
        """Whether the constraint is met."""
        return bool(self.constraint.met(np.array([self.value]))[0])


def explain(search: Search) -> InfeasibleError:
    """The error for a search that found nothing."""
    constraints = search.constraints
    alone = [r for c in constraints if (r := reach(search, c, ())) is not None]
    beyond = [r for r in alone if not r.enough]
    smallest = {r.constraint.name: r.value for r in alone}
    if beyond:
        lines = [_sentence(search, r, ()) for r in beyond]
        binds = f"{beyond[0].constraint}: {binding(search, beyond[0])}"
        return _error(search, lines, smallest, binds)
    conflict = irreducible(search, constraints)
    lines, binds = [], " and ".join(map(str, conflict))
    for constraint in conflict:
        others = tuple(c for c in conflict if c is not constraint)
        together = reach(search, constraint, others)
        if together is None:
            continue
        if not lines:
            binds = f"{constraint}: {binding(search, together)}"
        smallest[constraint.name] = together.value
        lines.append(_sentence(search, together, others))
    return _error(search, lines, smallest, binds)


def _error(
    search: Search, lines: Sequence[str], smallest: dict[str, float], binds: str
) -> InfeasibleError:
    problem = search.problem
    asked = ", ".join(map(str, search.constraints))
    sizes = ", ".join(map(str, problem.supernet.resolutions))
    message = f"no network of {problem.supernet.name} (resolutions {sizes}) has {asked}"
    said = "; ".join(lines)
    return InfeasibleError(
        f"{message}: {said}; what binds is {binds}" if said else message,
        smallest=smallest,
        binds=binds,
    )


def _sentence(search: Search, reached: Reach, others: Sequence[Constraint]) -> str:
    constraint = reached.constraint
    extreme = "smallest" if constraint.relation == "<=" else "largest"
    unit = "%" if constraint.name == ACCURACY else search.problem.costs[constraint.name].unit
    size = search.problem.supernet.resolutions[int(reached.genes[0, RESOLUTION])]
    under = f"under {' and '.join(map(str, others))} " if others else ""
    shown = f"{_reachable(reached.value, constraint.relation)} {unit}"
    return f"{under}the {extreme} {constraint.name} that it reaches is {shown} (at {size})"


def _reachable(value: float, relation: str) -> str:
    """A few digits of a reachable value, rounded to the side that can be reached."""
    if value.is_integer():
        return f"{value:,.0f}"
    scale = 10.0 ** (6 - len(str(int(abs(value)))))
    outward = np.ceil if relation == "<=" else np.floor
    return f"{outward(value * scale) / scale:,.10g}"


def irreducible(search: Search, constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """A part of the constraints that cannot be met together, while any fewer can."""
    left = list(constraints)
    for constraint in constraints:
        fewer = [c for c in left if c is not constraint]
        if only(search, fewer, search.problem.objective).best() is None:
            left = fewer
    return tuple(left)


def reach(search: Search, constraint: Constraint, others: Sequence[Constraint]) -> Reach | None:
    """How far a constraint's quantity comes under other constraints; None where these fail."""
    name = constraint.name
    under = only(search, others, search.problem.objective)
    if constraint.relation == "<=" and name != ACCURACY:
        genes = only(search, others, name).best()
    elif name != ACCURACY and under._reduce(name) == "max":
        genes = _largest_maximum(under, name)
    else:
        genes = under.greatest(name, lowest=constraint.relation == "<=")
    return None if genes is None else Reach(constraint, shown(search, name, genes), genes)


def shown(search: Search, name: str, genes: Genes) -> float:
    """A cost or the accuracy of one network."""
    return float(_question(search, genes).shown(name, genes)[0])


def _question(search: Search, genes: Genes) -> Question:
    return ask(search.problem, int(genes[0, RESOLUTION]), (), NOTHING)


def _largest_maximum(search: Search, name: str) -> Genes | None:
    """The network of the largest value of a maximum: the largest term that some network has."""
    found, level = None, -np.inf
    for index, size in enumerate(search.problem.supernet.resolutions):
        maximum = tables(search.problem, name, size)
        levels = Thresholds.of(search.problem.supernet.space, NOTHING, maximum).distinct()
        levels = levels[levels > level]
        low, high = 0, len(levels)
        while low < high:
            middle = (low + high) // 2
            bound = Constraint(name, ">=", float(levels[middle]))
            question = ask(search.problem, index, (*search.constraints, bound), NOTHING)
            best = Solver(question, search.limit).best()
            if best is None:
                high = middle
            else:
                found, level = best.genes, float(levels[middle])
                low = middle + 1
    return found


def binding(search: Search, reached: Reach) -> str:
    """The block, and the op where the cost knows it, that has the largest term."""
    name, genes = reached.constraint.name, reached.genes
    question = _question(search, genes)
    quantity = question.table(name)
    terms = [
        (float(f.table[tuple(genes[0, g] for g in f.genes)]), f.name) for f in quantity.factors
    ]
    value, block = max(terms, key=lambda t: t[0])
    if name == ACCURACY:
        return (
            "the predictor's largest score" if reached.constraint.relation == ">=" else "the least"
        )
    unit = search.problem.costs[name].unit
    if quantity.reduce == "max":
        return f"{_op(search, name, genes) or block} ({value:,.10g} {unit})"
    return f"the largest term of the sum is {block} ({value:,.10g} {unit})"


def _op(search: Search, name: str, genes: Genes) -> str | None:
    """Block and op of the peak, from a cost that has a history op by op."""
    history = getattr(search.problem.costs[name], "history", None)
    if history is None:
        return None
    (arch,) = search.problem.supernet.space.decode(genes)
    block, op, _ = max(history(arch), key=lambda entry: entry[2])
    return f"{block}, {op}"
