"""What ``ofa run lut`` returns: the table with its worth, or what is wrong with tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.config import plain
from ofa_plugins_core.jobs.results import INTERRUPTED, Row, number
from ofa_plugins_core.own_tables import OwnTable
from ofa_plugins_core.table_flaws import NOISY
from ofa_plugins_core.table_model import FEWEST, FormFit, TableError
from ofa_plugins_core.values import Measurement
from ofa_plugins_core.words import counted, duration, durations

SHOWN: Final = 10
"""Noisy rows that are shown; all are in the table."""


@frozen(eq=False)
class ShownPlan:
    """What would be measured.

    Attributes:
        supernet, device: by name. described: the device.
        rows: image size -> keys of its table. new: how many of them are measured there.
        parts, networks: how many. seconds: estimated, from and to.
    """

    supernet: str
    device: str
    described: Mapping[str, str]
    rows: Mapping[int, Sequence[str]]
    new: Mapping[int, int]
    parts: int
    networks: int
    seconds: tuple[float, float]

    worth_keeping = False

    @property
    def total(self) -> int:
        """Distinct blocks."""
        return sum(self.new.values())

    def as_json(self) -> dict[str, Any]:
        """Numbers, with the estimate as what it is."""
        return {
            "supernet": self.supernet,
            "device": dict(self.described),
            "rows": {str(s): len(keys) for s, keys in self.rows.items()},
            "distinct": self.total,
            "keys": {str(s): list(keys) for s, keys in self.rows.items()},
            "parts": self.parts,
            "networks": self.networks,
            "time": Measurement(self.seconds[1], "s", "predicted", None, *self.seconds).as_dict(),
        }

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        rows = [[f"{s} px", str(len(k)), str(self.new[s])] for s, k in self.rows.items()]
        rows += [["parts of blocks", "", str(self.parts)]] if self.parts else []
        rows += [["whole networks", "", str(self.networks)]] if self.networks else []
        title = f"{self.supernet} on {self.device}: {durations(*self.seconds)}"
        return [(title, ["", "rows", "to measure"], rows)]


@frozen(eq=False)
class LutResult:
    """A table that was measured.

    Attributes:
        run: its folder, or None.
        table: whole; None where it was interrupted.
        done, total: rows measured, and due.
        split: error of the sum of parts, where they were measured, too.
        seconds: of measuring.
        interrupted: the user stopped it; --resume goes on.
        installed: where it was installed, or None.
    """

    run: Path | None
    table: OwnTable | None
    done: int
    total: int
    split: Sequence[FormFit] = ()
    seconds: float = 0.0
    interrupted: bool = False
    installed: Path | None = None

    @property
    def exit_code(self) -> int:
        """130 where it was interrupted."""
        return INTERRUPTED if self.interrupted else 0

    @property
    def noisy(self) -> list[tuple[int, str, float]]:
        """(image size, key, coefficient of variation) of rows over 0.1, the worst first.

        A block that several sizes share was measured once: it is the smallest one's.
        """
        if self.table is None:
            return []
        every: dict[str, tuple[int, str, float]] = {}
        for size, rows in self.table.rows.items():
            for key, row in rows.items():
                every.setdefault(key, (int(size), key, row.variation))
        return sorted((r for r in every.values() if r[2] > NOISY), key=lambda r: -r[2])

    def as_json(self) -> dict[str, Any]:
        """Everything but the rows, which are in table.json."""
        found: dict[str, Any] = {"run": None if self.run is None else str(self.run)}
        found |= {"rows": self.done, "of": self.total, "seconds": self.seconds}
        found["interrupted"] = self.interrupted
        if self.table is None:
            return found
        table = self.table
        found |= {
            "supernet": table.supernet,
            "device": table.device,
            "batch": table.batch,
            "sizes": [int(s) for s in table.rows],
            "swing": list(table.swing),
            "noisy": [{"size": s, "key": k, "variation": v} for s, k, v in self.noisy],
            "correction": plain(table.correction),
            "error": None if table.error is None else _error(table.error),
            "forms": [_form(f) for f in table.forms],
            "split": [_form(f) for f in self.split],
            "networks": len(table.networks),
        }
        if self.installed is not None:
            found["installed"] = str(self.installed)
        return found

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        if self.table is None or self.interrupted:
            said = f"interrupted: {self.done:,} of {self.total:,} rows; --resume goes on"
            return [(said, (), ())]
        return [_about(self, self.table), *_noise(self), *_forms(self)]


def _error(error: TableError) -> dict[str, Any]:
    return {
        "networks": error.networks,
        "mape": {"value": error.mape, "unit": "%", "kind": "measured"},
        "spearman": error.spearman,
        "pearson": error.pearson,
        "seen_mape": error.seen_mape,
        "interval": None if error.low is None else [error.low, error.high],
    }


def _form(fit: FormFit) -> dict[str, Any]:
    return {
        "form": fit.form,
        "correction": plain(fit.correction),
        "error": _error(fit.error),
    }


def _about(result: LutResult, table: OwnTable) -> Row:
    rows = [
        ["device", table.where],
        ["rows", f"{result.done:,} measured, for {counted(len(table.rows), 'image size')}"],
        ["noisy rows", f"{len(result.noisy):,} of them: coefficient of variation over {NOISY}"],
        ["time", duration(result.seconds)],
        ["speed meanwhile", _swing(table)],
    ]
    if table.error is not None:
        rows += _worth(table.error)
    if result.installed is not None:
        rows.append(["installed as", f"latency@{result.installed.name}"])
    return (f"latency table of {table.supernet}", ["", ""], rows)


def _worth(error: TableError) -> list[list[str]]:
    """What a table's error is, or that it is not known."""
    rows = [
        ["held against", f"{error.networks} whole networks, measured here"],
        ["error (MAPE)", f"{error.mape:.2f} % of a network left out, at its mean speed"],
    ]
    if error.seen_mape is not None:
        rows.append(["with the swings", f"{error.seen_mape:.2f} % of what it took at its moment"])
    rows.append(["rank correlation", number_or_none(error.spearman)])
    if error.low is None or error.high is None:
        return [*rows, ["80 % interval", f"none: at least {FEWEST} networks are due"]]
    low, high = (f"{100 * (end - 1):+.1f}" for end in (error.low, error.high))
    return [*rows, ["80 % interval", f"{low} to {high} % of a predicted latency"]]


def _swing(table: OwnTable) -> str:
    if table.reference is None:
        return "not known"
    low, high = (f"{100 * part:.0f}" for part in table.swing)
    return f"a reference network took {low} to {high} % of its mean, {table.reference:.4g} ms"


def number_or_none(value: float | None) -> str:
    """A correlation, or that there is none."""
    return "none: one side is constant" if value is None else f"{value:.4f}"


def _noise(result: LutResult) -> list[Row]:
    if not result.noisy:
        return []
    rows = [[f"{size}", key, f"{value:.2f}"] for size, key, value in result.noisy[:SHOWN]]
    return [("noisiest rows", ["px", "row", "std / mean"], rows)]


def _forms(result: LutResult) -> list[Row]:
    """What each correction is worth, and what is lost where parts are added instead of blocks."""
    if result.table is None:
        return []
    columns = ["latency is", "scale", "ms a block", "ms a network", "MAPE %", "Spearman"]
    rows = [_form_row("blocks", f) for f in result.table.forms]
    rows += [_form_row("parts of blocks", f) for f in result.split]
    return [("corrections, on networks left out", columns, rows)] if rows else []


def _form_row(what: str, fit: FormFit) -> list[str]:
    name = f"sum of {what}" if fit.form == "sum" else f"sum of {what}, {fit.form}"
    c = fit.correction
    values = [f"{c.scale:.3f}", f"{c.per_block:+.4f}", f"{c.offset:+.3f}"]
    return [name, *values, f"{fit.error.mape:.2f}", number_or_none(fit.error.spearman)]


# ------------------------------------------------------------------------------- checked


@frozen(eq=False)
class CheckedTable:
    """A table that was looked at.

    Attributes:
        name: of the table. where: its folder. sizes: image sizes.
        rows: in all. flaws: a sentence each.
        lacking: image size -> rows that the supernet needs and the table has not.
        agreement: with measured latencies, where given.
        scale: least and greatest measured / summed.
        source: of a table of ours: device and error.
    """

    name: str
    where: Path
    sizes: Sequence[int]
    rows: int
    flaws: Sequence[str]
    lacking: Mapping[int, Sequence[str]]
    agreement: TableError | None = None
    scale: tuple[float, float] | None = None
    source: str | None = None

    def as_json(self) -> dict[str, Any]:
        """One element of the list."""
        found: dict[str, Any] = {
            "table": self.name,
            "folder": str(self.where),
            "sizes": list(self.sizes),
            "rows": self.rows,
            "flaws": list(self.flaws),
            "lacking": {str(s): list(keys) for s, keys in self.lacking.items()},
        }
        if self.source is not None:
            found["source"] = self.source
        if self.agreement is not None:
            found |= {"agreement": _error(self.agreement), "scale": list(self.scale or ())}
        return found


@frozen(eq=False)
class CheckResult:
    """What ``ofa run lut --lut`` returns."""

    supernet: str
    tables: Sequence[CheckedTable]

    def as_json(self) -> list[dict[str, Any]]:
        """An object a table."""
        return [table.as_json() for table in self.tables]

    def as_tables(self) -> list[Row]:
        """For the terminal."""
        return [self._shown(table) for table in self.tables]

    def _shown(self, table: CheckedTable) -> Row:
        rows = [["rows", f"{table.rows:,} at {counted(len(table.sizes), 'image size')}"]]
        rows += [["made", table.source]] if table.source else []
        rows += [["flaw", flaw] for flaw in table.flaws] or [["flaws", "none found"]]
        rows.append([f"for {self.supernet}", _lacking(table)])
        if table.agreement is not None and table.scale is not None:
            found, (low, high) = table.agreement, table.scale
            rows += [
                ["measured networks", number(found.networks)],
                ["Spearman", number_or_none(found.spearman)],
                ["Pearson", number_or_none(found.pearson)],
                ["measured / summed", f"{low:.2f} to {high:.2f}"],
                ["MAPE of the sum", f"{found.mape:.1f} %"],
            ]
        return (f"latency table {table.name}", ["", ""], rows)


def _lacking(table: CheckedTable) -> str:
    if not table.lacking:
        return "every row that it needs is there, at these sizes"
    size, keys = next(iter(table.lacking.items()))
    count = sum(map(len, table.lacking.values()))
    more = "; …" if len(keys) > 1 else ""
    return f"{counted(count, 'row')} that it needs missing, at {size} px {keys[0]}{more}"
