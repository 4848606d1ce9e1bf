"""What the paper's figures say, read off (Mills et al., CIKM 2021): of OFA's MobileNetV3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

SUPERNET: Final = "ofa_mbv3_w1.2"
SIZE: Final = 224
"""Pixels of the figures."""

RATIOS: Final = (6, 4, 3)
KERNELS: Final = (3, 5, 7)


def label(ratio: int, kernel: int) -> str:
    """A block as the field writes it."""
    return f"MBConv{ratio}_{kernel}x{kernel}"


def _panel(*rows: tuple[float, float, float]) -> Mapping[str, float]:
    """Block -> mean over the places that it is forced at; rows of a ratio, columns of a kernel."""
    return {
        label(ratio, kernel): value
        for ratio, row in zip(RATIOS, rows, strict=True)
        for kernel, value in zip(KERNELS, row, strict=True)
    }


NOTE10_MS: Final = _panel((42.12, 42.66, 43.41), (41.46, 41.82, 42.31), (41.14, 41.41, 41.81))
ACCURACY: Final = _panel((77.51, 77.54, 77.58), (77.44, 77.48, 77.49), (77.43, 77.43, 77.42))
"""Percent, by the paper's own evaluation."""
DEPTH_GAINS: Final = (0.39, 0.53, 0.45, 1.08, 0.94)
"""Percentage points of four layers over two, unit after unit."""

LEAST_ACCURATE: Final = frozenset({label(3, 3), label(3, 5), label(3, 7), label(4, 3)})
"""What the space of maximum accuracy drops."""


def listed(labels: Iterable[str]) -> str:
    """Blocks as text that can be compared: ``e3k7, e4k3``; other words stay."""
    return ", ".join(sorted(short(label) for label in labels))


def short(label: str) -> str:
    """``e3k7`` of ``MBConv3_7x7``."""
    return re.sub(r"MBConv(\d+)_(\d+)x\d+", r"e\1k\2", label)
