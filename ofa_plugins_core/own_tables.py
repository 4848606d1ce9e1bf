"""Our form of a latency table: one JSON file with the device, every row, and what it is worth.

``ofa run lut`` writes it as ``table.json``. The published form, one file an image size, has no
place for any of this; it is written beside, for other programs.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from attrs import evolve, field, frozen
from attrs.validators import ge, gt, optional

from ofa_plugins_core.config import read_json, structure
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.table_model import Correction, FormFit, TableError
from ofa_plugins_core.timing import Effort, Timed

FILE: Final = "table.json"
MODEL: Final = "latency.zip"
"""Of a fitted latency predictor, which may be installed in place of a table."""
FORMAT: Final = "ofa-latency-table"


@frozen(kw_only=True)
class OwnRow:
    """What was measured of one block; see ``timing.Timed``.

    Attributes:
        mean, std, half_width: ms; in a table at the device's typical speed, see ``levelled``.
        count, disturbed: passes that count, and that were set aside.
        conditions: of the device, by name with unit.
        reference: what the reference took at the same time, ms, with reference_half_width and
            reference_spread.
    """

    mean: float = field(validator=gt(0))
    std: float = field(validator=ge(0))
    count: int = field(validator=ge(1))
    half_width: float | None = None
    disturbed: int = 0
    conditions: dict[str, float] = field(factory=dict)
    reference: float | None = field(default=None, validator=optional(gt(0)))
    reference_half_width: float | None = None
    reference_spread: tuple[float, ...] = ()

    @classmethod
    def of(cls, timed: Timed) -> OwnRow:
        """A measurement as a row."""
        return cls(
            mean=timed.mean,
            std=timed.std,
            count=timed.count,
            half_width=_finite(timed.half_width),
            disturbed=timed.disturbed,
            conditions=dict(timed.conditions),
            reference=timed.reference,
            reference_half_width=_finite(timed.reference_half_width),
            reference_spread=timed.reference_spread,
        )

    def levelled(self, level: float | None) -> OwnRow:
        """As it would be while the reference takes ``level`` ms: what slowed both is taken out.

        How well the reference is known limits how well the row is: relative errors of a ratio add
        up as squares.
        """
        if level is None or self.reference is None:
            return self
        share = level / self.reference
        half = self.half_width
        if half is not None:
            beside = (self.reference_half_width or 0.0) / self.reference
            half = share * math.hypot(half, beside * self.mean)
        return evolve(self, mean=share * self.mean, std=share * self.std, half_width=half)

    @property
    def variation(self) -> float:
        """Coefficient of variation, std / mean."""
        return self.std / self.mean


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


@frozen(kw_only=True)
class OwnNetwork:
    """A whole network that the table was held against.

    Attributes:
        arch: exchange dict.
        sum: of its rows, ms. blocks: how many rows. split_sum: of the parts of its blocks, ms,
            where those were measured, too.
        measured: at the device's typical speed. seen: ms as it was at that moment.
    """

    arch: dict[str, Any]
    sum: float = field(validator=gt(0))
    blocks: int = field(validator=ge(1))
    measured: OwnRow
    seen: float = field(validator=gt(0))
    split_sum: float | None = None


@frozen(kw_only=True)
class OwnTable:
    """A latency table with all that is known of it.

    Attributes:
        supernet: whose blocks it holds. device: as it describes itself. batch: images a pass.
        effort: how each row was measured. made: UTC.
        reference: mean time of the reference while the table was measured, ms: the speed at which
            rows and networks are given. swing: its least and greatest part of that.
        rows: image size -> key -> row. parts: likewise of the parts of blocks, where measured.
        correction: from the sum of rows to a network's latency. error: of what that predicts.
        forms: all corrections that were tried, the best first.
        networks: that these come from.
    """

    format: Literal["ofa-latency-table"] = "ofa-latency-table"
    version: Literal[1] = 1
    supernet: str
    device: dict[str, str]
    batch: int = field(validator=ge(1))
    effort: Effort
    made: str = ""
    reference: float | None = None
    swing: tuple[float, float] = (1.0, 1.0)
    correction: Correction = Correction()
    error: TableError | None = None
    forms: list[FormFit] = field(factory=list)
    rows: dict[str, dict[str, OwnRow]]
    parts: dict[str, dict[str, OwnRow]] = field(factory=dict)
    networks: list[OwnNetwork] = field(factory=list)

    def __attrs_post_init__(self) -> None:
        """Raises ValueError for a table without rows, or with sizes that are none."""
        if not self.rows or not all(self.rows.values()):
            raise ValueError("rows: a table needs some at each image size")
        for size in (*self.rows, *self.parts):
            if not (re.fullmatch("[1-9][0-9]{1,4}", size) and 32 <= int(size) <= 65536):
                raise ValueError(f"rows: {size!r:.40} is no image size in pixels")

    @property
    def where(self) -> str:
        """The device in a few words, for sources and titles."""
        return device_words(self.device, self.batch)

    def published(self, size: int) -> dict[str, dict[str, float]]:
        """The rows of one image size in the published form."""
        return {
            key: {"count": row.count, "mean": row.mean, "std": row.std}
            for key, row in self.rows[str(size)].items()
        }


def device_words(device: Mapping[str, str], batch: int) -> str:
    """A device's description in a few words.

    Args:
        batch: images a pass.
    """
    threads = device.get("threads")
    words = [
        device.get("device", ""),
        device.get("model", ""),
        device.get("mode", ""),
        f"{threads} thread{'' if threads == '1' else 's'}" if threads else "",
        f"batch {batch}",
    ]
    return ", ".join(w for w in words if w)


def own_source(table: OwnTable, lut_as: str | None = None) -> str:
    """What stands behind a latency by a table of ours."""
    text = f"table of {table.supernet} measured on {table.where}"
    if lut_as is not None:
        return f"{text}; priced as {lut_as}: its error is not known"
    if table.error is None:
        return f"{text}; not validated"
    error = table.error
    text += f"; off by {error.mape:.2g} % on {error.networks} networks there"
    if error.seen_mape is None or error.seen_mape < 1.5 * error.mape:
        return text
    return f"{text}, by {error.seen_mape:.2g} % with the swings of its speed"


def read_own(path: Path) -> OwnTable:
    """Read a table of ours, strictly.

    Raises:
        InputError: it is broken, or of another program; names the place and the value found.
    """
    data = read_json(path)
    if data.get("format") != FORMAT:
        raise InputError(
            f"{path} is no latency table of ours: its format is {data.get('format')!r:.60}",
            advice=f"expected {FORMAT!r}; published tables lie one a size in a folder",
        )
    return structure(data, OwnTable, str(path), InputError)


def best_form(table: OwnTable, forms: list[FormFit]) -> OwnTable:
    """The table with the correction that does best on networks left out."""
    if not forms:
        return table
    return evolve(table, forms=forms, correction=forms[0].correction, error=forms[0].error)


# ------------------------------------------------------------------------------- installed


def user_folder() -> Path:
    """Where installed tables lie, a folder each by name; it need not exist."""
    if named := os.environ.get("OFA_TABLES"):
        return Path(named).expanduser()
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "ofa-plugins" / "tables"


def installed() -> dict[str, Path]:
    """Name -> folder of the tables, and of the fitted predictors, that the user installed."""
    try:
        found = sorted(user_folder().iterdir())
    except OSError:
        return {}
    return {p.name: p for p in found if any((p / f).is_file() for f in (FILE, MODEL))}
