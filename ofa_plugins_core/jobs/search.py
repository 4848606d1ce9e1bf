"""The job ``ofa run search``: the best under bounds, a sweep of bounds, or the whole front."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve, frozen

from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.jobs.asking import Question, question_of
from ofa_plugins_core.jobs.choosing import Choice, searcher_of
from ofa_plugins_core.jobs.counting import networks_within
from ofa_plugins_core.jobs.describing import described
from ofa_plugins_core.jobs.options import SearchOptions
from ofa_plugins_core.jobs.results import Infeasible, Item, SearchResult, reached
from ofa_plugins_core.jobs.sweeping import at_bound, numbered, read_part
from ofa_plugins_core.scoring import ACCURACY

STORE_SECONDS: Final = 1.0
"""A sweep that takes longer keeps what it has for ``--resume``."""


@frozen(eq=False)
class Outcome:
    """What a searcher's calls came to: one front, or an item a bound, in their order."""

    front: Sequence[Item | Infeasible]
    optimal: bool
    evaluations: int
    epsilon: Mapping[str, float] | None = None
    note: str | None = None
    interrupted: bool = False


def run_search(context: JobContext, options: SearchOptions) -> SearchResult:
    """Search.

    Raises:
        UsageError: names, bounds or options that do not fit together.
        InfeasibleError: no network meets the bounds (of a sweep: an item each instead).
        PluginError: a searcher, a cost or a predictor failed.
    """
    question = question_of(context, options)
    choice = searcher_of(context, options.searcher, question.problem)
    if options.searcher == "auto" and choice.name != "exact":
        context.listener(Notice(f"searched by {choice.name}: {choice.reason}"))
    _mention_unused(context, choice, question)
    if context.resume and not question.sweep and context.out is not None and context.out.exists():
        context.listener(Notice("a search that is no sweep starts anew: it keeps nothing to go on"))
    started = time.perf_counter()
    outcome = (
        _swept(context, options, question, choice)
        if question.sweep
        else _once(context, question, choice)
    )
    seconds = time.perf_counter() - started
    counts = None
    if options.count and not question.sweep:
        counts = networks_within(question.problem, choice.searcher, numbered(context, 1))
    return evolve(found_by(context, question, choice, outcome, seconds), counts=counts)


def found_by(
    context: JobContext, question: Question, choice: Choice, outcome: Outcome, seconds: float
) -> SearchResult:
    """What a searcher's calls came to, as a search's result.

    Args:
        seconds: that the calls took.
    """
    chosen = question.chosen
    return SearchResult(
        run=context.out,
        supernet=question.problem.supernet.name,
        searcher=choice.name,
        reason=choice.reason,
        predictor=None if chosen is None else chosen.predictor.name,
        predictor_source=None if chosen is None else chosen.predictor.source,
        dataset=None if chosen is None else chosen.dataset,
        optimal=outcome.optimal,
        evaluations=outcome.evaluations,
        seconds=seconds,
        front=outcome.front,
        epsilon=outcome.epsilon,
        swept=question.sweep[0].name if question.sweep else None,
        note=outcome.note,
        interrupted=outcome.interrupted,
        judged=_judged(question.problem),
    )


def _judged(problem: Problem) -> bool:
    """Whether accuracy is searched for or bounded."""
    return ACCURACY in (problem.objective, *(c.name for c in problem.constraints))


def _mention_unused(context: JobContext, choice: Choice, question: Question) -> None:
    used = {choice.name, *(n.partition("@")[0] for n in question.problem.costs)}
    if question.chosen is not None:
        used.add(question.chosen.predictor.name)
    for name in sorted(set(context.settings) - used):
        context.listener(Notice(f"the options of {name} had no effect: it takes no part here"))


def _once(context: JobContext, question: Question, choice: Choice) -> Outcome:
    problem = question.problem
    found = choice.searcher.search(problem, numbered(context), context.listener)
    items = described(problem, found.genes, problem.constraints)
    items.sort(key=_first_cost)
    return Outcome(
        items,
        found.optimal,
        found.evaluations,
        found.epsilon,
        found.note,
        found.interrupted,
    )


def _first_cost(item: Item) -> Any:
    return tuple(m.value for m in item.costs.values())


def _swept(
    context: JobContext, options: SearchOptions, question: Question, choice: Choice
) -> Outcome:
    """One result a bound; an interrupt keeps those that are there."""
    request = {**plain(options), "seed": context.seed, "set": plain(context.settings)}
    kept = runs.stored(context.out, request) if context.resume else {}
    front: list[Item | Infeasible] = []
    latest, interrupted = time.monotonic(), False
    try:
        for number, constraint in enumerate(question.sweep):
            key = f"{constraint.bound!r}"
            part = (
                kept[key]
                if key in kept
                else at_bound(context, question.at(constraint), choice, number)
            )
            front.append(read_part(question.at(constraint), constraint, part))
            if part.get("interrupted"):  # shown, but done anew when resumed
                raise KeyboardInterrupt
            kept[key] = part
            done = number + 1
            context.listener(Progress("bound", done, len(question.sweep), str(constraint)))
            if context.out is not None and time.monotonic() - latest > STORE_SECONDS:
                runs.store(context.out, request, kept)
                latest = time.monotonic()
    except KeyboardInterrupt:
        if not front:
            raise
        interrupted = True
        if context.out is not None:
            runs.store(context.out, request, kept)
    items = [i for i in front if isinstance(i, Item)]
    note = f"interrupted: {len(front)} of {len(question.sweep)} bounds" if interrupted else None
    if front and not items:
        context.listener(Notice(_nothing_fits(question, front)))
    return Outcome(
        counted(question, choice, context, front) if options.count else front,
        not interrupted and (all(i.optimal for i in items) if items else choice.exact),
        sum(i.evaluations for i in items),
        note=note,
        interrupted=interrupted,
    )


def _nothing_fits(question: Question, front: Sequence[Item | Infeasible]) -> str:
    last = front[-1]
    assert isinstance(last, Infeasible)
    name = question.sweep[0].name
    reach = reached(last.smallest, last.relation)
    return f"no bound on {name} can be met: it reaches {reach}; binds: {last.binds}"


def counted(
    question: Question, choice: Choice, context: JobContext, front: Sequence[Item | Infeasible]
) -> list[Item | Infeasible]:
    """The items of a sweep with the numbers of networks under their bounds."""
    found: list[Item | Infeasible] = []
    for number, (item, constraint) in enumerate(zip(front, question.sweep, strict=False)):
        if isinstance(item, Item):
            generator = numbered(context, number)
            counts = networks_within(question.at(constraint), choice.searcher, generator)
            item = evolve(item, counts=counts)
        found.append(item)
    return found
