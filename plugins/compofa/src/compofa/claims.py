"""What CompOFA's paper claims, for ``ofa reproduce``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ofa_plugins_core import Checked, ClaimEntry, Comparison, JobContext

WORK: Final = "CompOFA"
PAPER: Final = "CompOFA (ICLR 2021)"


def entries() -> Iterator[ClaimEntry]:
    """Every claim."""
    yield ClaimEntry(
        "compofa_networks",
        "coupling depth and expand ratio leaves 243 networks with fixed kernels",
        WORK,
        f"{PAPER}, section 3",
        networks,
    )


def networks(context: JobContext, files: Mapping[str, Path]) -> Checked:
    """The space counts its own networks."""
    fixed = context.host.supernet("compofa").space
    return Checked([Comparison("networks, fixed kernels, one image size", fixed.count(), 243)])
