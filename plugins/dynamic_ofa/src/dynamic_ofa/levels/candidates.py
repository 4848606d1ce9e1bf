"""Where candidates for levels come from: a sweep by any searcher, a run, a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args

import numpy as np
from attrs import evolve, field, frozen

from dynamic_ofa.levels.options import LevelsOptions
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InfeasibleError, InputError, UsageError
from ofa_plugins_core.events import Notice, silent
from ofa_plugins_core.jobs.archfiles import read_archs
from ofa_plugins_core.jobs.asking import SWEEP_POINTS, Question, question_of
from ofa_plugins_core.jobs.describing import described
from ofa_plugins_core.jobs.frontfiles import Candidate, read_front
from ofa_plugins_core.jobs.results import Infeasible, Item, SearchResult, number, reached
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.jobs.search import run_search
from ofa_plugins_core.scoring import ACCURACY
from ofa_plugins_core.values import Arch, Kind
from ofa_plugins_core.words import counted

COST: Final = "flops"
"""What is swept where no cost is named."""


@frozen(eq=False)
class Pool:
    """Candidates, and how they were found.

    Attributes:
        candidates: distinct; by their first cost where they were searched.
        origin: for people.
        searched: of a sweep: searcher, bounds, those that nothing met; else None.
    """

    candidates: Sequence[Candidate]
    origin: str
    searched: Mapping[str, Any] | None = field(default=None)


def pool_of(context: JobContext, options: LevelsOptions) -> Pool:
    """The candidates that were asked for.

    Raises:
        UsageError: options that do not fit together.
        InfeasibleError: no bound of the sweep can be met; gives the least that can.
        InputError: a file is missing or broken.
        KeyboardInterrupt: the search was stopped; what it found is kept for --resume.
    """
    options = evolve(options, count=False, plot=False)
    if options.run is not None:
        return _of_run(context, options)
    if options.archs is not None:
        found = read_archs(options.archs, context.host.supernet(options.supernet))
        archs = found.supernet.space.decode(found.genes)
        return Pool(_priced(context, options, archs), f"{options.archs}")
    return _swept(context, options)


# ------------------------------------------------------------------------------- a sweep


def _swept(context: JobContext, options: LevelsOptions) -> Pool:
    ranged = ranged_options(context, options)
    result = run_search(context, ranged)
    if result.interrupted:
        begun(context)  # beside what was found, so that --resume needs no flag repeated
        raise KeyboardInterrupt
    if not result.items:
        raise _infeasible(context, result)
    _mention_missed(context, result)
    source = _named(result.predictor, result.dataset)
    items = {item.arch: _candidate(item, source) for item in result.items}
    searched = {
        "searcher": result.searcher,
        "predictor": result.predictor,
        "dataset": result.dataset,
        "swept": result.swept,
        "bounds": len(result.front),
        "infeasible": len(result.front) - len(result.items),
        "optimal": result.optimal,
        "seconds": round(result.seconds, 4),
    }
    return Pool(list(items.values()), f"searched by {result.searcher}", searched)


def ranged_options(context: JobContext, options: LevelsOptions) -> LevelsOptions:
    """The options with a range of bounds: the user's, or over all that networks cost.

    Raises:
        UsageError: a cost is to be minimised under no range.
    """
    options = _with_cost(options)
    question = question_of(evolve(context, listener=silent), options)
    if question.chosen is None:
        raise UsageError(
            f"levels need accuracies: nothing predicts those of {question.problem.supernet.name}",
            advice="--predictor and --predictor-weights name a fit; or --archs FILE with --data "
            "FOLDER measures them",
        )
    if question.sweep:
        return options
    if question.problem.objective != ACCURACY:
        raise UsageError(
            "levels that cost the least need a range of accuracies",
            advice=f"--minimize {options.minimize} --constraint 'accuracy>=70:76'",
        )
    name, (low, high) = _ends(question)
    bounds = f"{name}<={low!r}:{high!r}"
    points = SWEEP_POINTS if options.points is None else options.points
    return evolve(options, constraint=(*options.constraint, bounds), points=points)


def _with_cost(options: LevelsOptions) -> LevelsOptions:
    bounded = any(not text.strip().startswith("accuracy") for text in options.constraint)
    if options.cost or bounded or options.minimize is not None:
        return options
    return evolve(options, cost=(COST,))


def _ends(question: Question) -> tuple[str, tuple[float, float]]:
    """The first cost, of the network with the least options and of that with the greatest."""
    problem = question.problem
    name, model = next(iter(problem.costs.items()))
    sizes = problem.supernet.space.sizes
    ends = np.stack([np.zeros_like(sizes), sizes - 1]).astype(np.uint8)
    low, high = sorted(float(v) for v in model.evaluate(problem.supernet.space.canonical(ends)))
    bounds = [c.bound for c in question.fixed if c.name == name and c.relation == "<="]
    high = min([high, *bounds])
    return name, (min(low, high), high)


def _infeasible(context: JobContext, result: SearchResult) -> InfeasibleError:
    """The error for a sweep of which no bound can be met."""
    last = result.front[-1]
    assert isinstance(last, Infeasible)
    reach = [_reach(context, name, value, last) for name, value in last.reachable.items()]
    alone = ", each alone" if len(reach) > 1 else ""
    return InfeasibleError(
        f"no candidate for a level: no network of {result.supernet} meets {result.swept}"
        f"{last.relation}{number(result.front[0].bound)} to {number(last.bound)}; one reaches "
        f"{' and '.join(reach)}{alone}; binds: {last.binds}",
        smallest=dict(last.reachable),
        binds=last.binds,
        advice="sweep a range from there on",
    )


def _reach(context: JobContext, name: str, value: float, last: Infeasible) -> str:
    """``flops 20,653,328 MACs``: what a bounded quantity can come to."""
    upward = name == ACCURACY
    unit = "%" if upward else context.host.cost_model(name).unit
    relation = ">=" if upward else last.relation
    return f"{name} {reached(value, relation)} {unit}"


def _mention_missed(context: JobContext, result: SearchResult) -> None:
    missed = [i for i in result.front if isinstance(i, Infeasible)]
    if missed:
        most = missed[-1]
        said = (
            f"{counted(len(missed), 'bound')} of {len(result.front)} on {result.swept} cannot be "
            f"met: it reaches {reached(most.smallest, most.relation)}; binds: {most.binds}"
        )
        context.listener(Notice(said))


def _candidate(item: Item, source: str) -> Candidate:
    """A network that was found, and who says how accurate it is."""
    accuracy = None if item.accuracy is None else {"source": source, **item.accuracy.as_dict()}
    return Candidate(item.arch, accuracy, {name: m.as_dict() for name, m in item.costs.items()})


# ------------------------------------------------------------------------------- given ones


def _of_run(context: JobContext, options: LevelsOptions) -> Pool:
    assert options.run is not None
    found = read_front(options.run, context.host.supernet(options.supernet))
    for place, candidate in enumerate(found):
        _check(f"{options.run}, network {place}", candidate)
    if any(c.accuracy is None for c in found):
        found = _priced(context, options, [c.arch for c in found])
    return Pool(found, f"{options.run}")


def _check(place: str, candidate: Candidate) -> None:
    """Raise InputError for an accuracy that cannot be one."""
    found = candidate.accuracy
    if found is not None and not 0 <= float(found["value"]) <= 100:
        raise InputError(f"{place}: an accuracy of {found['value']} %")
    if found is not None and found["kind"] not in get_args(Kind):
        raise InputError(f"{place}: an accuracy is of no kind {found['kind']!r:.40}")


def _priced(context: JobContext, options: LevelsOptions, archs: Sequence[Arch]) -> list[Candidate]:
    """Networks with their costs and predicted accuracies, each once."""
    sizes = tuple(sorted({arch.image_size for arch in archs}))
    asked = evolve(_with_cost(options), resolutions=sizes, constraint=())
    question = question_of(context, asked)
    chosen, problem = question.chosen, question.problem
    source = "" if chosen is None else _named(chosen.predictor.name, chosen.dataset)
    genes = problem.supernet.space.encode(list(dict.fromkeys(archs)))
    return [_candidate(item, source) for item in described(problem, genes)]


def _named(predictor: str | None, dataset: str | None) -> str:
    """A predictor and the data set that it speaks of."""
    return ", ".join(word for word in (predictor, dataset) if word)
