"""The published latency tables of the Note10, beside the blocks of a supernet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.table_flaws import find_flaws
from ofa_plugins_core.tables import Table, TableFolder, row_key

WIDE: Final = "ofa_mbv3_w1.2"
ROWS: Final = 96
SIZES: Final = tuple(range(160, 225, 4))


def note10_tables(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Rows that the supernet's blocks need, beside those of each table."""
    supernet = context.host.supernet(WIDE)
    folder = TableFolder.open(files["note10_tables"])
    tables = [folder.table(size) for size in folder.sizes]
    wrong = [said for table in tables if (said := _amiss(supernet, table))]
    needed = {size: len(_keys(supernet, size)) for size in SIZES}
    flaws = [flaw.message for flaw in find_flaws([folder])]
    return Checked(
        [
            Comparison("rows that any network needs, at least", min(needed.values()), ROWS),
            Comparison("rows that any network needs, at most", max(needed.values()), ROWS),
            Comparison("tables", len(tables), len(SIZES)),
            Comparison(
                "tables of exactly these rows",
                len(tables) - len(wrong),
                len(SIZES),
                why=wrong[0] if wrong else "a file of some image size is not here",
            ),
        ],
        f"Flaws of the tables: {'; '.join(flaws) or 'none found'}.",
    )


def _keys(supernet: Supernet, size: int) -> set[str]:
    return {row_key(block) for block in supernet.geometry().catalogue(size).blocks}


def _amiss(supernet: Supernet, table: Table) -> str | None:
    """The first row that is missing or idle, by name."""
    needed, there = _keys(supernet, table.size), table.rows.keys()
    if missing := sorted(needed - there):
        return f"{table.path.name} has no row {missing[0]}"
    idle = sorted(there - needed)
    return f"{table.path.name} has the row {idle[0]}, which no network needs" if idle else None
