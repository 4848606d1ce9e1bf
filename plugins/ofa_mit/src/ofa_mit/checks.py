"""Checks of rows that users write: each message has the field and the value found."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Final

from ofa_plugins_core.values import MAX_OPTIONS, SIZES, Number

MAX_STAGES: Final = 64
MAX_CHANNELS: Final = 65536
MAX_DEPTH: Final = 64
MAX_SLOTS: Final = 512
MAX_KERNEL: Final = 63
MAX_EXPAND: Final = 64
MAX_CLASSES: Final = 10**7
MAX_BLOCKS: Final = 20_000
"""Most different blocks in one place: more would be many options, multiplied."""


def in_range(name: str, values: Sequence[Number], low: Number, high: Number) -> None:
    """Raise ValueError for the first value outside ``low`` to ``high``, both included."""
    for value in values:
        if not low <= value <= high:  # not a number is outside too
            raise ValueError(f"{name}: must be {low} to {high}, found {_short(value)}")


def options(name: str, values: Sequence[Number], low: Number, high: Number) -> None:
    """Raise ValueError unless these are options: some, not too many, each once, in range."""
    if not 1 <= len(values) <= MAX_OPTIONS:
        raise ValueError(f"{name}: must list 1 to {MAX_OPTIONS} options, found {len(values)}")
    in_range(name, values, low, high)
    twice = next((v for i, v in enumerate(values) if v in values[:i]), None)
    if twice is not None:
        raise ValueError(f"{name}: lists {twice} twice")


def kernels(name: str, values: Sequence[int]) -> None:
    """Raise ValueError unless every kernel size is odd, and of a size that kernels have."""
    in_range(name, values, 1, MAX_KERNEL)
    even = next((k for k in values if k % 2 == 0), None)
    if even is not None:
        raise ValueError(f"{name}: kernel sizes are odd, found {even}")


def stages(count: int, **lists: Sequence[object] | None) -> None:
    """Raise ValueError unless there are stages, and every list has one entry for each."""
    if not 1 <= count <= MAX_STAGES:
        raise ValueError(f"widths: must have 1 to {MAX_STAGES} stages, found {count}")
    for name, given in lists.items():
        if given is not None and len(given) != count:
            raise ValueError(f"{name}: has {len(given)} entries, but there are {count} stages")


def common(resolutions: Sequence[int], classes: int, norm_eps: float) -> None:
    """Raise ValueError unless what every row has makes sense."""
    options("resolutions", resolutions, *SIZES)
    in_range("classes", (classes,), 1, MAX_CLASSES)
    in_range("norm_eps", (norm_eps,), 1e-12, 1)


def sizes(slots: int, **choices: Sequence[object]) -> None:
    """Raise ValueError where the space would have too many places, or blocks in one place."""
    if slots > MAX_SLOTS:
        raise ValueError(f"d: makes {slots} places for blocks, at most {MAX_SLOTS} are taken")
    blocks = prod(len(c) for c in choices.values())
    if blocks > MAX_BLOCKS:
        names = " × ".join(choices)
        raise ValueError(f"{names}: {blocks} different blocks in one place, most: {MAX_BLOCKS}")


def _short(value: Number) -> str:
    huge = isinstance(value, int) and value.bit_length() > 64
    return "a huge number" if huge else repr(value)
