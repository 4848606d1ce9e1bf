"""Claims about candidates and level tables, from a user's copies of the published files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from dynamic_ofa.claims.figures import GPU, Points
from dynamic_ofa.levels.choosing import Point, published_front, strict_front
from dynamic_ofa.levels.finding import find_table
from dynamic_ofa.levels.points import read_points
from dynamic_ofa.levels.table import LevelTable
from ofa_plugins_core import Checked, Comparison, JobContext
from ofa_plugins_core.errors import InputError

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
KIB: Final = (82, 185)
"""Of one level's batch norm statistics, float32: the least and the most."""
ROUNDED: Final = 0.05
"""Half of the last digit of the figure's points."""


def filtered(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The published rule on the published candidates."""
    points, _ = read_points(files["candidates_63"])
    return Checked(
        [
            Comparison("candidates", len(points), 63),
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
    """Both published tables, read without running anything that is in them."""
    read = {name: levels_of(files[name], name) for name in TABLES}
    sizes = [kib for table in read.values() for kib in _kib(table)]
    return Checked(
        [
            *(row for name, table in read.items() for row in _rows(name, table)),
            Comparison("batch norm statistics of a level, least", min(sizes), KIB[0], "KiB",
                       within=0.5),
            Comparison("batch norm statistics of a level, most", max(sizes), KIB[1], "KiB",
                       within=0.5),
        ],
        "Both are pickles: what is no data in them is refused, and nothing of them is run.",
    )  # fmt: skip


def figure(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The figure's GPU points beside the levels of the table that came with the program."""
    levels = levels_of(files["nets_6"], "nets_6").policy_levels()
    pairs = list(enumerate(zip(levels, GPU, strict=True)))
    accuracies = [
        Comparison(f"level {n}: top-1", mine.accuracy, top1, "%", "published", within=ROUNDED)
        for n, (mine, (top1, _)) in pairs
    ]
    latencies = [
        Comparison(f"level {n}: latency", mine.latency, ms, "ms", "published", "shown")
        for n, (mine, (_, ms)) in pairs
    ]
    farthest = Comparison(
        "latency farthest from the figure's, by",
        max(abs(mine.latency - ms) for _, (mine, (_, ms)) in pairs),
        0.0,
        "ms",
        "published",
        within=ROUNDED,
        why="every level of the published table is faster than in the figure; under which "
        "conditions either was measured is not said",
    )
    said = "The levels of nets_6; held to half of the figure's last digit."
    return Checked([*accuracies, *latencies, farthest], said)


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


def _rows(name: str, table: LevelTable) -> Iterator[Comparison]:
    for number, (row, published) in enumerate(zip(table.levels, TABLES[name], strict=True)):
        found = (row.accuracy.value, row.latency.value)
        what = f"{name}, level {number}: top-1 in %, latency in ms"
        yield Comparison(what, _pair(found), _pair(published), kind="published")


def _pair(point: Point) -> str:
    return f"{point[0]:.3f}, {point[1]:.2f}"


def _kib(table: LevelTable) -> list[float]:
    """Of each level that has statistics.

    Raises:
        InputError: none has.
    """
    found = [row.statistics.values.nbytes / 1024 for row in table.levels if row.statistics]
    if not found:
        raise InputError(f"{table.source}: no level has batch norm statistics")
    return found
