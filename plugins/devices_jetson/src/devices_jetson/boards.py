"""Which board it is, from its device tree, and which release of L4T it runs.

Models and compute capabilities: specs of the Jetson family; module numbers (p3668, …) are
NVIDIA's part numbers. Rails: what tegrastats calls them, and what part of the board each feeds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from devices_jetson.reading import lines, not_understood
from ofa_plugins_core.errors import UsageError

TOTAL: Final = "the whole board"


@frozen
class Board:
    """A kind of board.

    Attributes:
        name: of the device, for example ``jetson_xavier_nx``.
        title: as people call it.
        capability: compute capability of its GPU, for example ``7.2``.
        models: texts, one of which its model holds, in small letters.
        modules: module numbers in its ``compatible``, such as ``p3668``.
        rails: name -> what it measures; the one of the whole board first, if there is one.
    """

    name: str
    title: str
    capability: str
    models: tuple[str, ...]
    modules: tuple[str, ...]
    rails: Mapping[str, str] = field(factory=dict)

    @property
    def total(self) -> str | None:
        """The rail of the whole board, or None: only parts are measured."""
        return next((rail for rail, scope in self.rails.items() if scope == TOTAL), None)

    def scope(self, rail: str) -> str:
        """What a rail measures.

        Raises:
            UsageError: the board has no such rail; with those that it has.
        """
        if rail in self.rails:
            return self.rails[rail]
        known = "; ".join(f"{name} ({scope})" for name, scope in self.rails.items())
        raise UsageError(f"{self.title} has no power rail {rail!r}; it has: {known}")


_TWO: Final = {
    "VDD_IN": TOTAL,
    "VDD_CPU_GPU_CV": "CPU, GPU and CV together",
    "VDD_SOC": "SoC without CPU, GPU and CV",
}
"""Xavier NX, Orin NX, Orin Nano: only the total or CPU + GPU exists, no GPU alone."""

BOARDS: Final = (
    Board(
        "jetson_nano",
        "Jetson Nano",
        "5.3",
        ("jetson nano",),
        ("p3448", "p3450"),
        {"POM_5V_IN": TOTAL, "POM_5V_GPU": "GPU", "POM_5V_CPU": "CPU"},
    ),
    Board(
        "jetson_tx2",
        "Jetson TX2",
        "6.2",
        ("jetson tx2", "jetson-tx2", "quill"),
        ("p3310", "p2771", "p3489", "p3636"),
        {
            "VDD_IN": TOTAL,
            "VDD_CPU": "CPU",
            "VDD_GPU": "GPU",
            "VDD_SOC": "SoC without CPU and GPU",
            "VDD_DDR": "memory",
        },
    ),
    Board(
        "jetson_xavier_nx",
        "Jetson Xavier NX",
        "7.2",
        ("jetson xavier nx", "jetson-xavier-nx"),
        ("p3668",),
        _TWO,
    ),
    Board(
        "jetson_agx_xavier",
        "Jetson AGX Xavier",
        "7.2",
        ("agx xavier", "jetson-agx"),
        ("p2888",),
        {
            "GPU": "GPU",
            "CPU": "CPU",
            "SOC": "SoC",
            "CV": "CV",
            "VDDRQ": "memory",
            "SYS5V": "5 V parts",
        },
    ),
    Board(
        "jetson_orin_nano",
        "Jetson Orin Nano",
        "8.7",
        ("orin nano",),
        ("p3767-0003", "p3767-0004", "p3767-0005"),
        _TWO,
    ),
    Board(
        "jetson_orin_nx",
        "Jetson Orin NX",
        "8.7",
        ("orin nx",),
        ("p3767-0000", "p3767-0001"),
        _TWO,
    ),
    Board(
        "jetson_agx_orin",
        "Jetson AGX Orin",
        "8.7",
        ("agx orin",),
        ("p3701",),
        {
            "VDD_GPU_SOC": "GPU and SoC together",
            "VDD_CPU_CV": "CPU and CV together",
            "VIN_SYS_5V0": "5 V parts",
        },
    ),
)
NAMED: Final = {board.name: board for board in BOARDS}


def detect(model: str, compatible: str) -> Board | None:
    """The board of a device tree, or None: another machine, or a Jetson that is not known.

    Args:
        model: of ``/proc/device-tree/model``; ends with NUL.
        compatible: of ``/proc/device-tree/compatible``; words that end with NUL each.
    """
    said = " ".join(model.replace("\0", " ").lower().split())
    for board in BOARDS:
        if any(text in said for text in board.models):
            return board
    words = compatible.lower()
    return next((b for b in BOARDS if any(module in words for module in b.modules)), None)


def is_tegra(compatible: str) -> bool:
    """Whether a device tree is of a Tegra at all."""
    return "nvidia,tegra" in compatible.lower()


@frozen
class Release:
    """A release of L4T, the system of the boards.

    Attributes:
        major: for example 35.
        revision: for example ``4.1``.
    """

    major: int
    revision: str

    @property
    def version(self) -> str:
        """For example ``35.4.1``."""
        return f"{self.major}.{self.revision}"

    @property
    def jetpack(self) -> int | None:
        """The JetPack that it belongs to, where known."""
        return {32: 4, 34: 5, 35: 5, 36: 6}.get(self.major)


def parse_release(text: str) -> Release:
    """The first line of ``/etc/nv_tegra_release``: ``# R35 (release), REVISION: 4.1, …``.

    Raises:
        InputError: it is no such line.
    """
    first = next(iter(lines(text)), "")
    match = re.match(
        r"#\s*R([0-9]{1,4})\s*\([^)]*\)\s*,\s*REVISION:\s*([0-9]{1,4}(?:\.[0-9]{1,4}){0,3})\s*(?:,|$)",
        first,
        re.ASCII,
    )
    if match is None:
        raise not_understood("nv_tegra_release", first, "'# R35 (release), REVISION: 4.1, …'")
    return Release(int(match[1]), match[2])
