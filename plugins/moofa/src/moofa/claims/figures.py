"""Table 1 of MOOFA (2024), as published."""

from __future__ import annotations

from typing import Final, NamedTuple


class Published(NamedTuple):
    """A cell: of the network that the authors' search found under the bound, as they measured it.

    Attributes:
        bound: items.
        top1: ImageNet, percent.
        peak: items.
        macs: millions.
    """

    bound: int
    top1: float
    peak: int
    macs: int


def _column(*cells: tuple[float, int, int]) -> tuple[Published, ...]:
    return tuple(Published(b, *cell) for b, cell in zip(BOUNDS, cells, strict=True))


BOUNDS: Final = (325_000, 350_000, 400_000, 450_000, 500_000, 600_000, 700_000, 800_000)
"""Items."""

TABLE: Final = {
    "ofa_mbv3_w1.0": _column(
        (70.81, 262_912, 146),
        (70.91, 328_704, 163),
        (70.98, 330_816, 163),
        (74.33, 410_368, 219),
        (74.24, 410_368, 207),
        (76.02, 590_592, 271),
        (75.83, 590_592, 289),
        (76.04, 740_416, 283),
    ),
    "compofa_elastic": _column(
        (69.91, 262_912, 132),
        (70.26, 330_816, 134),
        (70.23, 329_280, 144),
        (73.33, 410_368, 178),
        (72.76, 410_368, 189),
        (73.82, 590_592, 258),
        (75.42, 590_592, 273),
        (74.78, 722_448, 306),
    ),
    "moofa_v3": _column(
        (72.13, 305_280, 422),
        (72.25, 313_344, 431),
        (73.34, 381_120, 554),
        (73.66, 440_640, 573),
        (72.99, 475_776, 516),
        (74.99, 583_200, 719),
        (76.55, 696_192, 1_007),
        (76.58, 686_976, 959),
    ),
}
"""Supernet -> a cell a bound."""

LABELS: Final = {"ofa_mbv3_w1.0": "OFA", "compofa_elastic": "CompOFA", "moofa_v3": "MOOFA"}

README: Final = 73.34
"""Top-1 of OFA under 400k in the README of Memory-Constant OFA, percent."""


def short(bound: int) -> str:
    """A bound as the table writes it: ``325k``."""
    return f"{bound // 1000}k"


def best(supernet: str) -> float:
    """The highest top-1 of a column, percent."""
    return max(cell.top1 for cell in TABLE[supernet])
