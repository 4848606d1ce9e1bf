"""The smaller spaces that were chosen by hand from profiles (Mills et al., CIKM 2021).

Of OFA's MobileNetV3: four for devices, one for accuracy. Data; nothing heavy is loaded for it.
"""

from __future__ import annotations

from typing import Final

from ofa_plugins_core.entries import ReductionEntry
from ofa_plugins_core.reduction.data import Drop, Reduction

SOURCE: Final = "chosen by hand from profiles: Mills et al., CIKM 2021, arXiv 2109.12426"


def _without(*blocks: tuple[int | None, int | None]) -> tuple[Drop, ...]:
    """Drops of (expand ratio, kernel); None: whatever it is."""
    pairs = ({"e": expand, "k": kernel} for expand, kernel in blocks)
    return tuple(Drop({key: v for key, v in pair.items() if v is not None}) for pair in pairs)


ENTRIES: Final = (
    ReductionEntry(
        Reduction("npu", drop=_without((None, 7)), source=SOURCE),
        "for Huawei's Kirin 9000 NPU: no kernel of 7",
    ),
    ReductionEntry(
        Reduction("note10", drop=_without((3, 7), (4, 7)), depth=(3, 4, 4, 4, 4), source=SOURCE),
        "for Samsung's Note10: no e3 k7, no e4 k7, the first unit of at most 3 layers",
    ),
    ReductionEntry(
        Reduction(
            "gpu",
            drop=_without((3, 3), (3, 7), (4, 3)),
            depth=(4, 3, 4, 3, 3),
            source=SOURCE,
        ),
        "for NVIDIA's RTX 2080 Ti: no e3 k3, e3 k7, e4 k3, units of at most 4, 3, 4, 3, 3 layers",
    ),
    ReductionEntry(
        Reduction("cpu", depth=(3, 3, 3, 4, 4), source=SOURCE),
        "for AMD's Threadripper 2990WX: units of at most 3, 3, 3, 4, 4 layers",
    ),
    ReductionEntry(
        Reduction("max_accuracy", drop=_without((3, None), (4, 3)), source=SOURCE),
        "for the highest accuracy: no expand ratio of 3, no e4 k3",
    ),
)
