"""How well predictions agree with measurements: rank correlations and the error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Values = NDArray[np.float64]


@frozen
class Agreement:
    """Of predicted with measured values.

    Attributes:
        count: pairs.
        spearman: correlation of ranks, -1 to 1; None where one side is constant.
        kendall: tau-b, the same.
        rmse: root of the mean squared difference, in ``unit``.
        bias: mean of predicted minus measured, in ``unit``.
    """

    count: int
    spearman: float | None
    kendall: float | None
    rmse: float
    bias: float
    unit: str

    def as_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {
            "networks": self.count,
            "spearman": self.spearman,
            "kendall": self.kendall,
            "rmse": {"value": self.rmse, "unit": self.unit, "kind": "computed"},
            "bias": {"value": self.bias, "unit": self.unit, "kind": "computed"},
        }


def agreement(predicted: Sequence[float], measured: Sequence[float], unit: str) -> Agreement:
    """Compare pairs of values in the same unit; at least one pair."""
    one, two = np.asarray(predicted, float), np.asarray(measured, float)
    off = one - two
    rmse, bias = float(np.sqrt((off**2).mean())), float(off.mean())
    return Agreement(len(one), spearman(one, two), kendall(one, two), rmse, bias, unit)


def spearman(one: Values, two: Values) -> float | None:
    """Correlation of ranks, ties sharing their mean rank; None where a side is constant."""
    a, b = (_ranks(v) - (len(v) - 1) / 2 for v in (one, two))
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / scale if scale else None


def _ranks(values: Values) -> Values:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Values = (ends - (counts + 1) / 2)[inverse]
    return ranks


def kendall(one: Values, two: Values) -> float | None:
    """Kendall's tau-b (1945); None where a side is constant."""
    together = first = second = 0
    for row in range(len(one) - 1):  # a row at a time: a table of all pairs would be large
        a, b = np.sign(one[row + 1 :] - one[row]), np.sign(two[row + 1 :] - two[row])
        together += int((a * b).sum())
        first += int(np.abs(a).sum())
        second += int(np.abs(b).sum())
    return together / float(np.sqrt(first) * np.sqrt(second)) if first and second else None
