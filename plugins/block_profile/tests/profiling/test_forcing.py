"""A forced block is a map on every gene: who stays, who is raised, and how far."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from block_profile.profiling.forcing import NOTHING, forcing_of
from block_profile.profiling.specs import Catalogue
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.values import RESOLUTION


@pytest.fixture
def forced(catalogue: Catalogue):
    """(place, block, rule) -> what it makes of the toy's genes."""

    def of(place: int, block: int, rule: str):
        where = catalogue.places[place]
        demand = catalogue.demand(where, where.options[block])
        return forcing_of([demand], catalogue.space, rule)

    return of


def names(catalogue: Catalogue, genes: np.ndarray, column: str) -> set:
    (number,) = (i for i, g in enumerate(catalogue.space.genes) if g.name == column)
    return {catalogue.space.genes[number].options[i] for i in genes[:, number]}


@pytest.mark.parametrize("rule", ["strict", "paper"])
def test_the_forced_block_is_what_every_network_has_at_its_place(
    catalogue, forced, generator, rule
) -> None:
    drawn = catalogue.space.sample(200, generator)
    genes = forced(0, 2, rule).apply(drawn)

    assert names(catalogue, genes, "ks[0]") == {5}
    assert names(catalogue, genes, "e[0]") == {2}
    others = [i for i, g in enumerate(catalogue.space.genes) if g.name not in ("ks[0]", "e[0]")]
    assert (genes[:, others] == drawn[:, others]).all()


def test_strict_makes_a_forced_layer_active_in_every_network(catalogue, forced, generator) -> None:
    second = forced(1, 0, "strict")
    genes = second.apply(catalogue.space.sample(200, generator))

    assert names(catalogue, genes, "d[0]") == {2}
    assert second.met(genes).all() and second.chance(catalogue.space) == 1.0


def test_paper_raises_a_depth_one_short_so_that_a_last_layer_may_be_inactive(
    catalogue, forced, generator
) -> None:
    second = forced(1, 0, "paper")
    genes = second.apply(catalogue.space.sample(4000, generator))

    assert names(catalogue, genes, "d[0]") == {1, 2}
    assert second.chance(catalogue.space) == pytest.approx(0.5)
    assert second.met(genes).mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("rule", ["strict", "paper"])
def test_odds_are_those_of_what_is_drawn_and_forced(catalogue, forced, generator, rule) -> None:
    for place in range(len(catalogue.places)):
        found = forced(place, 1, rule)
        genes = found.apply(catalogue.space.sample(4000, generator))
        for column, odds in enumerate(found.odds(catalogue.space)):
            shares = np.bincount(genes[:, column], minlength=len(odds)) / len(genes)
            assert shares == pytest.approx(odds, abs=0.04)


def test_nothing_forced_leaves_networks_as_they_are(catalogue, generator) -> None:
    drawn = catalogue.space.sample(10, generator)

    assert (NOTHING.apply(drawn) == drawn).all() and NOTHING.met(drawn).all()


def test_blocks_at_two_places_are_forced_together(catalogue, generator) -> None:
    both = [catalogue.demand(p, p.options[3]) for p in (catalogue.places[0], catalogue.places[3])]
    found = forcing_of(both, catalogue.space, "strict")
    genes = found.apply(catalogue.space.sample(100, generator))

    assert found.met(genes).all()
    assert found.label == "Unit 0 Layer 0 as MBConv3_5x5 and Unit 1 Layer 1 as MBConv3_5x5"


def test_two_blocks_at_one_place_are_refused_by_name(catalogue) -> None:
    place = catalogue.places[0]
    both = [catalogue.demand(place, place.options[n]) for n in (0, 3)]

    with pytest.raises(
        UsageError, match=r"as MBConv3_5x5 and .* as MBConv2_3x3 exclude each other"
    ):
        forcing_of(both, catalogue.space, "strict")


def test_a_depth_counts_the_places_that_it_uses(catalogue, generator) -> None:
    depths = catalogue.depths()
    assert [d.label for d in depths] == [f"Unit {u} depth {n}" for u in (0, 1) for n in (1, 2)]

    found = forcing_of([depths[0]], catalogue.space, "paper")
    genes = found.apply(catalogue.space.sample(50, generator))
    assert names(catalogue, genes, "d[0]") == {1}


def test_an_option_between_allowed_ones_is_raised_to_the_next(catalogue) -> None:
    from block_profile.profiling.forcing import _raised

    assert _raised((1, 3), 5, 0).tolist() == [1, 1, 3, 3, 3]
    assert _raised((2,), 3, 1).tolist() == [1, 1, 2]
    assert _raised((0,), 3, 0).tolist() == [0, 0, 0]
    assert _raised((0,), 3, 1).tolist() == [0, 0, 0]  # there is nothing one short of the first


def test_an_image_size_that_a_block_needs_is_no_option_to_raise(catalogue) -> None:
    (demand,) = catalogue.blocks()[:1]
    sized = evolve(demand, allowed={**demand.allowed, RESOLUTION: (0,)})

    assert RESOLUTION not in forcing_of([sized], catalogue.space, "strict").maps
