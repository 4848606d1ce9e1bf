"""The hooks of the plugin moofa."""

from __future__ import annotations

from collections.abc import Iterable

from ofa_plugins_core import SupernetEntry, SupernetFamilyEntry, hookimpl

from moofa import networks

OFA_API = 1


@hookimpl
def ofa_supernets() -> Iterable[SupernetEntry]:
    """MOOFA's ablation V1 and V2, and its network V3."""
    yield SupernetEntry(
        "moofa_v1", "memory-constant widths, e = 3, 4, 6", networks.moofa_v1, ("MOOFA_V1",)
    )
    yield SupernetEntry(
        "moofa_v2", "memory-constant widths, e = 1, 1.5, 2", networks.moofa_v2, ("MOOFA_V2",)
    )
    yield SupernetEntry(
        "moofa_v3",
        "memory-constant widths, e = 2, 3, 4: the paper's network",
        networks.moofa_v3,
        ("MOOFA_V3", "mc_ofa"),
    )


@hookimpl
def ofa_supernet_families() -> Iterable[SupernetFamilyEntry]:
    """Rows of users' own on the memory-constant schedule."""
    yield SupernetFamilyEntry(
        "memory_constant",
        "MBConv stages with widths from MOOFA's schedule",
        networks.MoofaRow,
        networks.moofa_supernet,
    )
