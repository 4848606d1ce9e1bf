"""Whether a table's numbers can be milliseconds: asked where they cannot, never guessed."""

from __future__ import annotations

from statistics import median
from typing import Final, Literal

from attrs import evolve

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.tables import Row, Table, TableFolder
from ofa_plugins_core.timing import looks_like

Unit = Literal["ms", "s", "us"]

IN_MS: Final[dict[str, float]] = {"ms": 1.0, "s": 1000.0, "us": 0.001}


def in_milliseconds(folder: TableFolder, unit: Unit | None) -> TableFolder:
    """The tables with times in ms; a table of ours says its unit itself.

    Args:
        unit: of the numbers, as the user says it; None: ms, unless they cannot be.

    Raises:
        UsageError: they look like another unit; says how to answer.
        InputError: a file is broken.
    """
    if folder.own is not None:
        if unit not in (None, "ms"):
            raise UsageError(f"{folder.path} says itself that it is in ms: unit={unit} is wrong")
        return folder
    if unit is None and (doubt := suspected(folder)) is not None:
        raise doubt
    return folder if unit in (None, "ms") else _scaled(folder, IN_MS[unit])


def suspected(folder: TableFolder) -> UsageError | None:
    """What is to be asked about a table's unit, or None where milliseconds can be.

    Raises:
        InputError: a file is broken.
    """
    if folder.own is not None:
        return None
    for size in (folder.sizes[0], folder.sizes[-1]):  # the extremes: all need not be read
        typical = median(row.mean for row in folder.table(size).rows.values())
        if (meant := looks_like(typical)) is not None:
            return _question(folder, typical, meant)
    return None


def _question(folder: TableFolder, typical: float, meant: str) -> UsageError:
    other = {"seconds": "s", "microseconds": "us"}[meant]
    return UsageError(
        f"latency table {folder.name}: a typical row takes {typical:.3g} ms, which no device does: "
        f"are these {meant}?",
        advice=f"--set latency.unit={other} if they are, --set latency.unit=ms if they are not",
    )


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
