"""What was possible: the best levels in hindsight for the images of a run, and what it missed.

The value of an inference is its level's accuracy if it was within the limit, else 0. The images
keep their start times, load, limit and noise; only levels differ. A switch makes the first
inference longer, so the best sequence is found by dynamic programming over images and levels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from dynamic_ofa.ledger import Inference
from dynamic_ofa.simulating.simulator import Played
from ofa_plugins_core.interfaces import Level

Values = NDArray[np.float64]


@frozen(eq=False)
class Optimum:
    """The best levels in hindsight.

    Attributes:
        inferences: the same images at those levels; they end where these levels end, but begin
            where the run's did.
        value: mean, percent. regret: by which the run's mean value is lower, percentage points.
    """

    inferences: Sequence[Inference]
    value: float
    regret: float


def optimum_of(played: Played, levels: Sequence[Level], switch_ms: float = 0.0) -> Optimum:
    """The best levels for the images of a run.

    Args:
        switch_ms: by which the first inference after a switch is longer.

    Returns:
        Of equally good sequences one that stays where it can.
    """
    limits = np.array([i.limit_ms for i in played.inferences])
    latencies = played.slowdowns[:, None] * np.array([level.latency for level in levels])
    accuracy = np.array([level.accuracy for level in levels])
    stay = np.where(latencies <= limits[:, None], accuracy, 0.0)
    switch = np.where(latencies + switch_ms <= limits[:, None], accuracy, 0.0)
    chosen = best_sequence(stay, switch)
    rows = np.arange(len(chosen))
    changed = np.concatenate([[False], chosen[1:] != chosen[:-1]])
    values = np.where(changed, switch[rows, chosen], stay[rows, chosen])
    mean = float(values.mean())
    own = np.array([0.0 if i.late else levels[i.level].accuracy for i in played.inferences])
    found = [
        Inference(
            time_s=seen.time_s + (float(latency) - seen.latency_ms) / 1000,
            level=int(level),
            latency_ms=float(latency),
            limit_ms=seen.limit_ms,
        )
        for seen, level, latency in zip(
            played.inferences, chosen, latencies[rows, chosen] + switch_ms * changed, strict=True
        )
    ]
    return Optimum(found, mean, max(0.0, mean - float(own.mean())))  # sums are rounded


def best_sequence(stay: Values, switch: Values) -> NDArray[np.intp]:
    """The levels of the greatest sum.

    Args:
        stay: (images, levels) value of an image at a level that ran before it, too.
        switch: the same at a level that did not; nowhere more.

    Returns:
        (images,) numbers of levels; the first image pays no switch.
    """
    count, wide = stay.shape
    own, total = np.arange(wide), stay[0].copy()
    came_from = np.zeros((count, wide), dtype=np.intp)
    for image in range(1, count):
        best = int(total.argmax())
        staying, coming = total + stay[image], total[best] + switch[image]
        stays = staying >= coming
        came_from[image] = np.where(stays, own, best)
        total = np.where(stays, staying, coming)
    chosen = np.zeros(count, dtype=np.intp)
    chosen[-1] = int(total.argmax())
    for image in range(count - 1, 0, -1):
        chosen[image - 1] = came_from[image, chosen[image]]
    return chosen
