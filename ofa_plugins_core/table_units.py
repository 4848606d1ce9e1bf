"""Whether a table's numbers can be milliseconds: asked where they cannot, never guessed."""

from __future__ import annotations

from statistics import median
from typing import Final, Literal

from attrs import evolve

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.tables import Row, Table, TableFolder

Unit = Literal["ms", "s", "us"]

IN_MS: Final[dict[str, float]] = {"ms": 1.0, "s": 1000.0, "us": 0.001}

FASTEST: Final = 0.003
"""ms: a typical row is a block of several kernels, and starting them takes longer anywhere."""

SLOWEST: Final = 1000.0
"""ms: some ten blocks of a typical row's kind make a network, also on a microcontroller."""


def in_milliseconds(folder: TableFolder, unit: Unit | None) -> TableFolder:
    """The tables with times in ms; a table of ours says its unit itself.

    Args:
        unit: of the numbers, as the user says it; None: ms, unless they cannot be.

    Raises:
        UsageError: they look like another unit; says how to answer.
        InputError: a file is broken.
    """
    if folder.own is not None:
        return folder
    if unit is None and (doubt := suspected(folder)) is not None:
        raise doubt
    return folder if unit in (None, "ms") else _scaled(folder, IN_MS[unit])


def suspected(folder: TableFolder) -> UsageError | None:
    """What is to be asked about a table's unit, or None where milliseconds can be.

    Raises:
        InputError: a file is broken.
    """
    table = folder.table(folder.sizes[0])
    typical = median(row.mean for row in table.rows.values())
    meant = looks_like(typical)
    if folder.own is not None or meant is None:
        return None
    other = {"seconds": "s", "microseconds": "us"}[meant]
    return UsageError(
        f"latency table {folder.name}: a typical row takes {typical:.3g} ms, which no device does: "
        f"are these {meant}?",
        advice=f"--set latency.unit={other} if they are, --set latency.unit=ms if they are not",
    )


def looks_like(typical: float) -> str | None:
    """What the time of a typical block seems to be in, where it cannot be milliseconds."""
    return "seconds" if typical < FASTEST else "microseconds" if typical > SLOWEST else None


def _scaled(folder: TableFolder, factor: float) -> TableFolder:
    found = evolve(folder)
    for size in folder.sizes:
        table = folder.table(size)
        found._read[size] = evolve(table, rows=_scaled_rows(table, factor))
    return found


def _scaled_rows(table: Table, factor: float) -> dict[str, Row]:
    return {
        key: Row(row.count, factor * row.mean, None if row.std is None else factor * row.std)
        for key, row in table.rows.items()
    }
