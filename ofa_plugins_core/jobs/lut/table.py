"""What was measured as a table: at one speed, with the correction that does best, and written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from attrs import evolve

from ofa_plugins_core import own_tables, runs
from ofa_plugins_core.config import as_yaml, plain
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.jobs.lut.measuring import Plan, arch_key
from ofa_plugins_core.jobs.lut.works import part_key, pieces_of
from ofa_plugins_core.own_tables import OwnNetwork, OwnRow, OwnTable, best_form
from ofa_plugins_core.table_model import FormFit, Swing, Values, fitted_forms
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.values import Arch

JSON: Final = "json"
YAML: Final = "yaml"
"""Folders of the published form, within the run's."""


def built_table(plan: Plan, described: dict[str, str], kept: Kept) -> OwnTable:
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
    level, ends, speeds, spent = _speed(kept)
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
        swing=ends,
        rows={str(s): {k: rows[k] for k in keys} for s, keys in plan.rows.sizes.items()},
        parts={} if plan.parts is None else _at_sizes(plan.parts.sizes, pieces),
        networks=networks,
    )
    least = min(_least_sum(plan, size, rows) for size in plan.supernet.resolutions)
    swing = Swing(speeds, spent, np.array([n.seen for n in networks]))
    return best_form(table, _forms(networks, [n.sum for n in networks], rows, swing, least))


def _least_sum(plan: Plan, size: int, rows: Mapping[str, OwnRow]) -> float:
    """No network of an image size has a smaller sum of rows, ms."""
    geometry = plan.supernet.geometry()
    tables = geometry.separable(size, lambda block: rows[row_key(block)].mean, "sum")
    return sum(float(factor.table.min()) for factor in tables.factors)


def _speed(kept: Kept) -> tuple[float | None, tuple[float, float], Values, Values]:
    """How the device's speed went while everything was measured, by the reference.

    Returns:
        Its mean time, ms; the least and greatest mean beside a row, as parts of that; (m,) times
        of its passes, as parts of that, and the time that was spent at each.
    """
    every = [r for rows in kept.found.values() for r in rows.values() if r.reference]
    if not every:
        return None, (1.0, 1.0), np.ones(1), np.ones(1)
    times = np.array([row.reference for row in every], dtype=float)
    spent = np.array([row.mean * row.count for row in every])
    level = float(np.average(times, weights=spent))
    passes = [row.reference_spread or (row.reference,) for row in every]
    speeds = np.array([time for some in passes for time in some], dtype=float)
    weights = [s / len(some) for s, some in zip(spent, passes, strict=True) for _ in some]
    ends = (float(times.min()) / level, float(times.max()) / level)
    return level, ends, speeds / level, np.array(weights)


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
    swing: Swing | None = None,
    least_sum: float | None = None,
) -> list[FormFit]:
    if not networks:
        return []
    return fitted_forms(
        np.array(sums, dtype=float),
        np.array([n.blocks for n in networks]),
        np.array([n.measured.mean for n in networks]),
        min(row.mean for row in rows.values()),
        swing,
        least_sum,
    )


def split_forms(table: OwnTable) -> list[FormFit]:
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


def install(name: str, table: OwnTable) -> Path:
    """Keep a table where ``latency@NAME`` finds it.

    Raises:
        UsageError: a fitted predictor has the name.
    """
    place = own_tables.user_folder() / name
    if (place / own_tables.MODEL).is_file():
        raise UsageError(
            f"latency@{name} is an installed predictor: {place}", advice="choose another name"
        )
    runs.write(place / own_tables.FILE, _as_text(evolve(table, parts={})))
    return place
