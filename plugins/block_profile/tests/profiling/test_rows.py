"""How networks are drawn for rows."""

from __future__ import annotations

import numpy as np
import pytest

from block_profile.profiling.rows import Drawing, row_plans, wanted_rows
from ofa_plugins_core.testing.toys import toy_cost, toy_supernet


@pytest.fixture
def drawn(catalogue):
    """(draws, count, sizes, seed) -> each row's networks, the first of random ones."""

    def rows(draws, count=100, sizes=(32, 64), seed=0):
        plans = row_plans(
            wanted_rows(catalogue, ("[0, 0]",), False), catalogue.space, "strict", None
        )
        drawing = Drawing(catalogue.space, sizes, count, seed, draws)
        return [genes for genes, _ in drawing.networks(plans)]

    return rows


@pytest.mark.parametrize("draws", ["balanced", "common", "independent"])
def test_every_option_is_as_likely_as_the_others(catalogue, drawn, draws) -> None:
    free = [c for c, g in enumerate(catalogue.space.genes) if g.canonical is None]
    counts = sum(
        np.array([np.bincount(drawn(draws, 5, seed=s)[0][:, c], minlength=2) for c in free])
        for s in range(100)
    )
    assert counts / 500 == pytest.approx(np.full(counts.shape, 0.5), abs=0.09)


def test_balanced_draws_hold_each_option_equally_often(catalogue, drawn) -> None:
    random = drawn("balanced", 101)[0]
    for column, gene in enumerate(catalogue.space.genes):
        if gene.canonical is None:
            counts = np.bincount(random[:, column], minlength=2)
            assert sorted(counts) == [50, 51]


def test_balanced_draws_are_closer_to_the_mean_of_all_networks(drawn) -> None:
    cost = toy_cost("params", toy_supernet())

    def spread(draws) -> float:
        return float(np.std([cost.evaluate(drawn(draws, 30, seed=s)[0]).mean() for s in range(40)]))

    assert spread("balanced") < 0.6 * spread("common")


@pytest.mark.parametrize(("draws", "same"), [("balanced", True), ("independent", False)])
def test_rows_share_their_networks_but_for_what_is_forced(drawn, draws, same) -> None:
    small, large = drawn(draws)[1:3]
    others = [c for c in range(small.shape[1]) if c not in (2, 3)]  # kernel and ratio of the block

    assert (small[:, others] == large[:, others]).all() == same


def test_only_the_sizes_that_are_asked_for_are_drawn(drawn) -> None:
    assert set(drawn("balanced", sizes=(64,))[0][:, 0]) == {1}
