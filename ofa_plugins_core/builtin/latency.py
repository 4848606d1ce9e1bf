"""Latency from tables: the sum of a network's rows, so it is searched exactly.

Source of the keys and of the additive estimate: the published look-up tables of Once-for-All
(ICLR 2020); specs give their form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen
from numpy.typing import NDArray

from ofa_plugins_core.entries import CostModelEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.interfaces import Archs, Supernet
from ofa_plugins_core.pricing import evaluate_separable
from ofa_plugins_core.separable import Separable
from ofa_plugins_core.values import Kind

if TYPE_CHECKING:  # tables are read by those who use them; the entry is listed by everyone
    from ofa_plugins_core.tables import Table, TableFolder  # noqa: TC004  # never structured

PUBLISHED_WIDTHS: Final[Mapping[tuple[int, ...], str]] = {
    (24, 32, 48, 96, 136, 192, 1152, 1536): "ofa_mbv3_w1.2",
}
"""Widths that the published tables are for: block 0, stages, final expand, feature mix."""


@frozen
class LatencyOptions:
    """Options of ``latency``."""

    qualifier: str | None = field(default=None, metadata={"help": "name of the table"})
    folder: Path | None = field(default=None, metadata={"help": "folder with the table's files"})
    lut_as: str | None = field(
        default=None, metadata={"help": "the supernet as which networks are priced"}
    )


@frozen(eq=False, slots=False)
class TableLatency:
    """Latency of networks by a table, in ms.

    Attributes:
        name: ``latency@`` and the table's name.
        supernet: whose networks are priced; already ``priced_as`` another where one is meant.
        folder: the tables.
        lut_as: name of the other supernet as which they are priced, or None.
    """

    name: str
    supernet: Supernet
    folder: TableFolder
    lut_as: str | None = None
    unit: str = field(default="ms", init=False)
    _tables: dict[int, Separable] = field(factory=dict, init=False, repr=False)

    @property
    def kind(self) -> Kind:
        """``published`` for a published table or convention, otherwise ``measured``."""
        return "published" if self.lut_as or self._published else "measured"

    @property
    def source(self) -> str:
        """The table, and whether its rows are another supernet's."""
        which = f"the published table {self._published}" if self._published else "the table"
        text = f"sum of rows of {which} in {self.folder.path}"
        if self.lut_as is None:
            return text
        return f"published convention: priced as {self.lut_as}, {text}"

    @cached_property
    def _published(self) -> str | None:
        from ofa_plugins_core.table_flaws import published_name

        sizes = [s for s in self.supernet.resolutions if s in self.folder.files]
        return published_name(self.folder.table(sizes[0])) if sizes else None

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Image sizes that the table has, in pixels."""
        return self.folder.sizes

    def separable(self, size: int) -> Separable:
        """The rows as tables over genes, at one image size (pixels).

        Raises:
            InputError: no table for the size, a broken one, or rows that it does not have.
        """
        from ofa_plugins_core.tables import row_key

        if size not in self._tables:
            table = self.folder.table(size)
            self._check_rows(table)
            self._tables[size] = self.supernet.geometry().separable(
                size, lambda block: table.rows[row_key(block)].mean, "sum"
            )
        return self._tables[size]

    def _check_rows(self, table: Table) -> None:
        from ofa_plugins_core.tables import row_key

        blocks = self.supernet.geometry().catalogue(table.size).blocks
        missing = sorted({row_key(b) for b in blocks} - table.rows.keys())
        if not missing:
            return
        shown = "; ".join(missing[:3]) + ("; …" if len(missing) > 3 else "")
        fits, name = rows_are_of(table), self.supernet.name
        advice = f"measure a table for {name} with: ofa run lut"
        if fits in PUBLISHED_WIDTHS.values() and fits != self.lut_as:
            advice += (
                f"; or, where both have the same choices, price it as that one: --lut-as {fits}"
            )
        raise InputError(
            f"{table.path}: {len(missing)} rows that {name} needs are missing ({shown}); "
            f"the table has rows of {fits}",
            advice=advice,
        )

    def evaluate(self, archs: Archs) -> NDArray[Any]:
        """(n,) latencies in ms of exchange dicts, Archs, or an encoded (n, genes) array.

        Raises:
            InputError: as ``separable``; or an architecture is not of the supernet's space.
        """
        return evaluate_separable(self.supernet.space, self.separable, archs)

    def notices(self) -> Sequence[Notice]:
        """What is wrong with the table at the supernet's image sizes, for the user."""
        from ofa_plugins_core.table_flaws import find_flaws

        flaws = find_flaws([self.folder], self.supernet.resolutions)
        return [Notice(flaw.message) for flaw in flaws]


def rows_are_of(table: Table) -> str:
    """The supernet that a table is for, by the widths in its keys; or these widths."""
    found: set[int] = set()
    tail: list[int] = []
    for key in table.rows:
        name, *fields = key.split("-")
        shapes = dict(f.partition(":")[::2] for f in fields)
        channels = shapes.get("output", "").split("x")[-1]
        if not channels.isdigit():
            continue
        if name in ("Conv_1", "Conv_2"):
            tail.append(int(channels))
        elif name == "expanded_conv":
            found.add(int(channels))
    widths = (*sorted(found), *sorted(tail))
    return PUBLISHED_WIDTHS.get(widths, f"a network of widths {', '.join(map(str, widths))}")


def _build(supernet: Supernet, options: LatencyOptions) -> TableLatency:
    from ofa_plugins_core.tables import TableFolder

    if options.folder is None:
        name = options.qualifier or "NAME"
        raise UsageError(
            f"latency@{name} needs its table",
            advice=f"--lut {name}=FOLDER, a folder with <size>_lookup_table.json or .yaml files",
        )
    folder = TableFolder.open(options.folder, options.qualifier)
    return TableLatency(f"latency@{folder.name}", supernet, folder, options.lut_as)


def entry() -> CostModelEntry:
    """The cost ``latency@NAME``."""
    return CostModelEntry(
        "latency",
        "latency by a table of ops: the sum of its rows (latency@NAME with --lut FOLDER)",
        "ms",
        _build,
        LatencyOptions,
        qualified=True,
    )
