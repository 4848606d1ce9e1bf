"""How well predictions agree with measurements: rank correlations and the error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import frozen

from ofa_plugins_core.correlations import kendall, spearman


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
