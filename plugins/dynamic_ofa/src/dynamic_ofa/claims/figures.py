"""Points of the paper's figures, read off: Jetson Xavier NX (Lou, Xun et al., CVPRW 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Points: TypeAlias = tuple[tuple[float, float], ...]
"""(top-1 in percent, latency in ms) of networks, from fast to slow."""

GPU: Final[Points] = (
    (74.2, 48.8),
    (74.97, 53.0),
    (76.1, 58.8),
    (77.5, 62.1),
    (78.3, 71.6),
    (79.0, 79.5),
)
CPU: Final[Points] = (
    (72.5, 500.0),
    (76.3, 680.0),
    (77.1, 870.0),
    (77.4, 1170.0),
    (78.1, 1550.0),
    (78.4, 1640.0),
    (78.5, 1860.0),
)
AUTOSLIM: Final[Mapping[str, Points]] = {
    "CPU": ((73.2, 1440.0), (74.6, 1590.0), (75.4, 2220.0)),
    "GPU": ((73.2, 72.7), (74.6, 99.2), (75.4, 132.4)),
}
"""What it is compared with, on the same processors."""

OURS: Final[Mapping[str, Points]] = {"CPU": CPU, "GPU": GPU}
"""Dynamic-OFA's own levels."""
