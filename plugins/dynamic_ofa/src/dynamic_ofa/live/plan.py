"""What a live run is to do, read from its options before anything is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from attrs import frozen

from dynamic_ofa.levels.table import LevelTable
from dynamic_ofa.live.contending import during_of
from dynamic_ofa.live.options import SwitchOptions
from dynamic_ofa.live.running import Length
from dynamic_ofa.quantities import Limits, percent, read_limits, seconds
from dynamic_ofa.reach import too_tight, wish_of
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.jobs.choosing import entry_options

SECONDS: Final = 30.0


@frozen(kw_only=True)
class Plan:
    """What was asked for, read.

    Attributes:
        every, settle, monitor_every: seconds. wish: on accuracy, percent.
        during: (from, to) in seconds, of the second load; None: there is none.
    """

    limits: Limits
    length: Length
    every: float | None
    settle: float
    monitor_every: float
    wish: float | None
    during: tuple[float, float] | None


def plan_of(options: SwitchOptions) -> Plan:
    """Times and limits from the options, before anything is loaded.

    Raises:
        UsageError: one does not read.
    """
    long = SECONDS if options.seconds is None and options.count is None else options.seconds
    return Plan(
        limits=read_limits(options.limit),
        length=Length(seconds=long, count=options.count),
        every=None if options.every is None else seconds(options.every, "--every", "ms"),
        settle=seconds(options.settle, "--settle", "s"),
        monitor_every=seconds(options.monitor_every, "--monitor-every", "ms"),
        wish=None if options.accuracy is None else percent(options.accuracy, "--accuracy"),
        during=during_of(options.contend_during, long) if options.contend else None,
    )


def wishes(
    context: JobContext, options: SwitchOptions, plan: Plan
) -> tuple[float | None, str | None]:
    """The policy's wish on accuracy, percent, as it is set; or why the flag has no effect."""
    entry = context.host.runtime_policy(options.policy)
    settings = entry_options(context, entry, {"accuracy": plan.wish})
    found = getattr(settings, "accuracy", None)
    if found is None and plan.wish is not None:
        return None, f"policy {options.policy!r} takes no wish: --accuracy has no effect"
    return found, None


def doubts(
    plan: Plan,
    options: SwitchOptions,
    table: LevelTable,
    wish: float | None,
    vain: str | None = None,
) -> Iterator[str]:
    """What the user should know before it runs: nothing of it stops the run.

    Args:
        wish: of the policy, percent. vain: why the flag for it has no effect.
    """
    levels = table.policy_levels()
    limits = [limit for _, limit in plan.limits.steps]
    yield from too_tight(levels, limits)
    if vain is not None:
        yield vain
    if wish is not None and not (told := wish_of(wish, levels, limits)).reachable:
        yield str(told)
    if options.batch > 1:
        yield (
            f"the table's latencies are of one image, here {options.batch} run at once: the limit "
            "is on all of them together"
        )
    if (
        options.contend
        and options.device == "cpu"
        and _threads_spin(options.threads or table.threads)
    ):
        yield (
            "threads that wait for each other keep cores busy, many times slower under a second "
            "load: --threads 1, or OMP_WAIT_POLICY=passive in the environment"
        )


def _threads_spin(threads: int | None) -> bool:
    """Whether OpenMP's threads wait for each other in a loop, as they do unless told otherwise.

    Measured with torch's libgomp on two cores, two busy processes and some others: a small network
    took 1,015 ms by two threads so, 70 ms where they slept, 59 ms by one (medians of 20 passes).
    """
    alone = threads == 1 or (threads is None and os.environ.get("OMP_NUM_THREADS") == "1")
    return not alone and "OMP_WAIT_POLICY" not in os.environ
