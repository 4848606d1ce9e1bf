"""From the options of ``ofa run targets`` to a list of latencies and the problem they bound."""

from __future__ import annotations

from typing import Final

import attrs
from attrs import evolve

from compofa.targets.options import TargetsOptions
from compofa.targets.presets import TARGETS, Target
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.events import Notice, silent
from ofa_plugins_core.interfaces import CostModel
from ofa_plugins_core.jobs.asking import Question, question_of
from ofa_plugins_core.jobs.choosing import latency_tables, predictor_needed
from ofa_plugins_core.jobs.options import PredictedOptions, PricedOptions, SearchOptions
from ofa_plugins_core.own_tables import installed
from ofa_plugins_core.values import Constraint

LATENCY: Final = "latency"


def target_of(options: TargetsOptions) -> Target:
    """The list that is asked for: published, or the user's own bounds.

    Raises:
        UsageError: neither is given.
    """
    target = Target(None, ()) if options.target is None else TARGETS[options.target]
    if options.bounds is not None:
        return evolve(target, name=None, bounds=tuple(sorted(set(options.bounds))))
    if not target.bounds:
        raise UsageError(
            "which latencies? no list of targets is given",
            advice=f"--target {'|'.join(TARGETS)}, or --bounds LIST in ms",
        )
    return target


def latency_of(options: TargetsOptions, target: Target) -> str:
    """The cost that is bounded: named by --cost, measured, or by a table given or installed.

    Of several tables it is the one with the target's name.

    Raises:
        UsageError: nothing says what a network takes, or several things do.
    """
    named = [c for c in options.cost if c.partition("@")[0] == LATENCY]
    tables = latency_tables(options.lut)
    if len(named) == 1:
        return named[0]
    if options.measure and not tables:
        device = options.device or target.run_on
        return LATENCY if device is None else f"{LATENCY}@{device}"
    known = [f"{LATENCY}@{name}" for name in tables or set(installed()) & {options.target}]
    if not known:
        raise UsageError(
            "targets are latencies, and nothing says what a network takes",
            advice=f"--lut {options.target or 'NAME'}=FOLDER (ofa run lut makes one), "
            f"--cost {LATENCY}@NAME of an installed table, or "
            f"--measure --device {target.run_on or 'NAME'}",
        )
    if f"{LATENCY}@{options.target}" in known:
        return f"{LATENCY}@{options.target}"
    if len(named or known) > 1:
        raise UsageError(
            f"which latency? {' and '.join(named or known)} are given",
            advice="say --cost with one of them, or name it as the target",
        )
    return known[0]


def question_for(
    context: JobContext, options: TargetsOptions, target: Target, name: str
) -> Question:
    """Names and flags as one problem, without the bounds.

    Raises:
        UsageError: they do not fit together, or nothing predicts the supernet's accuracies.
    """
    quiet = evolve(context, listener=silent)
    predictor_needed(quiet, options, context.host.supernet(options.supernet))  # or says what to do
    question = question_of(context, asked(options, target, name))
    if target.name is not None and not options.measure:
        _check_batch(context, target, question.problem.costs[name])
    return evolve(question, problem=question.problem.with_constraints(()))


def asked(options: TargetsOptions, target: Target, name: str) -> SearchOptions:
    """The search under the first of the bounds; measured as the list is, unless told otherwise."""
    shared = (*attrs.fields(PricedOptions), *attrs.fields(PredictedOptions))
    given = {f.name: getattr(options, f.name) for f in shared}
    if options.measure:
        given["device"] = options.device or target.run_on
        given["batch"] = options.batch or target.batch
    given |= {
        "cost": tuple(dict.fromkeys((name, *options.cost))),
        "constraint": (str(Constraint(name, "<=", target.bounds[0])),),
        "resolutions": options.resolutions,
        "searcher": options.searcher,
    }
    return SearchOptions(**given)


def _check_batch(context: JobContext, target: Target, model: CostModel) -> None:
    """A published list is of so many images a pass, and so has the table to be.

    Raises:
        UsageError: the table is of others.
    """
    own = getattr(getattr(model, "folder", None), "own", None)  # what a table of ours knows
    if own is not None and own.batch != target.batch:
        raise UsageError(
            f"the latencies of {target.name} are of batches of {target.batch}, and the table of "
            f"{model.name} is of batches of {own.batch}",
            advice=f"measure one with: ofa run lut --batch {target.batch}; or --bounds of your own",
        )
    if own is None and target.batch != 1:
        said = f"the latencies of {target.name} are of batches of {target.batch} images"
        context.listener(Notice(f"{said}: the table of {model.name} has to be of such, too"))
