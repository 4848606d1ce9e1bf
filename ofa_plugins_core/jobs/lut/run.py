"""The job ``ofa run lut`` as a whole: list, estimate, measure, validate, write."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import Final

import numpy as np
from attrs import evolve

from ofa_plugins_core import own_tables, runs
from ofa_plugins_core.config import as_yaml, plain
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import Device
from ofa_plugins_core.jobs.choosing import device_of
from ofa_plugins_core.jobs.lut.checking import check_options, run_check
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.jobs.lut.measuring import (
    Plan,
    arch_key,
    drawn_networks,
    durations,
    estimated_seconds,
    measure_all,
)
from ofa_plugins_core.jobs.lut.result import CheckResult, LutResult, ShownPlan
from ofa_plugins_core.jobs.lut.works import needed_parts, needed_rows, part_key, pieces_of
from ofa_plugins_core.jobs.lut_options import LutOptions
from ofa_plugins_core.own_tables import OwnNetwork, OwnRow, OwnTable, best_form
from ofa_plugins_core.table_model import FormFit, fitted_forms
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.timing import Effort
from ofa_plugins_core.values import Arch

JSON: Final = "json"
YAML: Final = "yaml"
"""Folders of the published form, within the run's."""


def run_lut(context: JobContext, options: LutOptions) -> LutResult | ShownPlan | CheckResult:
    """Measure a table on a device, or look at tables that are there.

    Raises:
        UsageError: options that do not fit together, an unknown device, other rows in --out.
        InputError: the device is gone, a file is broken, or nothing can be written.
    """
    check_options(options)
    if options.lut:
        return run_check(context, options)
    plan = plan_of(context, options)
    given = {k: getattr(options, k) for k in ("threads", "host", "mode")}
    device = device_of(context, options.device, given)
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
        {size: len(keys) for size, keys in plan.rows.sizes.items()},
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
    }
    kept = Kept(context.out, of, context.resume)
    if context.out is not None and context.configuration:
        runs.write(context.out / runs.CONFIG, as_yaml(context.configuration))
    _told(context, options, plan, device, kept)
    started, interrupted = time.monotonic(), False
    try:
        if _lacking(plan, kept):  # a table that is whole needs no device any more
            measure_all(context, device, plan, kept)
    except KeyboardInterrupt:
        interrupted = True
    seconds = time.monotonic() - started
    done, total = len(kept.found[ROWS]), len(plan.rows.blocks)
    if interrupted:
        return LutResult(context.out, None, done, total, (), seconds, interrupted=True)
    table = _table(plan, described, kept)
    split = _split_forms(table) if plan.parts is not None else ()
    if context.out is not None:
        write_table(context.out, table)
    place = None if options.install is None else _install(options.install, table)
    return LutResult(context.out, table, done, total, split, seconds, installed=place)


def _lacking(plan: Plan, kept: Kept) -> bool:
    """Whether anything is left to measure."""
    parts = () if plan.parts is None else plan.parts.blocks
    due = {ROWS: plan.rows.blocks, PARTS: parts, NETWORKS: map(arch_key, plan.archs)}
    return any(set(keys) - kept.found[kind].keys() for kind, keys in due.items())


def _told(context: JobContext, options: LutOptions, plan: Plan, device: Device, kept: Kept) -> None:
    """Say what will be done, and how long it takes."""
    rows, done = len(plan.rows.blocks), len(kept.found[ROWS])
    if done:
        said = f"{done:,} of {rows:,} rows and {len(kept.found[NETWORKS])} networks are there"
        context.listener(Notice(said))
        return
    with device.session() as session:
        seconds = estimated_seconds(session, plan)
    sizes = len(plan.supernet.resolutions)
    context.listener(
        Notice(
            f"{rows:,} distinct blocks at {sizes} image size{'s' if sizes > 1 else ''}, then "
            f"{len(plan.archs)} networks, on {options.device}: {durations(seconds)}; Ctrl-C "
            "keeps what is there"
        )
    )


# ------------------------------------------------------------------------------- the table


def _table(plan: Plan, described: dict[str, str], kept: Kept) -> OwnTable:
    """All rows and networks as a table, with the correction that does best.

    Raises:
        InputError: the device ran some of them not even once.
    """
    rows = kept.found[ROWS]
    lacking = [key for key in plan.rows.blocks if key not in rows]
    if lacking:
        raise InputError(
            f"{len(lacking):,} of {len(plan.rows.blocks):,} rows could not be measured, first "
            f"{lacking[0]}",
            advice="a recording has ended; --resume with the device goes on",
        )
    level, swing = _speed(kept)
    rows = {key: row.levelled(level) for key, row in rows.items()}
    pieces = {key: row.levelled(level) for key, row in kept.found[PARTS].items()}
    found = [_network(plan, a, kept, rows, pieces, level) for a in plan.archs]
    networks = [n for n in found if n is not None]
    table = OwnTable(
        supernet=plan.supernet.name,
        device=described,
        batch=plan.batch,
        effort=plan.effort,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        reference=level,
        swing=swing,
        rows={str(s): {k: rows[k] for k in keys} for s, keys in plan.rows.sizes.items()},
        parts={} if plan.parts is None else _at_sizes(plan.parts.sizes, pieces),
        networks=networks,
    )
    least = min(_least_sum(plan, size, rows) for size in plan.supernet.resolutions)
    return best_form(table, _forms(networks, [n.sum for n in networks], rows, least))


def _least_sum(plan: Plan, size: int, rows: Mapping[str, OwnRow]) -> float:
    """No network of an image size has a smaller sum of rows, ms."""
    geometry = plan.supernet.geometry()
    tables = geometry.separable(size, lambda block: rows[row_key(block)].mean, "sum")
    return sum(float(factor.table.min()) for factor in tables.factors)


def _speed(kept: Kept) -> tuple[float | None, tuple[float, float]]:
    """The reference's mean time, ms, and its least and greatest part of that."""
    every = [
        row.reference for rows in kept.found.values() for row in rows.values() if row.reference
    ]
    if not every:
        return None, (1.0, 1.0)
    level = fmean(every)
    return level, (min(every) / level, max(every) / level)


def _at_sizes(
    sizes: Mapping[int, Sequence[str]], rows: Mapping[str, OwnRow]
) -> dict[str, dict[str, OwnRow]]:
    return {str(s): {k: rows[k] for k in keys if k in rows} for s, keys in sizes.items()}


def _network(
    plan: Plan,
    arch: Arch,
    kept: Kept,
    rows: Mapping[str, OwnRow],
    parts: Mapping[str, OwnRow],
    level: float | None,
) -> OwnNetwork | None:
    """A network beside the sum of its rows; None where it was not measured."""
    measured = kept.found[NETWORKS].get(arch_key(arch))
    if measured is None:
        return None
    blocks = plan.supernet.geometry().blocks(arch)
    pieces = [part_key(piece) for block in blocks for piece in pieces_of(block)]
    whole = plan.parts is not None and all(key in parts for key in pieces)
    return OwnNetwork(
        arch=arch.as_dict(),
        sum=sum(rows[row_key(block)].mean for block in blocks),
        blocks=len(blocks),
        measured=measured.levelled(level),
        seen=measured.mean,
        split_sum=sum(parts[key].mean for key in pieces) if whole else None,
    )


def _forms(
    networks: Sequence[OwnNetwork],
    sums: Sequence[float],
    rows: Mapping[str, OwnRow],
    least_sum: float | None = None,
) -> list[FormFit]:
    if not networks:
        return []
    return fitted_forms(
        np.array(sums, dtype=float),
        np.array([n.blocks for n in networks]),
        np.array([n.measured.mean for n in networks]),
        min(row.mean for row in rows.values()),
        np.array([n.seen for n in networks]),
        least_sum,
    )


def _split_forms(table: OwnTable) -> list[FormFit]:
    """The same corrections on the sum of parts: what measuring blocks as one gains."""
    having = [n for n in table.networks if n.split_sum is not None]
    pieces = {k: row for rows in table.parts.values() for k, row in rows.items()}
    return _forms(having, [n.split_sum or 0.0 for n in having], pieces)


def write_table(folder: Path, table: OwnTable) -> None:
    """``table.json``, and the published form as JSON and as YAML, one file an image size.

    Raises:
        InputError: it cannot be written.
    """
    for size in map(int, table.rows):
        rows, name = table.published(size), f"{size}_lookup_table"
        runs.write(folder / JSON / f"{name}.json", json.dumps(rows, indent=1) + "\n")
        runs.write(folder / YAML / f"{name}.yaml", as_yaml(rows))
    runs.write(folder / own_tables.FILE, _as_text(table))


def _as_text(table: OwnTable) -> str:
    return json.dumps(plain(table), ensure_ascii=False, separators=(",", ":")) + "\n"


def _install(name: str, table: OwnTable) -> Path:
    """Keep a table where ``latency@NAME`` finds it."""
    place = own_tables.user_folder() / name
    runs.write(place / own_tables.FILE, _as_text(evolve(table, parts={})))
    return place
