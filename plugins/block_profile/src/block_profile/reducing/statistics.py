"""Whether two lots of repeats differ: a permutation test on the difference of their means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from attrs import frozen

SHUFFLES: Final = 20_000
LEVEL: Final = 0.05
"""Below this probability a difference is called one."""

_NOISE: Final = 1e-12


@frozen
class Comparison:
    """One lot against another.

    Attributes:
        difference: of the means, the first less the second; more is better.
        p: probability of a difference as large, either way, if both lots were draws of one kind.
    """

    difference: float
    p: float

    def verdict(self, unit: str) -> str:
        """A sentence: "better by 0.55 % (p = 0.00005)", "no difference (p = 0.4)"."""
        if self.p >= LEVEL:
            return f"no difference (p = {self.p:.2g})"
        side = "better" if self.difference > 0 else "worse"
        by = abs(self.difference)
        said = f"{by:,.0f}" if by >= 10_000 else f"{by:.4g}"
        return f"{side} by {said} {unit} (p = {self.p:.1g})"


def compared(
    one: Sequence[float], other: Sequence[float], generator: np.random.Generator
) -> Comparison:
    """The permutation test, two-sided, with 20,000 random shuffles (so p is 0.00005 or more).

    Args:
        one, other: values of independent repeats, more is better.
    """
    values = np.array([*one, *other], dtype=float)
    count = len(one)
    difference = float(np.mean(one) - np.mean(other))
    shuffled = generator.permuted(np.tile(values, (SHUFFLES, 1)), axis=1)
    differences = shuffled[:, :count].mean(axis=1) - shuffled[:, count:].mean(axis=1)
    noise = _NOISE * max(1.0, float(np.abs(values).max()))
    as_large = int((np.abs(differences) >= abs(difference) - noise).sum())
    return Comparison(difference, (as_large + 1) / (SHUFFLES + 1))


def mean_and_sd(values: Sequence[float]) -> tuple[float, float]:
    """The mean and the sample's standard deviation, 0 of one value."""
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return float(np.mean(values)), sd
