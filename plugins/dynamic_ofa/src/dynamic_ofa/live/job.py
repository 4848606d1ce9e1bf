"""The job ``ofa run switch``: a switcher under a policy, live on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from attrs import evolve, frozen

from dynamic_ofa.governing import Governor, governor_of
from dynamic_ofa.ledger import scored
from dynamic_ofa.levels.table import LevelTable
from dynamic_ofa.live.contending import Contention
from dynamic_ofa.live.log import TRACE, Log, trace_of
from dynamic_ofa.live.options import SwitchOptions
from dynamic_ofa.live.plan import Plan, doubts, plan_of, wishes
from dynamic_ofa.live.result import SwitchResult
from dynamic_ofa.live.running import Clock, LiveRun, observed
from dynamic_ofa.live.stopping import Stopping
from dynamic_ofa.live.view import view_of
from dynamic_ofa.monitoring.watching import Settings, Watch, actuators_of, monitors_of
from dynamic_ofa.traces import write_trace
from ofa_plugins_core import runs
from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.resuming import begun

TIMELINE: Final = "timeline.svg"


def run_switch(context: JobContext, options: SwitchOptions) -> SwitchResult:
    """Run images at levels that change, until the time is over or Ctrl-C.

    Raises:
        UsageError: options that do not fit together, or nobody offers a name.
        InputError: the table or weights are missing, broken or of other weights; or nothing can
            be written.
        PluginError: the policy failed, with blame; what was run stays in the folder.
        MissingExtraError: torch is not installed.
    """
    from dynamic_ofa.levels.finding import find_table

    plan = plan_of(options)
    table = find_table(options.levels)
    for said in doubts(plan, options, table, *wishes(context, options, plan)):
        context.listener(Notice(said))
    return Live(context, options, plan, table).result()


@frozen(eq=False)
class Live:
    """One run of the job.

    Attributes:
        switcher_of: makes the switcher; clock: of the run. Tests have their own.
    """

    context: JobContext
    options: SwitchOptions
    plan: Plan
    table: LevelTable
    switcher_of: Callable[..., Any] | None = None
    images_of: Callable[..., Any] | None = None
    clock: Clock = Clock()

    @property
    def folder(self) -> Path | None:
        """Of the run; None where --out names a file, or there is none."""
        out = self.context.out
        return None if out is None or out.suffix in runs.FILES else out

    def result(self) -> SwitchResult:
        """Run, write what it came to, and say it."""
        log, governor = self._log(), self._governor()
        actions: dict[str, float] = {}
        for inference in log.inferences:  # a policy is pure: this is where it stood
            actions.update(governor.observe(observed(inference)).actions)
        try:
            facts, interrupted = self._run(log, governor, actions)
        finally:
            self._record(log)
        self._draw(log)
        return self._summed(log, facts, interrupted)

    def _log(self) -> Log:
        options = self.options
        of = {"levels": _digest(self.table), "policy": options.policy, "limit": options.limit}
        context = evolve(self.context, out=self.folder)
        return Log(self.folder, of, context.resume, lambda: begun(context))

    def _governor(self) -> Governor:
        levels = self.table.policy_levels()
        given = {"accuracy": self.plan.wish}
        name, start = self.options.policy, self.options.start
        first = self.plan.limits.at(0.0)
        return governor_of(self.context, name, levels, start=start, given=given, limit=first)

    def _run(self, log: Log, governor: Governor, actions: Mapping[str, float]) -> tuple[Any, bool]:
        """What the switcher says of itself, and whether the user stopped the run."""
        with Stopping() as stopping, ExitStack() as stack:
            try:
                run, switcher = self._begun(stack, log, governor, actions)
                interrupted = _interrupted(run)
                return switcher.facts(), interrupted
            finally:  # within the stack: from its first step back on nothing interrupts
                stopping.ignore()

    def _begun(
        self, stack: ExitStack, log: Log, governor: Governor, actions: Mapping[str, float]
    ) -> tuple[LiveRun, Any]:
        """The run with all that takes part in it, and its switcher; the stack ends them."""
        context, options, plan = self.context, self.options, self.plan
        monitors = monitors_of(context, options.monitors)
        switcher = stack.enter_context(self._switcher(governor.level))
        images = self._images()
        busy = Contention(
            options.contend if plan.during else 0, plan.during or (0.0, 0.0), context.listener
        )
        settings = Settings(actuators_of(context, options.actuators), context.listener)
        run = LiveRun(
            switcher=switcher,
            images=images,
            governor=governor,
            limits=plan.limits,
            length=plan.length,
            watch=stack.enter_context(Watch(monitors, plan.monitor_every, context.listener)),
            contention=stack.enter_context(busy),
            log=stack.enter_context(log),
            view=stack.enter_context(view_of(context.listener, governor.levels, self._title())),
            settings=stack.enter_context(settings),  # the last: the first to be put back
            every=plan.every,
            clock=self.clock,
            actions=actions,
        )
        return run, switcher

    def _switcher(self, start: int) -> Any:
        make = self.switcher_of
        if make is None:
            from dynamic_ofa.switching.switcher import Switcher

            make = Switcher
        options = self.options
        host: Any = self.context.host
        return make(
            self.table,
            weights=options.weights,
            supernet=options.supernet,
            mode=options.mode,
            device=options.device,
            start=start,
            host=host,
            listener=self.context.listener,
            threads=options.threads,
        )

    def _images(self) -> Callable[[int, int], Any]:
        """(number of a level, of an inference) -> images of the level's size."""
        make = self.images_of
        if make is None:
            from dynamic_ofa.live.images import Images

            make = Images
        sizes = [int(row.arch["image_size"]) for row in self.table.levels]
        options, context = self.options, self.context
        images = make(options.images, sizes, options.batch, context.seed, context.listener)
        return lambda level, number: images.at(sizes[level], number)

    def _title(self) -> str:
        return f"{self.table.supernet}: {self.options.policy}, {self.options.limit}"

    def _record(self, log: Log) -> None:
        """The run as a trace, whatever ended it."""
        if self.folder is None or not self.options.record or not log.inferences:
            return
        about = f"recorded by ofa run switch, policy {self.options.policy}"
        levels = self.table.policy_levels()
        write_trace(self.folder / TRACE, trace_of(log.inferences, levels, self.folder.name, about))

    def _draw(self, log: Log) -> None:
        from ofa_plugins_core.report import canvas

        if self.folder is None or not self.options.plot or not log.inferences:
            return
        from dynamic_ofa.timeline import MOST, timeline_plot

        if len(log.inferences) > MOST:
            self.context.listener(Notice(f"no timeline: more than {MOST:,} inferences"))
            return
        if not canvas.can_draw():
            said = "no timeline: drawing needs the extra [plot]; --no-plot asks for none"
            self.context.listener(Notice(said))
            return

        spans = [] if self.plan.during is None else [_until(self.plan.during, log.elapsed)]
        timeline_plot(
            log.inferences,
            log.switches,
            self.table.policy_levels(),
            self.folder / TIMELINE,
            self._title(),
            contended=[span for span in spans if span[0] < span[1]],
        )

    def _summed(self, log: Log, facts: Any, interrupted: bool) -> SwitchResult:
        plan, options = self.plan, self.options
        edges = (*plan.limits.changes, *(plan.during or ()))
        return SwitchResult(
            run=self.folder,
            table=self.table,
            levels=options.levels,
            policy=options.policy,
            device=options.device,
            mode=options.mode,
            images=options.images,
            batch=options.batch,
            limits=plan.limits,
            scores=scored(
                log.inferences,
                self.table.policy_levels(),
                changes=[edge for edge in edges if edge < log.elapsed],
                settle_s=plan.settle,
            ),
            settle_s=plan.settle,
            inferences=log.inferences,
            events=log.events,
            facts=facts,
            contended=plan.during,
            contend=options.contend,
            interrupted=interrupted,
        )


def _interrupted(run: LiveRun) -> bool:
    """Run; whether the user stopped it. Nothing run is nothing to sum up."""
    try:
        run.go()
    except KeyboardInterrupt:
        if not run.log.inferences:
            raise
        return True
    return False


def _until(span: tuple[float, float], end: float) -> tuple[float, float]:
    return span[0], min(span[1], end)


def _digest(table: LevelTable) -> str:
    """Of all that a table says but its statistics, which are large."""
    rows = tuple(evolve(row, statistics=None) for row in table.levels)
    said = json.dumps(plain(evolve(table, levels=rows)), sort_keys=True)
    return sha256(said.encode()).hexdigest()[:16]
