"""From the options of a search to the problem that a searcher is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from attrs import evolve, field, frozen

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UnknownNameError, UsageError
from ofa_plugins_core.events import Notice, silent
from ofa_plugins_core.interfaces import CostModel, Problem, Supernet
from ofa_plugins_core.jobs.choosing import (
    Chosen,
    cost_models,
    notices_of,
    predictor_of,
    resolve_cost,
)
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.values import BoundRange, Constraint, parse_constraint

FRONT_POINTS: Final = 1000
SWEEP_POINTS: Final = 21
MOST_BOUNDS: Final = 100_000


@frozen(eq=False)
class Question:
    """What is asked.

    Attributes:
        problem: for the searcher; of a sweep, at its first bound.
        chosen: the predictor, or None.
        sweep: the bounds to go through, one search each; () for a single search.
        fixed: the other bounds.
    """

    problem: Problem
    chosen: Chosen | None
    sweep: tuple[Constraint, ...] = ()
    fixed: tuple[Constraint, ...] = field(default=())

    def at(self, constraint: Constraint) -> Problem:
        """The problem at one bound of the sweep."""
        return self.problem.with_constraints((*self.fixed, constraint))


def question_of(context: JobContext, options: SearchOptions) -> Question:
    """Names, bounds and flags as one problem.

    Raises:
        UnknownNameError, UsageError: they do not fit together.
    """
    if options.points is not None and options.points < 0:
        raise UsageError(f"--points: expected a whole number from 0 up, found {options.points}")
    if options.maximize and options.minimize:
        raise UsageError("--maximize and --minimize cannot both be given")
    fixed, ranged = _bounds(context, options)
    supernet = context.host.supernet(options.supernet)
    names = _cost_names(context, options, [*fixed, *ranged])
    chosen = predictor_of(context, options, supernet)
    sizes = _sizes(options, supernet, chosen)
    supernet, chosen = _moved(context, options, supernet, chosen, sizes)
    costs = cost_models(context, options, supernet, names)
    if options.resolutions is None and (left := _priced(context, costs, supernet)):
        supernet, chosen = _moved(context, options, supernet, chosen, left)
        costs = cost_models(context, options, supernet, names)
    for notice in notices_of(costs):
        context.listener(notice)
    goal = _objective(context, options, names, chosen, [*fixed, *ranged])
    sweep = _sweep(options, ranged)
    bounded = bool(ranged) or any(c.name != ACCURACY for c in fixed)
    trade_off = options.minimize is None and not bounded
    problem = Problem(
        supernet=supernet,
        costs=costs,
        predictor=None if chosen is None else chosen.predictor,
        constraints=(*fixed, *sweep[:1]),
        objective=goal,
        front=trade_off and (goal == ACCURACY or len(names) > 1),
        points=FRONT_POINTS if options.points is None else options.points,
    )
    return Question(problem, chosen, sweep, fixed)


def _bounds(
    context: JobContext, options: SearchOptions
) -> tuple[tuple[Constraint, ...], tuple[BoundRange, ...]]:
    known = [entry.name for entry in context.host.entries("cost_models")]
    fixed: list[Constraint] = []
    ranged: list[BoundRange] = []
    for text in options.constraint:
        found = parse_constraint(text, options.dtype, lambda name: _in_bytes(context, name))
        name = resolve_cost(found.name, options.cost, known)
        if isinstance(found, BoundRange):
            ranged.append(BoundRange(name, found.relation, found.first, found.last))
        else:
            fixed.append(Constraint(name, found.relation, found.bound))
    _mention_fractions(context, [*fixed, *ranged])
    if len(ranged) > 1:
        both = " and ".join(r.name for r in ranged)
        raise UsageError(f"one bound at a time can be a range; here are several: {both}")
    return tuple(fixed), tuple(ranged)


def _mention_fractions(context: JobContext, bounds: Sequence[Constraint | BoundRange]) -> None:
    for found in bounds:
        ends = (found.first, found.last) if isinstance(found, BoundRange) else (found.bound,)
        if found.name == ACCURACY and 0 < max(ends) <= 1:
            meant = f"{100 * max(ends):g}"
            said = (
                f"accuracy is in percent: {max(ends):g} is {max(ends):g} %; did you mean {meant}?"
            )
            context.listener(Notice(said))


def _in_bytes(context: JobContext, name: str) -> bool:
    try:
        return context.host.cost_model(name).unit == "bytes"
    except UnknownNameError:
        return False  # the name is complained about where it is resolved


def _cost_names(
    context: JobContext, options: SearchOptions, bounds: Sequence[Constraint | BoundRange]
) -> list[str]:
    """The costs that take part: asked for, minimised, bounded."""
    names = list(options.cost)
    if options.minimize is not None:
        known = [entry.name for entry in context.host.entries("cost_models")]
        if options.minimize == ACCURACY:
            raise UsageError("accuracy is maximised: --maximize accuracy")
        names.append(resolve_cost(options.minimize, names, known))
    names += [b.name for b in bounds if b.name != ACCURACY]
    if not names:
        raise UsageError(
            "a search needs a cost", advice="--cost NAME, for example --cost peak_memory"
        )
    return list(dict.fromkeys(names))


def _sizes(options: SearchOptions, supernet: Supernet, chosen: Chosen | None) -> tuple[int, ...]:
    """The image sizes to search over, in pixels."""
    if options.resolutions == "all":
        return supernet.resolutions
    if options.resolutions is not None:
        return options.resolutions
    fitted = () if chosen is None else chosen.predictor.resolutions
    return fitted or supernet.resolutions


def _moved(
    context: JobContext,
    options: SearchOptions,
    supernet: Supernet,
    chosen: Chosen | None,
    sizes: Sequence[int],
) -> tuple[Supernet, Chosen | None]:
    """The supernet, and its predictor, over other image sizes."""
    if tuple(sorted(set(sizes))) == supernet.resolutions:
        return supernet, chosen
    moved, quiet = supernet.at(sizes), evolve(context, listener=silent)  # all is said already
    return moved, None if chosen is None else predictor_of(quiet, options, moved)


def _priced(
    context: JobContext, costs: Mapping[str, CostModel], supernet: Supernet
) -> tuple[int, ...]:
    """The image sizes left where a table or fit lacks some; () where none is lacking or left."""
    sizes = supernet.resolutions
    for name, model in costs.items():
        known = getattr(model, "resolutions", sizes)
        lacking = [s for s in sizes if s not in known]
        if lacking and len(lacking) < len(sizes):
            without = ", ".join(map(str, lacking))
            context.listener(Notice(f"{name} {_lacks(model)} {without}: left out"))
            sizes = tuple(s for s in sizes if s in known)
    return () if sizes == supernet.resolutions else sizes


def _lacks(model: CostModel) -> str:
    from ofa_plugins_core.latency_cost import FittedLatency

    return "was not fitted at" if isinstance(model, FittedLatency) else "has no table for"


def _objective(
    context: JobContext,
    options: SearchOptions,
    names: Sequence[str],
    chosen: Chosen | None,
    bounds: Sequence[Constraint | BoundRange],
) -> str:
    floors = [b for b in bounds if b.name == ACCURACY]
    if chosen is None and (floors or options.maximize):
        raise UsageError(
            "accuracy cannot be bounded or maximised without a predictor",
            advice="ofa run fit makes one; or --minimize COST, without bounds on accuracy",
        )
    if options.minimize is not None:
        return resolve_cost(options.minimize, names, names)
    if chosen is None:
        context.listener(Notice(f"without a predictor {names[0]} is minimised"))
        return names[0]
    if any(isinstance(b, BoundRange) for b in floors) and options.maximize is None:
        context.listener(Notice(f"for each accuracy the least {names[0]} is searched"))
        return names[0]
    return ACCURACY


def _sweep(options: SearchOptions, ranged: Sequence[BoundRange]) -> tuple[Constraint, ...]:
    if not ranged:
        return ()
    points = SWEEP_POINTS if options.points is None else options.points
    if not 1 <= points <= MOST_BOUNDS:
        raise UsageError(f"--points: a range takes 1 to {MOST_BOUNDS:,} bounds, found {points}")
    (found,) = ranged
    return tuple(found.constraints(points))
