"""What is wrong with latency tables as they are: reported, never hidden, never mended.

Rows that are another table's bit for bit, rows that vary a lot, sums that fall where the image
grows. The published Note10 rows that other published tables carry are recognised by fingerprints,
so that a single table can be checked alone.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from itertools import combinations, pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

from attrs import frozen

from ofa_plugins_core.config import read_json
from ofa_plugins_core.tables import Table, TableFolder

NOISY: Final = 0.1
"""Coefficient of variation above which a row is flagged."""

FINGERPRINTS: Final = Path(__file__).parent / "published_tables.json"
"""Per published table: digests of whole files, and of the rows that others were seen to copy."""

_MBCONV: Final = re.compile(r"expanded_conv-input:\d+x\d+x(\d+)-.*-expand:(\d+)-")

Place: TypeAlias = tuple[int, str]
"""Image size and key of a row."""


@frozen
class CopiedRows:
    """Rows that stand bit for bit in another table too: they were not measured on both devices.

    Attributes:
        table: name of the table. other: whose rows they are, or which table shares them.
        rows: the places. total: how many rows were looked at.
        known: the other is the origin; otherwise either may be.
    """

    table: str
    other: str
    rows: tuple[Place, ...]
    total: int
    known: bool

    @property
    def message(self) -> str:
        """One line for the user."""
        kinds = ", ".join(sorted({_kind(key) for _, key in self.rows}))
        what = "are copied" if self.known else "are the same"
        return (
            f"latency table {self.table}: {len(self.rows)} of {self.total} rows{self._each()} "
            f"{what}, bit for bit, {'from' if self.known else 'in'} {self.other} ({kinds}): they "
            "tell nothing of this device"
        )

    def _each(self) -> str:
        """How many a size, where that is one number."""
        sizes = [size for size, _ in self.rows]
        counts = {sizes.count(size) for size in sizes}
        same = len(set(sizes)) > 1 and len(counts) == 1
        return f" ({counts.pop()} at each of {len(set(sizes))} image sizes)" if same else ""


@frozen
class NoisyRows:
    """Rows whose standard deviation is more than a tenth of their mean.

    Attributes:
        rows: (image size, key, coefficient of variation), the worst first. total: looked at.
        typical, largest: median and maximum over the rows of elastic blocks.
        largest_fixed: maximum over the other rows (stem, block 0, pooling, classifier, …).
    """

    table: str
    rows: tuple[tuple[int, str, float], ...]
    total: int
    typical: float
    largest: float
    largest_fixed: float

    @property
    def message(self) -> str:
        """One line for the user."""
        return (
            f"latency table {self.table}: {len(self.rows)} of {self.total} rows vary by more than "
            f"{NOISY:.0%} of their mean (coefficient of variation: elastic rows median "
            f"{self.typical:.2g}, at most {self.largest:.2g}; other rows at most "
            f"{self.largest_fixed:.2g})"
        )


@frozen
class FallingSums:
    """Image sizes at which the sum of all rows is less than at the next smaller one.

    Attributes:
        steps: (smaller size, larger size, sum at each, ms). total: steps looked at.
    """

    table: str
    steps: tuple[tuple[int, int, float, float], ...]
    total: int

    @property
    def message(self) -> str:
        """One line for the user."""
        small, large, before, after = max(self.steps, key=lambda s: s[2] - s[3])
        return (
            f"latency table {self.table}: the sum of all rows falls at {len(self.steps)} of "
            f"{self.total} steps to a larger image, most from {small} to {large} px "
            f"({before:.4g} to {after:.4g} ms)"
        )


Flaw: TypeAlias = CopiedRows | NoisyRows | FallingSums


def find_flaws(
    folders: Sequence[TableFolder], sizes: Sequence[int] | None = None
) -> tuple[Flaw, ...]:
    """What is wrong with one table or several; several are also compared with each other.

    Args:
        folders: the tables.
        sizes: image sizes to look at where a table has them; None: all.

    Raises:
        InputError: a file is broken.
    """
    read = {
        folder: [folder.table(s) for s in folder.sizes if sizes is None or s in sizes]
        for folder in folders
    }
    copies = {folder: _known_copies(tables) for folder, tables in read.items()}
    found: list[Flaw] = [c for known in copies.values() for c in known]
    told = {(c.table, place) for c in found if isinstance(c, CopiedRows) for place in c.rows}
    for one, two in combinations(read, 2):
        if one.path.resolve() != two.path.resolve():
            found += _shared(read[one], read[two], told)
    for tables in read.values():
        found += [*_noisy(tables), *_falling(tables)]
    return tuple(found)


def published_name(table: Table) -> str | None:
    """The name of the published table that this is, or None: its rows are compared, all of them."""
    whole = _whole_digest(table)
    return next((n for n, known in _known().items() if whole in known["tables"]), None)


def row_digest(key: str, mean: float) -> str:
    """What a row is recognised by: a hash of its key and the bytes of its mean."""
    return sha256(f"{key}\0".encode() + struct.pack("<d", mean)).hexdigest()[:12]


def fingerprint(folder: TableFolder) -> dict[str, list[str]]:
    """Digests to recognise a table by: its files, and its rows of blocks that are not elastic."""
    tables = [folder.table(s) for s in folder.sizes]
    rows = {row_digest(k, r.mean) for t in tables for k, r in t.rows.items() if not _elastic(k)}
    return {"tables": [_whole_digest(t) for t in tables], "rows": sorted(rows)}


def _whole_digest(table: Table) -> str:
    digests = sorted(row_digest(key, row.mean) for key, row in table.rows.items())
    return sha256("".join(digests).encode()).hexdigest()[:12]


@cache
def _known() -> Mapping[str, Mapping[str, frozenset[str]]]:
    data: dict[str, Any] = read_json(FINGERPRINTS)
    return {name: {k: frozenset(v) for k, v in known.items()} for name, known in data.items()}


def _known_copies(tables: Sequence[Table]) -> Iterator[CopiedRows]:
    """Rows of published tables in a table that is not that one."""
    total = sum(len(t.rows) for t in tables)
    foreign = [t for t in tables if published_name(t) is None]
    for name, known in _known().items():
        rows = tuple(
            (t.size, key)
            for t in foreign
            for key, row in t.rows.items()
            if row_digest(key, row.mean) in known["rows"]
        )
        if rows:
            yield CopiedRows(tables[0].name, f"the published {name} table", rows, total, True)


def _shared(
    mine: Sequence[Table], others: Sequence[Table], told: set[tuple[str, Place]]
) -> Iterator[CopiedRows]:
    """Rows that two tables share and that are not known as a third one's."""
    by_size = {t.size: t for t in others}
    rows = tuple(
        (t.size, key)
        for t in mine
        if t.size in by_size
        for key, row in t.rows.items()
        if key in by_size[t.size].rows
        and row.mean == by_size[t.size].rows[key].mean
        and not {(t.name, (t.size, key)), (others[0].name, (t.size, key))} & told
    )
    if rows:
        total = sum(len(t.rows) for t in mine)
        yield CopiedRows(mine[0].name, others[0].name, rows, total, False)


def _noisy(tables: Sequence[Table]) -> Iterator[NoisyRows]:
    every = [(t.size, key, row.variation) for t in tables for key, row in t.rows.items()]
    rows = sorted((r for r in every if r[2] > NOISY), key=lambda r: -r[2])
    if rows:
        elastic = [v for _, key, v in every if _elastic(key)] or [0.0]
        fixed = [v for _, key, v in every if not _elastic(key)] or [0.0]
        yield NoisyRows(
            tables[0].name, tuple(rows), len(every), median(elastic), max(elastic), max(fixed)
        )


def _falling(tables: Sequence[Table]) -> Iterator[FallingSums]:
    steps = [(a.size, b.size, a.total(), b.total()) for a, b in pairwise(tables)]
    falling = tuple(s for s in steps if s[3] < s[2])
    if falling:
        yield FallingSums(tables[0].name, falling, len(steps))


def _elastic(key: str) -> bool:
    """A row of an elastic block: block 0 alone expands to as many channels as it gets."""
    match = _MBCONV.match(key)
    return key.startswith("bottleneck") or (match is not None and match[1] != match[2])


def _kind(key: str) -> str:
    name = key.partition("-")[0]
    return "block 0" if name == "expanded_conv" and not _elastic(key) else name
