"""Where blocks differ: units, layers, and the blocks that each place can hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from attrs import evolve

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.geometry import Geometry, Site
from ofa_plugins_core.places import place_label, places, units
from ofa_plugins_core.reduction.data import Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing.toys import toy_supernet
from ofa_plugins_core.values import SearchSpace


@pytest.fixture
def geometry() -> Geometry:
    return toy_supernet().geometry()


def test_a_place_holds_every_kernel_with_every_expand_ratio(geometry: Geometry) -> None:
    found = places(geometry)

    assert [(p.unit, p.layer) for p in found] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [o.label for o in found[0].options] == [
        "MBConv2_3x3",
        "MBConv3_3x3",
        "MBConv2_5x5",
        "MBConv3_5x5",
    ]


def test_sites_without_a_choice_are_no_places(geometry: Geometry) -> None:
    named = {p.name for p in places(geometry)}

    assert named == {s.name for s in geometry.sites} - {"stem", "classifier"}


def test_exactly_the_allowed_genes_give_the_block(geometry: Geometry) -> None:
    for place in places(geometry):
        site = geometry.sites[place.site]
        for option in place.options:
            for index, block in geometry.options(site, 32):
                within = all(i in option.allowed[c] for c, i in zip(site.genes, index, strict=True))
                assert within == (block is not None and block.choice == option.choice)


def test_own_genes_decide_about_one_place_and_the_depth_is_shared(geometry: Geometry) -> None:
    space = geometry.space
    second = places(geometry)[1]

    assert [space.genes[c].name for c in second.own] == ["ks[1]", "e[1]"]
    assert [space.genes[c].name for c in second.shared] == ["d[0]"]


def test_a_units_depth_is_the_gene_that_leaves_places_unused(geometry: Geometry) -> None:
    assert [geometry.space.genes[u.depth or 0].name for u in units(geometry)] == ["d[0]", "d[1]"]


def test_blocks_that_no_product_of_options_gives_are_refused(geometry: Geometry) -> None:
    space, (first, *rest) = geometry.space, geometry.sites

    def crossed(block: Callable) -> Callable:
        return lambda size, v: block(size, (v[0], *((3, 2) if v[1] == v[2] + 1 else (5, 3))))

    odd = Site(rest[0].name, rest[0].genes, crossed(rest[0].block))
    with pytest.raises(UsageError, match="no product"):
        places(Geometry(space, (first, odd, *rest[1:])))


def test_an_option_is_found_by_its_whole_choice(geometry: Geometry) -> None:
    place = places(geometry)[0]

    assert place.option({"k": 5, "e": 2}) is place.options[2]
    assert place.option({"k": 5}) is None
    assert place.option({"k": 7, "e": 2}) is None


def test_a_space_without_units_has_none() -> None:
    space = SearchSpace.of("flat", (32,), (), ())
    assert units(Geometry(space, ())) == ()


def test_a_layer_that_a_smaller_space_never_reaches_is_no_place() -> None:
    small = reduced(toy_supernet(), Reduction("shallow", depth=(1, None)))

    assert [(p.unit, p.layer) for p in places(small.geometry())] == [(0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize(
    ("unit", "layer", "label"),
    [(1, 0, "Unit 1 Layer 0"), (2, None, "Unit 2"), (None, 0, "Stem out")],
)
def test_a_place_is_named_by_unit_and_layer_or_by_its_site(unit, layer, label) -> None:
    assert place_label(unit, layer, "stem out") == label
    assert [p.label for p in places(toy_supernet().geometry())][-1] == "Unit 1 Layer 1"


def test_a_gene_that_rules_others_is_shared_though_one_site_alone_reads_it(geometry) -> None:
    second = next(s for s in geometry.sites if s.name == places(geometry)[1].name)
    (alone,) = places(Geometry(geometry.space, (second,)))

    assert [geometry.space.genes[c].name for c in alone.shared] == ["d[0]"]


def test_of_two_genes_that_leave_places_unused_the_depth_is_the_last_places(geometry) -> None:
    found = places(geometry)
    first, last = (geometry.sites[p.site] for p in (found[1], found[3]))

    def one_stage(site: Site) -> Site:
        def block(size, values):
            made = site.block(size, values)
            return None if made is None else evolve(made, stage=0)

        return Site(site.name, site.genes, block)

    (unit,) = units(Geometry(geometry.space, (one_stage(first), one_stage(last))))
    assert geometry.space.genes[unit.depth].name == "d[1]"
