"""``ofa run simulate``: a policy, or every one, on a trace."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from dynamic_ofa.governing import governor_of
from dynamic_ofa.ledger import scored
from dynamic_ofa.levels.table import LevelTable
from dynamic_ofa.quantities import percent, read_limits, seconds
from dynamic_ofa.reach import Wish, too_tight, wish_of
from dynamic_ofa.simulating.conditions import Conditions, conditions_of
from dynamic_ofa.simulating.optimum import optimum_of
from dynamic_ofa.simulating.options import SimulateOptions
from dynamic_ofa.simulating.result import Comparison, Run, Setting, SimulateResult
from dynamic_ofa.simulating.shipped import find_trace
from dynamic_ofa.simulating.simulator import Pace, play
from dynamic_ofa.traces import Trace
from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import MissingExtraError, OfaError, UsageError
from ofa_plugins_core.events import Notice, Progress
from ofa_plugins_core.interfaces import Level
from ofa_plugins_core.jobs.choosing import entry_options

EVENTS: Final = "events.jsonl"
TIMELINE: Final = "timeline.svg"


@frozen(eq=False, kw_only=True)
class Simulation:
    """What every policy is run on."""

    context: JobContext
    options: SimulateOptions
    levels: tuple[Level, ...]
    conditions: Conditions
    pace: Pace
    settle_s: float
    wish: float | None

    def run(self, name: str) -> Run:
        """A policy by name, its scores, and those of the optimum.

        Raises:
            UnknownNameError, UsageError: there is no such policy, setting or first level.
            PluginError: it fails; with blame.
        """
        given = {"accuracy": self.wish}
        governor = governor_of(
            self.context,
            name,
            self.levels,
            start=self.options.start,
            given=given,
            limit=self.conditions.at(0.0).limit_ms,
        )
        start = governor.level
        played = play(governor, self.conditions, self.pace, self._told)
        optimum = optimum_of(played, self.levels, self.pace.switch_ms)
        both = [
            scored(found, self.levels, changes=self.conditions.changes, settle_s=self.settle_s)
            for found in (played.inferences, optimum.inferences)
        ]
        return Run(
            policy=name,
            start=start,
            played=played,
            scores=both[0],
            optimum=optimum,
            possible=both[1],
            wish=self._wish(name),
        )

    def _told(self, time: float) -> None:
        total = round(self.conditions.duration_s)
        self.context.listener(Progress("seconds simulated", min(round(time), total), total))

    def _wish(self, name: str) -> Wish | None:
        """The accuracy that the policy is to reach: its own setting, or the flag's."""
        entry = self.context.host.runtime_policy(name)
        found = getattr(
            entry_options(self.context, entry, {"accuracy": self.wish}), "accuracy", None
        )
        if found is None:
            return None
        return wish_of(float(found), self.levels, self.conditions.limits)


def run_simulate(context: JobContext, options: SimulateOptions) -> SimulateResult | Comparison:
    """Run a policy, or with ``compare`` every one, on a trace.

    Raises:
        UsageError: a time, a limit, a policy, a setting or a level that does not exist.
        InputError: the table or the trace is missing or broken, or the trace has a gap.
        PluginError: the policy fails; with blame.
    """
    from dynamic_ofa.levels.finding import find_table

    table, trace = find_table(options.levels), find_trace(options.trace)
    simulation = _simulation(context, options, table, trace)
    notes = list(too_tight(simulation.levels, simulation.conditions.limits))
    setting = Setting(
        run=None if context.out is None else context.out,
        about=_about(options, table, trace, simulation),
        levels=simulation.levels,
        notes=notes,
    )
    for note in (*notes, *_limits_of_trace(options, trace)):
        context.listener(Notice(note))
    if options.compare:
        return Comparison(setting, list(_every(simulation)))
    return _alone(setting, simulation)


def _simulation(
    context: JobContext, options: SimulateOptions, table: LevelTable, trace: Trace
) -> Simulation:
    limits = None if options.limit is None else read_limits(options.limit)
    every, cost = options.every, options.switch_cost
    pace = Pace(
        every_s=None if every is None else seconds(every, "--every"),
        jitter=options.jitter,
        switch_ms=0.0 if cost is None else 1000 * seconds(cost, "--switch-cost"),
        seed=context.seed,
    )
    return Simulation(
        context=context,
        options=options,
        levels=table.policy_levels(),
        conditions=conditions_of(
            trace, limits, gaps=options.gaps, trace_limits=options.trace_limits
        ),
        pace=pace,
        settle_s=seconds(options.settle, "--settle"),
        wish=None if options.accuracy is None else percent(options.accuracy, "--accuracy"),
    )


def _limits_of_trace(options: SimulateOptions, trace: Trace) -> Iterator[str]:
    if options.limit and options.trace_limits and any(m.limit_ms for m in trace.moments):
        yield (
            f"the trace {trace.name!r} sets limits, which come before --limit; --no-trace-limits "
            "turns that round"
        )


def _about(
    options: SimulateOptions, table: LevelTable, trace: Trace, simulation: Simulation
) -> dict[str, Any]:
    """As result.json says it: which levels, which trace, how images follow each other."""
    return {
        "supernet": table.supernet,
        "table": {"name": options.levels, "device": dict(table.device), "mode": table.mode},
        "levels": [
            {
                "accuracy": {**plain(row.accuracy), "unit": "%"},
                "latency": {**plain(row.latency), "unit": "ms"},
            }
            for row in table.levels
        ],
        "trace": {"name": trace.name, "kind": trace.kind, "duration_s": trace.duration_s},
        "limits_ms": simulation.conditions.limits,
        "pace": plain(simulation.pace),
    }


def _every(simulation: Simulation) -> Iterator[Run]:
    """Every policy that there is; one that fails is told, and left out.

    Raises:
        OfaError: not one of them could be run; the first one's.
    """
    failed: list[OfaError] = []
    names = [entry.name for entry in simulation.context.host.entries("runtime_policies")]
    for name in sorted(names):
        try:
            run = simulation.run(name)
        except OfaError as error:
            failed.append(error)
            simulation.context.listener(Notice(f"policy {name!r} is left out: {error.message}"))
        else:
            yield run
    if len(failed) == len(names):
        raise failed[0] if failed else UsageError("no plugin offers a policy")


def _alone(setting: Setting, simulation: Simulation) -> SimulateResult:
    """One policy, with what is unusual about it told, its events and its timeline."""
    context, options = simulation.context, simulation.options
    run = simulation.run(options.policy)
    notes = list(_notes(run, simulation))
    for note in notes:
        context.listener(Notice(note))
    result = SimulateResult(evolve(setting, notes=[*setting.notes, *notes]), run)
    if context.out is not None and context.out.suffix not in runs.FILES:
        _keep(result, context, context.out, options.plot)
    return result


def _notes(run: Run, simulation: Simulation) -> Iterator[str]:
    if run.wish is not None and not run.wish.reachable:
        yield str(run.wish)
    if run.wish is None and simulation.wish is not None:
        yield f"policy {run.policy!r} takes no wish: --accuracy had no effect"
    if run.played.actions:
        names = ", ".join(sorted(run.played.actions))
        yield f"the policy sets {names}: without effect in a simulation"


def _keep(result: SimulateResult, context: JobContext, folder: Path, plot: bool) -> None:
    """The event log and the timeline; the rest is written as every job's result is."""
    played = result.simulated.played
    lines = [json.dumps(plain(s), ensure_ascii=False) + "\n" for s in played.switches]
    runs.write(folder / EVENTS, "".join(lines))
    if not plot:
        return
    from dynamic_ofa.timeline import MOST, timeline_plot

    if len(played.inferences) > MOST:
        context.listener(Notice(f"no timeline: more than {MOST:,} inferences"))
        return
    title = f"{result.simulated.policy} on {result.setting.title}"
    try:
        timeline_plot(
            played.inferences, played.switches, result.setting.levels, folder / TIMELINE, title
        )
    except MissingExtraError as error:
        context.listener(Notice(f"no timeline: {error.message}; --no-plot asks for none"))
