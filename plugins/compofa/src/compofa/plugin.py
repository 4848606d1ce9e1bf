"""The hooks of the plugin compofa."""

from __future__ import annotations

from collections.abc import Iterable

from ofa_plugins_core import SupernetEntry, SupernetFamilyEntry, hookimpl

from compofa import networks

OFA_API = 1


@hookimpl
def ofa_supernets() -> Iterable[SupernetEntry]:
    """CompOFA with fixed and with free kernels."""
    yield SupernetEntry(
        "compofa", "ofa_mbv3_w1.0, depth and expand ratio coupled, fixed kernels", networks.compofa
    )
    yield SupernetEntry(
        "compofa_elastic",
        "ofa_mbv3_w1.0, depth and expand ratio coupled, free kernels",
        networks.compofa_elastic,
        ("CompOFA", "compofa-elastic"),
    )


@hookimpl
def ofa_supernet_families() -> Iterable[SupernetFamilyEntry]:
    """Rows of users' own with coupled dimensions."""
    yield SupernetFamilyEntry(
        "compound",
        "MBConv stages, expand ratio coupled to depth",
        networks.CompoundRow,
        networks.compound_supernet,
    )
