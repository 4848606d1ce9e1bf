"""Choices that a smaller space makes together."""

from __future__ import annotations

from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.reduction.together import chosen_together
from ofa_plugins_core.testing.toys import toy_supernet


def test_pairs_that_are_no_product_are_chosen_together() -> None:
    small = reduced(toy_supernet(), Reduction("x", drop=(Drop({"k": 5, "e": 2}, unit=1),)))

    assert chosen_together(small) == (("ks", "e"), 2)


def test_options_that_go_everywhere_leave_each_choice_its_own() -> None:
    small = reduced(
        toy_supernet(), Reduction("x", drop=(Drop({"k": 5}),), keep=(Keep("d[0]", (1,)),))
    )

    assert chosen_together(small) == ((), 0)
