"""The target lists that were published, and what the published search of one of them takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

SOURCE: Final = "CompOFA (ICLR 2021), run_NAS"


@frozen
class Target:
    """Latencies for which the best networks are wanted, on one device.

    Attributes:
        name: of the list; None: the user's own.
        bounds: ms, increasing.
        batch: images a pass of which the latencies are; None: whatever the table is of.
        device: in words.
        run_on: the device that ``--measure`` takes for it here, where there is one.
    """

    name: str | None
    bounds: tuple[float, ...]
    batch: int | None = None
    device: str = "a device of your own"
    run_on: str | None = None


TARGETS: Final[Mapping[str, Target]] = {
    target.name: target
    for target in (
        Target("note10", (15, 20, 25, 30), 1, "Samsung Note10, by its table"),
        Target("gpu", (15, 25, 35, 45), 64, "a GPU, measured, batches of 64", "cuda"),
        Target("cpu", (12, 15, 18, 21), 1, "a CPU, measured, one image at a time", "cpu"),
    )
    if target.name is not None
}
"""Name -> the published list, as ``--target-hardware`` has it."""

EVOLUTION: Final = (67_000, 147_000)
"""Networks that one search of the published evolution scores (P = 100, N = 500), from and to: one
search a target. Of them 37,600 are its populations; the rest were drawn, and beyond the bound."""
