"""Numbers as a table's column or a picture's cells show them: all in one form."""

from __future__ import annotations

from collections.abc import Iterable
from math import floor, log10
from typing import Final

from attrs import frozen

WHOLE: Final = frozenset({"items", "count", "MACs", "bytes"})
"""Units of things that are counted: no decimals."""
_SCALES: Final = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


@frozen
class Form:
    """How numbers of one unit are written beside each other.

    Attributes:
        decimals: of a value in full.
        scale, suffix, step: of a difference: divided by, written behind, decimals.
    """

    decimals: int
    scale: float
    suffix: str
    step: int

    @classmethod
    def of(cls, values: Iterable[float | None], unit: str) -> Form:
        """For these values of a unit; None stands for one that is not known."""
        most = max((abs(v) for v in values if v is not None), default=0.0)
        decimals = 0 if unit in WHOLE or most >= 10_000 else 2
        scale, suffix = next(((s, x) for s, x in _SCALES if most >= s), (1.0, ""))
        digits = floor(log10(most / scale)) if most else 0
        if suffix:
            return cls(decimals, scale, suffix, max(2 - digits, 1))
        return cls(decimals, 1.0, "", 0 if unit in WHOLE else max(2 - digits, 0))

    def full(self, value: float | None) -> str:
        """``12,345`` or ``41.82``."""
        return "–" if value is None else f"{value:,.{self.decimals}f}"

    def signed(self, value: float | None) -> str:
        """``+1.20M``, ``−0.35``; without the suffix what would round to nothing with it."""
        if value is None:
            return "–"
        text = f"{abs(value) / self.scale:.{self.step}f}"
        if float(text):
            return f"{'+' if value > 0 else '−'}{text}{self.suffix}"
        text = f"{abs(value):.{self.decimals}f}"
        return f"{'+' if value > 0 else '−'}{text}" if float(text) else "0"
