"""The coupling of depth and expand ratio, as a pure function."""

from __future__ import annotations

from collections.abc import Sequence

from ofa_plugins_core.values import Number


def coupled(depths: Sequence[int], expands: Sequence[Number]) -> dict[int, Number]:
    """Depth -> expand ratio of all of the stage's blocks: shallow and narrow to deep and wide.

    Source: CompOFA (ICLR 2021), the "simple" heuristic: d = 2, 3, 4 go with e = 3, 4, 6.

    Raises:
        ValueError: there are not as many expand ratios as depths.
    """
    if len(depths) != len(expands):
        raise ValueError(
            f"the coupling pairs depths with expand ratios one to one: {list(depths)} depths, "
            f"{list(expands)} expand ratios"
        )
    return dict(zip(sorted(depths), sorted(expands), strict=True))
