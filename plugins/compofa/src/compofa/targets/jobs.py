"""The job ``ofa run targets``: a list of latencies, and the best network under each.

A small space is enumerated once for all of them; elsewhere each is a search. Source of the lists
and of what they are compared to: CompOFA (ICLR 2021).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from attrs import evolve

from compofa.targets.asking import latency_of, question_for, target_of
from compofa.targets.enumeration import Enumeration
from compofa.targets.options import TargetsOptions
from compofa.targets.progress import Kept
from compofa.targets.result import PUBLISHED_CSV, TargetsResult, as_published
from ofa_plugins_core import runs
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, MissingExtraError, UsageError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.interfaces import Problem
from ofa_plugins_core.jobs.choosing import Choice, searcher_of
from ofa_plugins_core.jobs.results import Infeasible, Item
from ofa_plugins_core.jobs.search import Outcome, found_by
from ofa_plugins_core.jobs.sweeping import at_bound, item_at, missed, read_part
from ofa_plugins_core.report.canvas import can_draw
from ofa_plugins_core.values import Constraint
from ofa_search.exhaustive import networks

SMALL: Final = 20_000
"""Most networks of a space that ``auto`` enumerates; ``--searcher exhaustive`` takes more."""


def run_targets(context: JobContext, options: TargetsOptions) -> TargetsResult:
    """Search under every latency of a list.

    Raises:
        UsageError: no list, no latencies, or options that do not fit together.
        MissingExtraError: a plot is asked for, and matplotlib is not installed.
        PluginError: a searcher, a cost or a predictor failed.
    """
    began = time.perf_counter()
    if context.out is not None and context.out.suffix in runs.FILES:
        raise UsageError(f"targets are kept in a folder, and {context.out} is named like a file")
    if options.plot and not can_draw():  # before the work, not after
        raise MissingExtraError("drawing", "ofa-plugins-core", "plot")
    target = target_of(options)
    name = latency_of(options, target)
    question = question_for(context, options, target, name)
    constraints = [Constraint(name, "<=", bound) for bound in target.bounds]
    choice = _choice(context, options.searcher, question.problem, constraints)
    started = time.perf_counter()
    kept = Kept.of(context, options)
    run = _enumerated if choice.name == "exhaustive" else _searched
    outcome = run(context, question.problem, choice, constraints, kept)
    found = found_by(context, question, choice, outcome, time.perf_counter() - started)
    result = TargetsResult(
        target=target,
        found=evolve(found, swept=name),
        networks=networks(question.problem.supernet.space),
        seconds=time.perf_counter() - began,
    )
    if context.out is not None:
        _write(context, result, context.out, options.plot)
    return result


def _choice(
    context: JobContext, name: str, problem: Problem, constraints: Sequence[Constraint]
) -> Choice:
    """One enumeration where the space is small, or the searcher that was asked for."""
    bounded = problem.with_constraints(constraints[:1])
    count = networks(problem.supernet.space)
    small = name == "auto" and count <= SMALL
    choice = searcher_of(context, "exhaustive" if small else name, bounded)
    if choice.name != "exhaustive":
        if name == "auto" and not choice.exact:
            context.listener(Notice(f"searched by {choice.name}: {choice.reason}"))
        return choice
    said = f"{count:,} networks, each scored once for all {len(constraints)} bounds"
    return evolve(choice, reason=said)


# ------------------------------------------------------------------------------- one enumeration


def _enumerated(
    context: JobContext,
    problem: Problem,
    choice: Choice,
    constraints: Sequence[Constraint],
    kept: Kept,
) -> Outcome:
    """Every network once, and the best under each bound; an interrupt keeps what is there."""
    found, interrupted = Enumeration(problem, constraints), False
    try:
        found.run(kept.parts.get("enumerated"), kept.keep_enumerated, context.listener)
    except KeyboardInterrupt:
        if not found.evaluations:
            raise
        interrupted = True
        kept.store()
    front: list[Item | Infeasible] = []
    for constraint in constraints:
        genes = found.genes(constraint)
        if len(genes):
            front.append(item_at(problem, constraint, genes, optimal=not interrupted))
        elif not interrupted:  # nothing is known of the networks that were not looked at
            error = found.infeasible(constraint)
            front.append(missed(constraint, error.smallest, error.binds))
    seen = f"interrupted after {found.evaluations:,} of {found.total:,} networks"
    note = seen if interrupted else None
    return Outcome(front, not interrupted, found.evaluations, note=note, interrupted=interrupted)


# ------------------------------------------------------------------------------- a search a bound


def _searched(
    context: JobContext,
    problem: Problem,
    choice: Choice,
    constraints: Sequence[Constraint],
    kept: Kept,
) -> Outcome:
    """One search a bound; those that an earlier run came to are taken from it."""
    front: list[Item | Infeasible] = []
    optimal, evaluations, interrupted = True, 0, False
    try:
        for number, constraint in enumerate(constraints):
            part = kept.parts.get(repr(constraint.bound))
            if part is None:
                part = at_bound(context, problem.with_constraints((constraint,)), choice, number)
            front.append(read_part(problem, constraint, part))
            optimal &= part.get("optimal", choice.exact)
            evaluations += part.get("evaluations", 0)
            if part.get("interrupted"):  # shown, but searched anew when resumed
                raise KeyboardInterrupt
            kept.keep(repr(constraint.bound), part)
            context.listener(Progress("bound", number + 1, len(constraints), str(constraint)))
    except KeyboardInterrupt:
        if not front:
            raise
        interrupted = True
        kept.store()
    note = f"interrupted: {len(front)} of {len(constraints)} bounds" if interrupted else None
    optimal &= not interrupted
    return Outcome(front, optimal, evaluations, note=note, interrupted=interrupted)


# ------------------------------------------------------------------------------- items, files


def _write(context: JobContext, result: TargetsResult, folder: Path, plot: bool) -> None:
    """The published table, and the plot; a finished run's are not replaced by less."""
    if runs.worth_more(folder, result.as_json()) is not None:
        return
    try:
        runs.write(folder / PUBLISHED_CSV, as_published(result.found))
    except InputError as error:  # the result is shown all the same; keeping it will fail, too
        context.listener(Notice(error.message))
        return
    if plot and result.found.items:
        from ofa_plugins_core.report.fronts import front_plot
        from ofa_plugins_core.report.results import search_result

        record = search_result(result.as_json())
        assert record is not None
        front_plot(record, folder / "front.svg")
