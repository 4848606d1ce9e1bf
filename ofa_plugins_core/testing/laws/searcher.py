"""Laws of searchers: (searcher, problem, generator).

The problem is one without bounds that asks for the best accuracy; the laws put bounds on it. Where
its space is small enough to list, what is claimed to be optimal is compared with all networks.
"""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise
from typing import Any, Final

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from ofa_plugins_core.errors import InfeasibleError
from ofa_plugins_core.events import Event, Notice, Progress
from ofa_plugins_core.interfaces import Found, Problem, Searcher
from ofa_plugins_core.testing.laws import Law, NotApplicableError, demand, effects
from ofa_plugins_core.testing.laws.networks import drawn
from ofa_plugins_core.testing.toys import everything
from ofa_plugins_core.values import Constraint, Genes

Rng = np.random.Generator
QUANTILES: Final = (0.3, 0.6, 0.9)
"""Of the first cost over drawn networks: bounds from tight to loose."""


def measured(problem: Problem, name: str, genes: Genes) -> NDArray[Any]:
    """(n,) values of a cost or of ``accuracy``."""
    if name == "accuracy":
        if problem.predictor is None:
            raise NotApplicableError("the problem has no predictor")
        return problem.predictor.predict(genes).value
    return problem.costs[name].evaluate(genes)


def middle(problem: Problem, name: str) -> float:
    """A value that about half of the networks stay below."""
    rows = drawn(problem.supernet.space, np.random.default_rng(0), 201)
    return float(np.median(measured(problem, name, rows)))


def bounded(problem: Problem) -> Problem:
    """The best accuracy with every cost below its middle."""
    return problem.with_constraints(
        [Constraint(name, "<=", middle(problem, name)) for name in problem.costs]
    )


def cheapest(problem: Problem) -> Problem:
    """The least first cost for an accuracy that half of the networks have."""
    floor = Constraint("accuracy", ">=", middle(problem, "accuracy"))
    return evolve(problem.with_constraints([floor]), objective=next(iter(problem.costs)))


def found_by(searcher: Searcher, problem: Problem, generator: Rng) -> Found:
    """What it finds, where it takes the problem."""
    reason = searcher.refuses(problem)
    if reason is not None:
        raise NotApplicableError(f"it refuses: {reason}")
    return searcher.search(problem, generator)


def refuses_in_words(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """It takes a problem (None) or says in words why not.

    Return None, or a sentence that says what the problem has that you cannot take.
    """
    for asked in (problem, bounded(problem), cheapest(problem), evolve(problem, front=True)):
        answer = searcher.refuses(asked)
        demand(answer is None or (isinstance(answer, str) and answer), f"refuses() gave {answer!r}")


def finds_networks_of_the_space(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """The best is one canonical network of the space.

    Return Found with one row for the best, as uint8, in canonical form (space.canonical), options
    below space.sizes.
    """
    found = found_by(searcher, bounded(problem), generator)
    space = problem.supernet.space
    demand(found.genes.shape == (1, len(space.genes)), f"one best, but {found.genes.shape}")
    demand(found.genes.dtype == np.uint8, f"dtype {found.genes.dtype}, not uint8")
    demand((found.genes < space.sizes).all(), "an option that does not exist")
    demand(np.array_equal(found.genes, space.canonical(found.genes)), "not in canonical form")
    demand(found.evaluations >= 0, f"{found.evaluations} evaluations")


def respects_bounds(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """What it finds meets every constraint, on costs and on accuracy.

    Keep only networks that meet every constraint; ofa_plugins_core.archive.Archive does.
    """
    for asked in (bounded(problem), cheapest(problem), evolve(bounded(problem), front=True)):
        found = found_by(searcher, asked, generator)
        for constraint in asked.constraints:
            values = measured(asked, constraint.name, found.genes)
            demand(constraint.met(values).all(), f"{constraint} is not met: {values}")


def says_what_is_infeasible(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """An impossible bound ends with InfeasibleError and the smallest value that is reachable.

    Raise InfeasibleError with the smallest values that you reached and the bound that binds;
    Archive.found() does.
    """
    name = next(iter(problem.costs))
    impossible = problem.with_constraints([Constraint(name, "<=", -1.0)])
    try:
        found = found_by(searcher, impossible, generator)
    except InfeasibleError as error:
        demand(name in error.smallest, f"says no smallest {name}: {error.smallest}")
        demand(error.smallest[name] > -1, f"claims that {error.smallest[name]} is reachable")
        demand(isinstance(error.binds, str) and error.binds, "does not say what binds")
        return
    demand(False, f"{name} <= -1 was met by {found.genes}")


def same_generator_same_answer(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """The same state of the generator gives the same answer.

    Draw from the generator that you are given, alone, and stop after so many steps, not after so
    much time.
    """
    again = deepcopy(generator)
    first = found_by(searcher, bounded(problem), generator)
    second = found_by(searcher, bounded(problem), again)
    demand(np.array_equal(first.genes, second.genes), "two runs from one state differ")


def front_is_not_dominated(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """No network of a front is beaten by another of it.

    Leave out what another network beats in one objective and equals in the rest; Archive does.
    """
    asked = evolve(problem, front=True)
    found = found_by(searcher, asked, generator)
    demand(len(found.genes) > 0, "an empty front")
    points = objectives(asked, found.genes)
    beaten = np.flatnonzero(dominated(points, points))
    demand(len(beaten) == 0, f"{len(beaten)} of {len(points)} points are dominated")


def objectives(problem: Problem, genes: Genes) -> NDArray[np.float64]:
    """(n, objectives), all to be small: the costs, and accuracy with its sign turned."""
    columns = [np.asarray(c.evaluate(genes), dtype=float) for c in problem.costs.values()]
    if problem.predictor is not None:
        columns.append(-measured(problem, "accuracy", genes))
    return np.stack(columns, axis=1)


def dominated(points: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(n,) whether some row of ``by`` is nowhere worse and somewhere better (by 1e-9)."""
    out = np.zeros(len(points), dtype=bool)
    for i, point in enumerate(points):
        out[i] = ((by <= point).all(axis=1) & (by < point - 1e-9).any(axis=1)).any()
    return out


def optimal_is_true(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """What it calls optimal is the best of all networks; nothing is better than that.

    Set optimal only where every network was looked at, or ruled out by proof.
    """
    rows = _all_networks(problem)
    for asked in (bounded(problem), cheapest(problem)):
        found = found_by(searcher, asked, generator)
        sign = -1 if asked.objective == "accuracy" else 1
        reached = sign * float(measured(asked, asked.objective, found.genes)[0])
        met = [c.met(measured(asked, c.name, rows)) for c in asked.constraints]
        best = float((sign * measured(asked, asked.objective, rows))[np.all(met, axis=0)].min())
        demand(reached >= best - 1e-9, f"{abs(reached)} is better than the best there is")
        demand(
            not found.optimal or reached <= best + 1e-9,
            f"called optimal: {asked.objective} {abs(reached)}, where {abs(best)} is reachable",
        )


def optimal_front_is_whole(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """A front that it calls optimal is the front of all networks.

    Set optimal for a front only where all of its points are there, or give optimal=False.
    """
    rows = _all_networks(problem)
    asked = evolve(problem, front=True, points=0)
    found = found_by(searcher, asked, generator)
    if not found.optimal:
        raise NotApplicableError("it does not call its front optimal")
    points, there = objectives(asked, found.genes), objectives(asked, rows)
    demand(not dominated(points, there).any(), "a point of the front is beaten by another network")
    whole = np.unique(np.round(there[~dominated(there, there)], 6), axis=0)
    has = np.unique(np.round(points, 6), axis=0)
    demand(len(has) == len(whole), f"{len(has)} of {len(whole)} points of the front are there")


def _all_networks(problem: Problem) -> Genes:
    try:
        return everything(problem.supernet.space)
    except ValueError as error:
        raise NotApplicableError(str(error)) from None


def tighter_bounds_are_never_better(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """A tighter bound never gives a better network, and never one where a looser gives none.

    Look for an early end or a limit on the work that depends on the bound; set optimal=False where
    it may be reached.
    """
    name = next(iter(problem.costs))
    rows = drawn(problem.supernet.space, np.random.default_rng(0), 201)
    bounds = [float(b) for b in np.quantile(measured(problem, name, rows), QUANTILES)]
    found = [_under(searcher, problem, name, bound, deepcopy(generator)) for bound in bounds]
    for tight, loose in pairwise(range(len(bounds))):
        under = [f"under {name} <= {bounds[i]:g}" for i in (tight, loose)]
        if found[tight] is None:
            continue
        demand(found[loose], f"it finds a network {under[0]}, and calls it infeasible {under[1]}")
        _demand_no_worse(problem, found[tight], found[loose], under)


def _demand_no_worse(problem: Problem, tight: Any, loose: Any, under: list[str]) -> None:
    """Of two best networks, where both are called optimal."""
    sign = 1 if problem.objective == "accuracy" else -1
    values = [float(measured(problem, problem.objective, f.genes)[0]) for f in (tight, loose)]
    better = sign * (values[0] - values[1]) > 1e-9
    demand(
        not (better and tight.optimal and loose.optimal),
        f"best {problem.objective}: {values[0]:g} {under[0]}, but {values[1]:g} {under[1]}",
    )


def _under(
    searcher: Searcher, problem: Problem, name: str, bound: float, generator: Rng
) -> Found | None:
    """What it finds under a bound; None where it calls that infeasible."""
    asked = problem.with_constraints([Constraint(name, "<=", bound)])
    try:
        return found_by(searcher, asked, generator)
    except InfeasibleError:
        return None


def used(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """As jobs use it."""
    found_by(searcher, bounded(problem), generator)


no_other_randomness = effects.no_other_randomness(used)
supernet_stays = effects.supernet_stays(used, lambda problem: problem.supernet)


def tells_its_progress(searcher: Searcher, problem: Problem, generator: Rng) -> None:
    """A listener gets events alone, and no step after the last.

    Give the listener Progress with done no more than total, or Notice.
    """
    heard: list[Event] = []
    found_by(searcher, bounded(problem), deepcopy(generator))
    searcher.search(bounded(problem), generator, heard.append)
    for event in heard:
        demand(isinstance(event, Progress | Notice), f"{event!r:.60} is no event")
        if isinstance(event, Progress):
            demand(0 <= event.done <= event.total, f"step {event.done} of {event.total}")


LAWS: Final[tuple[Law, ...]] = (
    supernet_stays,  # first: what is changed once looks unchanged after that
    refuses_in_words,
    same_generator_same_answer,  # next: what draws otherwise breaks others by chance
    finds_networks_of_the_space,  # and what is no network has neither costs nor accuracy
    respects_bounds,
    says_what_is_infeasible,
    front_is_not_dominated,
    optimal_is_true,
    optimal_front_is_whole,
    tighter_bounds_are_never_better,
    no_other_randomness,
    tells_its_progress,
)
