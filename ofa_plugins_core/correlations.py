"""How well one series follows another: of values, of ranks, of pairs' order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def pearson(one: Values, two: Values) -> float | None:
    """Correlation of values, -1 to 1; None where a side is constant."""
    a, b = one - one.mean(), two - two.mean()
    scale = float(np.sqrt((a * a).sum()) * np.sqrt((b * b).sum()))
    return float(np.clip((a * b).sum() / scale, -1.0, 1.0)) if scale else None


def spearman(one: Values, two: Values) -> float | None:
    """Correlation of ranks, ties sharing their mean rank; None where a side is constant."""
    a, b = (_ranks(v) - (len(v) - 1) / 2 for v in (one, two))
    scale = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float(np.clip((a * b).sum() / scale, -1.0, 1.0)) if scale else None


def _ranks(values: Values) -> Values:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    ranks: Values = (ends - (counts + 1) / 2)[inverse]
    return ranks


def kendall(one: Values, two: Values) -> float | None:
    """Kendall's tau-b (1945), ties counted; None where a side is constant."""
    together = first = second = 0
    for row in range(len(one) - 1):  # a row at a time: a table of all pairs would be large
        a, b = np.sign(one[row + 1 :] - one[row]), np.sign(two[row + 1 :] - two[row])
        together += int((a * b).sum())
        first += int(np.abs(a).sum())
        second += int(np.abs(b).sum())
    return together / float(np.sqrt(first) * np.sqrt(second)) if first and second else None
