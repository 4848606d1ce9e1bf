"""Claims about candidates and level tables, from a user's copies of the published files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dynamic_ofa.claims.figures import GPU, Points
from dynamic_ofa.levels.choosing import published_front, strict_front
from dynamic_ofa.levels.finding import find_table
from dynamic_ofa.levels.points import read_points
from dynamic_ofa.levels.published import SUPERNET
from dynamic_ofa.levels.table import LevelTable
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.geometry import Geometry
from ofa_plugins_core.values import ArchLike

TABLES: Final[Mapping[str, Points]] = {
    "nets_6": (
        (74.202, 41.16),
        (74.968, 45.42),
        (76.134, 49.44),
        (77.540, 51.08),
        (78.346, 56.75),
        (79.030, 61.73),
    ),
    "nets_7": (
        (73.178, 37.53),
        (74.540, 41.49),
        (75.226, 45.36),
        (76.388, 47.32),
        (77.034, 48.14),
        (77.748, 51.32),
        (78.050, 59.10),
    ),
}
"""Published table -> (top-1 in percent, latency in ms) of its levels."""
ROUNDED: Final = 0.05
"""Half of the last digit of the figure's points."""


def filtered(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The published rule on the published candidates."""
    points, _ = read_points(files["candidates_63"])
    return Checked(
        [
            Comparison("candidates", len(points), 63, kind="published"),
            Comparison("left by the published rule", len(published_front(points)), 27),
            Comparison(
                "left where a point need only be no worse on both axes",
                len(strict_front(points)),
                None,
                relation="shown",
            ),
        ],
        "The rule drops a point where another is strictly better on both axes. The authors then "
        "trimmed the 27 to 22 by hand, which no rule repeats.",
    )


def tables(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """Both published tables, read without running anything that is in them.

    Accuracies and latencies can only be read; a level's statistics are of its network, or not.
    """
    geometry = context.host.supernet(SUPERNET).geometry()
    read = {name: levels_of(files[name], name) for name in TABLES}
    sizes = [kib for table in read.values() for kib in _kib(table)]
    return Checked(
        [
            *(_fitting(name, table, geometry) for name, table in read.items()),
            *(_as_quoted(name, table) for name, table in read.items()),
            *(
                Comparison(f"batch norm statistics of a level, {word}", size, None, "KiB",
                           "published", "shown")
                for word, size in (("least", min(sizes)), ("most", max(sizes)))
            ),
        ],
        "Both are pickles: what is no data in them is refused, and nothing of them is run. The "
        "norms of a level's network, and their channels, are counted from its configuration.",
    )  # fmt: skip


def figure(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The figure's GPU points beside the levels of the table that came with the program."""
    levels = levels_of(files["nets_6"], "nets_6").policy_levels()
    pairs = list(enumerate(zip(levels, GPU, strict=True)))
    accuracies = [
        Comparison(f"level {n}: top-1", mine.accuracy, top1, "%", "published", within=ROUNDED)
        for n, (mine, (top1, _)) in pairs
    ]
    why = (
        "the table came with the program and is not the figure's; under which conditions either "
        "was measured is not said"
    )
    latencies = [
        Comparison(
            f"level {n}: latency", mine.latency, ms, "ms", "published", within=ROUNDED, why=why
        )
        for n, (mine, (_, ms)) in pairs
    ]
    said = "The levels of nets_6; held to half of the figure's last digit."
    return Checked([*accuracies, *latencies], said)


def levels_of(path: Path, name: str) -> LevelTable:
    """A user's copy of one of the two published tables.

    Raises:
        InputError: it is missing, broken, asks for what is no data, or has other levels.
    """
    table, due = find_table(str(path)), len(TABLES[name])
    if len(table.levels) != due:
        raise InputError(
            f"{path} has {len(table.levels)} levels; {name} has {due}",
            advice=f"--given {name}=FILE says where the published {name}.pickle is",
        )
    return table


def _fitting(name: str, table: LevelTable, geometry: Geometry) -> Comparison:
    """Levels with statistics of their own network: norm after norm as many channels."""
    fits = sum(
        row.statistics is not None and row.statistics.widths == widths_of(geometry, row.arch)
        for row in table.levels
    )
    what = f"{name}: levels whose statistics are of their network"
    return Comparison(what, fits, len(TABLES[name]))


def widths_of(geometry: Geometry, arch: ArchLike) -> tuple[int, ...]:
    """Channels of each batch norm of a network, in the order in which they run."""
    ops = (op for block in geometry.blocks(arch) for op in block.ops)
    return tuple(op.channels_out for op in ops if op.norm)


def _as_quoted(name: str, table: LevelTable) -> Comparison:
    """Levels with the top-1 and the latency that are known of them, to the last digit quoted."""
    read = [(round(row.accuracy.value, 3), round(row.latency.value, 2)) for row in table.levels]
    same = sum(mine == quoted for mine, quoted in zip(read, TABLES[name], strict=True))
    what = f"{name}: levels of the top-1 and latency that are quoted of it"
    return Comparison(what, same, len(TABLES[name]), kind="published")


def _kib(table: LevelTable) -> list[float]:
    """Of each level that has statistics.

    Raises:
        InputError: none has.
    """
    found = [row.statistics.values.nbytes / 1024 for row in table.levels if row.statistics]
    if not found:
        raise InputError(f"{table.source}: no level has batch norm statistics")
    return found
