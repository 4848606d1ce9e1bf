"""A random control has the size of the space that it stands beside, and other blocks."""

from __future__ import annotations

import numpy as np
import pytest

from block_profile.reducing import control
from block_profile.reducing.control import dropped_at, random_control
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.places import places
from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing.toys import toy_supernet

WHOLE = toy_supernet()
PLACES = places(WHOLE.geometry())


def controls(reduction: Reduction, count: int = 12):
    return [
        random_control(WHOLE, reduction, np.random.default_rng(seed), "control")
        for seed in range(count)
    ]


@pytest.mark.parametrize(
    "reduction",
    [
        Reduction("x", drop=(Drop({"k": 3, "e": 2}),)),
        Reduction("x", drop=(Drop({"k": 3}),)),
        Reduction("x", drop=(Drop({"k": 3}), Drop({"k": 5, "e": 2})), depth=(1, 1)),
    ],
)
def test_where_the_same_goes_everywhere_the_control_is_exactly_as_large(reduction) -> None:
    size = reduced(WHOLE, reduction).space.count()

    found = controls(reduction)

    assert {c.space.count() for c in found} == {size}
    assert len({str(c.reduction.drop) for c in found}) > 1
    for drawn in found:
        gone = [dropped_at(p, drawn.reduction.drop) for p in PLACES]
        assert all(g == gone[0] for g in gone)


def test_elsewhere_each_place_loses_as_many() -> None:
    reduction = Reduction("x", drop=(Drop({"k": 3}, 0, 1), Drop({"k": 5, "e": 2}, 1, 0)))

    for drawn in controls(reduction):
        gone = [len(dropped_at(p, drawn.reduction.drop)) for p in PLACES]
        assert gone == [0, 2, 1, 0]


def test_as_many_units_are_shortened_but_any_of_them() -> None:
    found = controls(Reduction("x", depth=(1, 2)))

    assert {c.reduction.keep for c in found} == {(Keep("d[0]", (1,)),), (Keep("d[1]", (1,)),)}


def test_a_gene_keeps_as_many_options() -> None:
    found = controls(Reduction("x", keep=(Keep("ks[1]", (5,)),)))

    assert {c.reduction.keep for c in found} == {(Keep("ks[1]", (k,)),) for k in (3, 5)}


def test_where_no_draw_can_be_applied_that_is_said(monkeypatch) -> None:
    def tied(*given):
        raise UsageError("its choice is tied")

    monkeypatch.setattr(control, "reduced", tied)
    with pytest.raises(UsageError, match="no random control for x: 100 draws"):
        controls(Reduction("x", drop=(Drop({"k": 3}, 0, 1),)), 1)
