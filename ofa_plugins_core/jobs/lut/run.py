"""The job ``ofa run lut`` as a whole: list, estimate, measure, validate, write."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Final

from ofa_plugins_core.config import plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import Device
from ofa_plugins_core.jobs.choosing import device_of, watched
from ofa_plugins_core.jobs.lut.checking import check_options, run_check
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.jobs.lut.measuring import (
    Plan,
    arch_key,
    drawn_networks,
    estimated_seconds,
    measure_all,
)
from ofa_plugins_core.jobs.lut.promises import PromisesResult, run_promises
from ofa_plugins_core.jobs.lut.result import CheckResult, LutResult, ShownPlan
from ofa_plugins_core.jobs.lut.table import built_table, install, split_forms, write_table
from ofa_plugins_core.jobs.lut.works import needed_parts, needed_rows
from ofa_plugins_core.jobs.lut_options import LutOptions
from ofa_plugins_core.jobs.resuming import begun
from ofa_plugins_core.own_tables import OwnTable, installed
from ofa_plugins_core.timing import Effort, refuse_odd
from ofa_plugins_core.words import counted, durations

RESTLESS: Final = 0.2
"""Range of the reference's time, as a part of its mean, over which the user is told."""


def run_lut(
    context: JobContext, options: LutOptions
) -> LutResult | ShownPlan | CheckResult | PromisesResult:
    """Measure a table on a device, or look at tables that are there.

    Raises:
        UsageError: options that do not fit together, an unknown device, other rows in --out.
        InputError: the device is gone, a file is broken, or nothing can be written.
    """
    check_options(options)
    if options.lut and options.run is None and options.archs is None:
        return run_check(context, options)
    given = {k: getattr(options, k) for k in ("threads", "host", "mode")}
    device = watched(context, options.device, device_of(context, options.device, given))
    if options.lut:
        return run_promises(context, options, device)
    plan = plan_of(context, options)
    if options.show:
        return _shown(options, plan, device)
    return _measured(context, options, plan, device)


def plan_of(context: JobContext, options: LutOptions) -> Plan:
    """What is to be measured: of the network as it is built, at the image sizes asked for."""
    supernet = context.host.supernet(options.supernet).as_built()
    if options.resolutions is not None:
        supernet = supernet.at(options.resolutions)
    return Plan(
        supernet,
        needed_rows(supernet),
        needed_parts(supernet) if options.split else None,
        drawn_networks(supernet, options.networks, context.seed),
        Effort(precision=options.precision, least=options.least, most=options.most),
        options.batch,
    )


def _shown(options: LutOptions, plan: Plan, device: Device) -> ShownPlan:
    with device.session() as session:
        seconds = estimated_seconds(session, plan)
    return ShownPlan(
        plan.supernet.name,
        options.device,
        device.describe(),
        plan.rows.sizes,
        {size: len(keys) for size, keys in plan.rows.new.items()},
        0 if plan.parts is None else len(plan.parts.blocks),
        len(plan.archs),
        seconds,
    )


def _measured(context: JobContext, options: LutOptions, plan: Plan, device: Device) -> LutResult:
    described = dict(device.describe())
    of = {
        "supernet": plan.supernet.name,
        "device": described,
        "batch": plan.batch,
        "effort": plain(plan.effort),
        "blocks": _digest(plan),
    }
    kept = Kept(context.out, of, context.resume, lambda: begun(context))
    _told(context, options, plan, device, kept)
    started, interrupted = time.monotonic(), False
    try:
        if _lacking(plan, kept):  # a table that is whole needs no device any more
            measure_all(context, device, plan, kept)
    except KeyboardInterrupt:
        interrupted = any(kept.found.values())
        if not interrupted:  # nothing is kept, nothing to go on with
            raise
    seconds = time.monotonic() - started
    done = sum(key in kept.found[ROWS] for key in plan.rows.blocks)
    total = len(plan.rows.blocks)
    if interrupted:
        return LutResult(context.out, None, done, total, (), seconds, interrupted=True)
    table = built_table(plan, described, kept)
    for said in _doubts(plan, table):
        context.listener(Notice(said))
    split = split_forms(table) if plan.parts is not None else ()
    if context.out is not None:
        write_table(context.out, table)
    place = None if options.install is None else _installed(context, options.install, table)
    return LutResult(context.out, table, done, total, split, seconds, installed=place)


def _digest(plan: Plan) -> str:
    """Of every block: a supernet of the same name may have been changed in its file."""
    made_of = {key: block.as_dict() for key, block in plan.rows.blocks.items()}
    return sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def _installed(context: JobContext, name: str, table: OwnTable) -> Path:
    if name in installed():
        context.listener(Notice(f"latency@{name} was installed before: this table replaces it"))
    return install(name, table)


def _lacking(plan: Plan, kept: Kept) -> bool:
    """Whether anything is left to measure."""
    parts = () if plan.parts is None else plan.parts.blocks
    due = {ROWS: plan.rows.blocks, PARTS: parts, NETWORKS: map(arch_key, plan.archs)}
    return any(set(keys) - kept.found[kind].keys() for kind, keys in due.items())


def _told(context: JobContext, options: LutOptions, plan: Plan, device: Device, kept: Kept) -> None:
    """Say what will be done, and how long it takes."""
    rows, done = len(plan.rows.blocks), len(kept.found[ROWS])
    if done:
        refuse_odd((row.mean for row in kept.found[ROWS].values()), plan.batch)
        networks = counted(len(kept.found[NETWORKS]), "network")
        said = f"{done:,} of {rows:,} rows and {networks} are there"
        context.listener(Notice(said))
        return
    with device.session() as session:
        seconds = estimated_seconds(session, plan)
    sizes = counted(len(plan.supernet.resolutions), "image size")
    context.listener(
        Notice(
            f"{rows:,} distinct blocks at {sizes}, then {counted(len(plan.archs), 'network')}, on "
            f"{options.device}: {durations(*seconds)}; Ctrl-C keeps what is there"
        )
    )


def _doubts(plan: Plan, table: OwnTable) -> Iterator[str]:
    """What a user should know before believing the table."""
    low, high = table.swing
    if high - low > RESTLESS:
        yield (
            f"the device's speed swung while it was measured: a reference took {100 * low:.0f} to "
            f"{100 * high:.0f} % of its mean; the interval says so, a quiet machine narrows it"
        )
    lacking = len(plan.archs) - len(table.networks)
    if lacking:
        every = len(plan.archs)
        yield f"{lacking} of {every} networks could not be measured: a recording has ended"
