"""Where CompOFA's checkpoints were published, as data; sizes and hashes were not published."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ofa_plugins_core.entries import WeightsEntry

GITHUB: Final = "https://github.com/gatech-sysml/CompOFA/raw/main/ofa/checkpoints"

NETS: Final = (
    ("model_best_compofa_simple.pth.tar", "compofa", "fixed kernels: no kernel matrices in it"),
    ("model_best_compofa_simple_elastic.pth.tar", "compofa_elastic", "free kernels"),
)
"""The trained supernets: file, supernet, what it is."""


def entries() -> Iterator[WeightsEntry]:
    """Every published file."""
    for name, supernet, what in NETS:
        source = f"CompOFA (ICLR 2021): the trained supernet, {what}"
        yield WeightsEntry(name, supernet, "old", (f"{GITHUB}/{name}",), source=source)
