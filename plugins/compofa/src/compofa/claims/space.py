"""How many networks CompOFA's spaces hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ofa_plugins_core import Checked, Comparison, JobContext

FIXED: Final = 3**5
"""Of each of five stages one of three pairs of depth and expand ratio."""
FREE: Final = (3**2 + 3**3 + 3**4) ** 5
"""The same, with three kernel sizes for each block."""
OFA: Final = (9**2 + 9**3 + 9**4) ** 5
"""Of each of five stages the depth, and for each block kernel size and expand ratio."""
SIZES: Final = 5
"""Image sizes of CompOFA's search: 160 to 224 pixels in steps of 16."""


def networks(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The spaces count their own networks."""
    fixed = context.host.supernet("compofa").space
    free = context.host.supernet("compofa_elastic").space
    whole = context.host.supernet("ofa_mbv3_w1.0").space
    every = fixed.count() * len(fixed.resolutions)
    return Checked(
        [
            Comparison("CompOFA, fixed kernels", fixed.count(), FIXED),
            Comparison("the same over its image sizes", every, SIZES * FIXED),
            Comparison("CompOFA, free kernels", free.count(), FREE),
            Comparison("Once-for-All", whole.count(), OFA),
            Comparison(
                "Once-for-All's, in 10^19", round(whole.count() / 1e19, 2), 1, relation="at least"
            ),
        ],
        "Distinct networks at one image size, unless it says otherwise; the published formulas "
        "are 3^5, (9 + 27 + 81)^5 and (9^2 + 9^3 + 9^4)^5.",
    )
