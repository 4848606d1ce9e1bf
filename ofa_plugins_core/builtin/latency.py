"""Latency: by a table the sum of a network's rows, so it is searched exactly; or by running it.

Source of the keys and of the additive estimate: the published look-up tables of Once-for-All
(ICLR 2020); specs give their form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from attrs import evolve, field, frozen
from attrs.validators import ge, gt
from numpy.typing import NDArray

from ofa_plugins_core.entries import CostModelEntry
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.events import Listener, Notice
from ofa_plugins_core.interfaces import Archs, CostModel, Device, Supernet
from ofa_plugins_core.pricing import evaluate_separable
from ofa_plugins_core.separable import Factor, Separable, on_grid
from ofa_plugins_core.values import Kind
from ofa_plugins_core.words import counted

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
    unit: Literal["ms", "s", "us"] | None = field(
        default=None, metadata={"help": "of the table's numbers, where it is not ms"}
    )
    batch: int = field(default=1, validator=ge(1), metadata={"help": "measured: images a pass"})
    precision: float = field(
        default=0.02,
        validator=gt(0),
        metadata={"help": "measured: half width of the mean's 95 % interval, as a part of it"},
    )
    passes: int = field(default=60, validator=ge(2), metadata={"help": "measured: at most so many"})
    memo: bool = field(
        default=True, metadata={"help": "measured: keep results in the user's cache folder"}
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
        """``published`` for a published table or convention, else ``predicted``.

        Rows were measured; a sum of them was measured on no device.
        """
        if self.folder.own is not None:
            return "predicted"
        return "published" if self.lut_as or self._published else "predicted"

    @property
    def source(self) -> str:
        """The table, and whether its rows are another supernet's; the device, and the error."""
        if self.folder.own is not None:
            from ofa_plugins_core.own_tables import own_source

            return own_source(self.folder.own, self.lut_as)
        which = f"the published table {self._published}" if self._published else "the table"
        text = f"sum of rows of {which} in {self.folder.path}; its error is not known"
        if self.lut_as is None:
            return text
        return f"published convention: priced as {self.lut_as}, {text}"

    def interval(
        self, archs: Archs, values: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Ends of an 80 % interval of latencies (n,), ms; None for a table of unknown error."""
        error = None if self.folder.own is None or self.lut_as else self.folder.own.error
        if error is None or error.low is None or error.high is None:
            return None
        return values * error.low, values * error.high

    @cached_property
    def _published(self) -> str | None:
        from ofa_plugins_core.table_flaws import published_name

        if self.folder.own is not None:
            return None
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
        if size not in self._tables:
            self._tables[size] = self._priced(self.folder.table(size))
        return self._tables[size]

    def _priced(self, table: Table) -> Separable:
        from ofa_plugins_core.tables import row_key

        self._check_rows(table)
        own = self.folder.own
        if own is None:
            return self.supernet.geometry().separable(
                table.size, lambda block: table.rows[row_key(block)].mean, "sum"
            )
        fit = own.correction
        found = self.supernet.geometry().separable(
            table.size,
            lambda block: fit.scale * table.rows[row_key(block)].mean + fit.per_block,
            "sum",
        )
        offset = Factor("offset of the network", (), on_grid(np.array(fit.offset)))
        return Separable("sum", (*found.factors, offset))

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
            f"{table.path} lacks {counted(len(missing), 'row')} that {name} needs ({shown}); "
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
    from ofa_plugins_core.own_tables import FILE, installed
    from ofa_plugins_core.table_units import in_milliseconds
    from ofa_plugins_core.tables import TableFolder

    known = {n: place for n, place in installed().items() if (place / FILE).is_file()}
    if options.folder is None and options.qualifier is None and len(known) == 1:
        options = evolve(options, qualifier=next(iter(known)))
    place = options.folder or known.get(options.qualifier or "")
    if place is None:
        name = options.qualifier or "NAME"
        there = f"; installed: {', '.join(f'latency@{n}' for n in known)}" if known else ""
        raise UsageError(
            f"latency@{name} needs its table{there}",
            advice=f"--lut {name}=FOLDER with a table (`ofa run lut --device cpu` makes one for "
            "this machine), or --device NAME --measure",
        )
    folder = in_milliseconds(TableFolder.open(place, options.qualifier), options.unit)
    if folder.own is not None:  # what was measured is the network that runs
        supernet = supernet.as_built()
    return TableLatency(f"latency@{folder.name}", supernet, folder, options.lut_as)


def _measured(
    supernet: Supernet, options: LatencyOptions, device: Device, listener: Listener
) -> CostModel:
    from ofa_plugins_core.timed_costs import MeasuredCost, kept_memo, mean_time
    from ofa_plugins_core.timing import Effort

    effort = Effort(precision=options.precision, most=options.passes)
    memo = kept_memo() if options.memo else {}
    name = f"latency@{options.qualifier}" if options.qualifier else "latency"
    return MeasuredCost(
        name, "ms", supernet, device, mean_time, effort, options.batch, memo, listener
    )


def entry() -> CostModelEntry:
    """The cost ``latency@NAME``."""
    return CostModelEntry(
        "latency",
        "latency: by a table of ops (latency@NAME with --lut FOLDER), or by running (--measure)",
        "ms",
        _build,
        LatencyOptions,
        qualified=True,
        measured=_measured,
    )
