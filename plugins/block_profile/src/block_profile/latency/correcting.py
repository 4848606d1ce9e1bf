"""Latencies that were measured one after another, brought to one speed of the device.

A machine does not keep its speed over hours. A reference network takes turns with every group of
networks: where it was slow, all was slow.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from attrs import field, frozen
from attrs.validators import gt, optional

from ofa_plugins_core.latency_fits import Values


@frozen
class Raw:
    """What was found of a network, as it was found.

    Attributes:
        ms: its mean, or what a cost says.
        reference: the reference's mean in the same rounds, ms; None where none took turns.
    """

    ms: float = field(validator=gt(0))
    reference: float | None = field(default=None, validator=optional(gt(0)))


@frozen
class Correction:
    """How latencies were brought to one speed.

    Attributes:
        level: median of the reference's means, ms: the speed to which all are brought.
        least, most: of the reference's means, ms.
        largest: of the corrections, as a part of what was measured: 0.1 is 10 % up or down.
    """

    level: float
    least: float
    most: float
    largest: float

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "by": "a reference network that took turns with each group",
            "unit": "ms",
            "reference": {"median": self.level, "least": self.least, "most": self.most},
            "largest": self.largest,
        }

    def __str__(self) -> str:
        """For the terminal."""
        span = f"{self.least:.4g} to {self.most:.4g} ms"
        return f"by a reference, {span} over the run; by {100 * self.largest:.2g} % at most"


def corrected(found: Sequence[Raw]) -> tuple[Values, Correction | None]:
    """Latencies (n,), ms, at the reference's median speed; as they are where it took no turns.

    Args:
        found: all with a reference, or all without.
    """
    latency = np.array([one.ms for one in found], dtype=float)
    beside = np.array([one.reference for one in found if one.reference is not None], dtype=float)
    if not beside.size:
        return latency, None
    level = float(np.median(beside))
    factor = level / beside
    ends = float(beside.min()), float(beside.max())
    return latency * factor, Correction(level, *ends, float(np.abs(factor - 1).max()))
