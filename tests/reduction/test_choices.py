"""What is left of the genes where blocks are dropped."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Geometry, Site
from ofa_plugins_core.reduction.choices import left_by
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.testing.toys import toy_supernet


@pytest.fixture
def tied() -> Geometry:
    """The toy; in its second unit both layers have one expand ratio, that of the first."""
    found = toy_supernet().geometry()
    names = [g.name for g in found.space.genes]
    d, ks, e = (names.index(n) for n in ("d[1]", "ks[3]", "e[2]"))
    last = next(s for s in found.sites if names.index("e[3]") in s.genes)
    sites = [evolve(last, genes=(d, ks, e)) if s is last else s for s in found.sites]
    return Geometry(found.space, tuple(sites))


def left(geometry: Geometry, *drop: Drop) -> dict[str, Any]:
    """Gene -> its options that are left, of those that lose any."""
    genes = geometry.space.genes
    found = left_by(geometry, Reduction("small", drop))
    assert not found.joint
    return {
        genes[c].name: tuple(genes[c].options[i] for i in options)
        for c, options in found.options.items()
        if len(options) < len(genes[c].options)
    }


def test_a_pair_of_which_one_part_is_tied_elsewhere_cannot_be_dropped_alone(
    tied: Geometry,
) -> None:
    with pytest.raises(UsageError, match=r"MBConv2_5x5 at Unit 1 Layer 0.*tied to other") as failed:
        left(tied, Drop({"k": 5, "e": 2}, 1, 0))
    assert failed.value.advice == (
        "drop it with every kernel, or the depth or width that it comes with"
    )


def test_with_every_kernel_the_tied_part_goes_everywhere(tied: Geometry) -> None:
    assert left(tied, Drop({"e": 2}, 1, 0)) == {"e[2]": (3,)}


def test_with_every_ratio_the_kernel_goes_at_its_place_alone(tied: Geometry) -> None:
    assert left(tied, Drop({"k": 5}, 1, 1)) == {"ks[3]": (3,)}


def test_a_place_that_is_only_used_or_not_has_no_block_to_drop() -> None:
    found = toy_supernet().geometry()

    def plain(site: Site) -> Site:
        def block(size: int, values: Any) -> Any:
            there = site.block(size, values)
            return None if there is None else evolve(there, choice=())

        return evolve(site, block=block)

    bare = Geometry(found.space, (*found.sites[:-2], *map(plain, found.sites[-2:])))
    with pytest.raises(UsageError, match="no block k5 at unit 1, layer 1"):
        left(bare, Drop({"k": 5}, 1, 1))
