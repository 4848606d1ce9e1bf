"""What a fit and its file share; alone, so that reading a fit loads nothing that makes one."""

from __future__ import annotations

from typing import Final

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BEYOND: Final = 1.5
"""The interval's factor above the best prediction for a measured network."""


def link(ceiling: Floats | float, score: Floats) -> Floats:
    """z -> percent: rises with z, ever more slowly, and stays below the ceiling."""
    return np.asarray(ceiling - np.exp(-score))


@frozen
class Settings:
    """What is chosen on the training records.

    Attributes:
        delta: points from the third highest measured accuracy up to the ceiling.
        ridge: shrinks the weights that all image sizes share.
        tie: how many times harder an image size's own deviation from them is shrunk.
    """

    delta: float
    ridge: float
    tie: float
