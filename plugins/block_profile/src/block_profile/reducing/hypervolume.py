"""How much of the plane a front of accuracy against one cost dominates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ofa_plugins_core.pareto import non_dominated

Front = NDArray[np.float64]  # (n, 2): accuracy in percent, cost


def hypervolume(front: Front, reference: tuple[float, float]) -> float:
    """The area between a front and a reference point, in percent times the cost's unit.

    Args:
        front: (n, 2) accuracies and costs, in any order; what is beaten adds nothing.
        reference: accuracy and cost; a point that is worse in one of them adds nothing.
    """
    inside = front[(front[:, 0] > reference[0]) & (front[:, 1] < reference[1])]
    if not len(inside):
        return 0.0
    points = np.stack([inside[:, 1], -inside[:, 0]], axis=1)
    points = points[non_dominated(points)]  # sorted by cost, accuracy rising
    widths = np.diff([*points[:, 0], reference[1]])
    return float((widths * (-points[:, 1] - reference[0])).sum())


def nadir(fronts: Sequence[Front]) -> tuple[float, float]:
    """The worst accuracy and the worst cost of any point of any front."""
    points = np.concatenate(fronts)
    return float(points[:, 0].min()), float(points[:, 1].max())
