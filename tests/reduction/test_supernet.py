"""A smaller space: exactly the networks without what is dropped, at the same prices."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import SeparablePredictor
from ofa_plugins_core.reduction.data import Drop, Keep, Reduction
from ofa_plugins_core.reduction.predictors import whole_predictor
from ofa_plugins_core.reduction.supernet import ReducedSupernet, reduced, whole
from ofa_plugins_core.testing.laws import Law, LawBrokenError, reduction, title
from ofa_plugins_core.testing.toys import ToyPredictor, toy_cost, toy_supernet
from ofa_plugins_core.values import Genes

WHOLE = toy_supernet(resolutions=(32,))
BLOCKS = tuple({"k": k, "e": e} for k in (3, 5) for e in (2, 3))


def every(supernet: Any) -> Genes:
    """Every distinct network of a small space."""
    options = product(*(range(n) for n in supernet.space.sizes))
    rows = np.array(list(options), dtype=np.uint8)
    return np.unique(supernet.space.canonical(rows), axis=0)


ALL = every(WHOLE)


def made(*drop: Drop, **more: Any) -> ReducedSupernet:
    return reduced(WHOLE, Reduction("small", drop, **more))


def has(arch: dict[str, Any], drop: Drop) -> bool:
    """Whether a network uses a dropped block; two layers a unit."""
    for unit, depth in enumerate(arch["d"]):
        for layer in range(depth):
            slot = 2 * unit + layer
            here = {"k": arch["ks"][slot], "e": arch["e"][slot]}
            placed = drop.unit in (None, unit) and drop.layer in (None, layer)
            if placed and all(here[k] == v for k, v in drop.block.items()):
                return True
    return False


drops = st.builds(
    Drop,
    st.sampled_from([*BLOCKS, {"k": 5}, {"e": 2}]),
    st.sampled_from([None, 0, 1]),
    st.sampled_from([None, 0, 1]),
)


@given(st.lists(drops, min_size=1, max_size=3), st.sampled_from([(), (1, 2), (None, 1)]))
def test_it_holds_exactly_the_networks_without_a_dropped_block(
    dropped: list[Drop], depth: tuple[int | None, ...]
) -> None:
    most = depth or (None, None)
    kept = [
        arch
        for arch in (a.as_dict() for a in WHOLE.space.decode(ALL))
        if not any(has(arch, d) for d in dropped)
        and all(m is None or d <= m for d, m in zip(arch["d"], most, strict=True))
    ]
    if not kept:
        with pytest.raises(UsageError, match="nothing would be left"):
            made(*dropped, depth=depth)
        return
    small = made(*dropped, depth=depth)

    there = small.reduced.to_whole(every(small))
    assert small.space.count() == len(kept) == len(there)
    assert (np.unique(there, axis=0) == np.unique(WHOLE.space.encode(kept), axis=0)).all()


SMALL = made(Drop({"k": 5, "e": 2}), Drop({"e": 3}, unit=1, layer=1), depth=(2, None))
THERE = every(SMALL)


def test_its_networks_read_and_write_as_those_of_the_whole() -> None:
    archs = SMALL.space.decode(THERE)

    assert (SMALL.space.encode(archs) == THERE).all()
    assert (WHOLE.space.encode(archs) == SMALL.reduced.to_whole(THERE)).all()


@pytest.mark.parametrize("name", ["params", "largest"])
def test_its_networks_cost_what_they_cost_in_the_whole(name: str) -> None:
    small, large = toy_cost(name, SMALL), toy_cost(name, WHOLE)

    archs = SMALL.space.decode(THERE)
    assert (small.evaluate(THERE) == large.evaluate(archs)).all()


def test_the_wholes_predictor_says_the_same_of_them() -> None:
    predictor = ToyPredictor(WHOLE.space)
    asked = whole_predictor(predictor, SMALL)
    archs = SMALL.space.decode(THERE)

    assert isinstance(asked, SeparablePredictor)
    tables = asked.link(32).forward(asked.separable(32).evaluate(THERE))
    assert np.allclose(asked.predict(THERE).value, predictor.predict(archs).value)
    assert np.allclose(tables, predictor.predict(archs).value)
    assert np.allclose(asked.predict(archs).value, tables)
    assert (asked.name, asked.source) == (predictor.name, predictor.source)


def test_a_network_with_a_dropped_block_is_refused_with_what_there_is() -> None:
    arch = {"ks": [5, 3, 3, 3], "e": [2, 2, 2, 2], "d": [1, 1], "image_size": 32}

    with pytest.raises(InputError, match=r"ks\[0\], e\[0\] = 5, 2 is not an option .* 3, 2; 3, 3"):
        SMALL.space.encode([arch])


def test_what_an_unused_slot_says_is_free() -> None:
    arch = {"ks": [3, 5, 3, 3], "e": [2, 2, 2, 2], "d": [1, 1], "image_size": 32}

    assert len(SMALL.space.encode([arch])) == 1


def test_a_place_that_loses_all_its_blocks_is_never_used() -> None:
    small = made(Drop({"k": 3}, 1, 1), Drop({"k": 5}, 1, 1))

    assert {a.as_dict()["d"][1] for a in small.space.decode(every(small))} == {1}


def test_options_of_a_gene_are_kept_by_its_name() -> None:
    small = reduced(WHOLE, Reduction("flat", keep=(Keep("d[0]", (1,)), Keep("ks[3]", (5,)))))

    archs = [a.as_dict() for a in small.space.decode(every(small))]
    assert {a["d"][0] for a in archs} == {1}
    assert {a["ks"][3] for a in archs if a["d"][1] == 2} == {5}


def test_other_image_sizes_and_smaller_spaces_of_smaller_spaces() -> None:
    twice = reduced(SMALL, Reduction("less", (Drop({"k": 5, "e": 3}, 0),)))

    assert twice.name == "toy+small+less"
    assert SMALL.at([64, 96]).space.count() == SMALL.space.count()
    assert SMALL.at([64, 96]).resolutions == (64, 96)
    assert whole(twice) is WHOLE
    assert 0 < twice.space.count() < SMALL.space.count()
    archs = twice.space.decode(every(twice))
    assert (SMALL.space.encode(archs) == twice.reduced.to_whole(every(twice))).all()


@pytest.mark.parametrize(
    ("small", "message"),
    [
        (Reduction("x", (Drop({"k": 9}),)), "no block k9"),
        (Reduction("x", (Drop({"k": 5}, 7),)), "no block k5 at unit 7"),
        (Reduction("x", depth=(1,)), "has 2 units, found 1 depths"),
        (Reduction("x", depth=(0, 1)), "no depth of at most 0; options: 1, 2"),
        (Reduction("x", keep=(Keep("w[0]", (1,)),)), r"no gene 'w\[0\]'"),
        (Reduction("x", keep=(Keep("d[0]", (7,)),)), r"d\[0\] of toy has no option 7"),
        (Reduction("x", (Drop({"k": 3}, 0, 0), Drop({"k": 5}, 0, 0))), "nothing would be left"),
    ],
)
def test_what_the_space_does_not_have_is_refused_by_name(small: Reduction, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        reduced(WHOLE, small)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "../x", "7up"])
def test_a_name_is_one_word(name: str) -> None:
    with pytest.raises(ValueError, match="a word"):
        Reduction(name)


@pytest.mark.parametrize("law", reduction.LAWS, ids=title)
def test_it_is_a_supernet_as_any_other(law: Law) -> None:
    small = reduced(toy_supernet(), SMALL.reduction)

    law(small, small.whole, np.random.default_rng(0))


def test_the_laws_catch_a_smaller_space_that_drops_nothing() -> None:
    same = reduced(WHOLE, Reduction("same", depth=(2, 2)))

    with pytest.raises(LawBrokenError, match="nothing is dropped"):
        reduction.holds_less(same, WHOLE, np.random.default_rng(0))


def test_the_laws_catch_a_dropped_block_that_is_used() -> None:
    wrong = evolve(SMALL, reduction=Reduction("small", (Drop({"k": 3}),)))

    with pytest.raises(LawBrokenError, match="which is dropped"):
        reduction.uses_no_dropped_block(wrong, WHOLE, np.random.default_rng(0))
