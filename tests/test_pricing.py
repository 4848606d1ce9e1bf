"""Costs that are priced block by block: every form of architecture gives the same number."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.interfaces import CostModel, SeparableCost
from ofa_plugins_core.pricing import BlockCostModel, encoded
from ofa_plugins_core.testing.toys import everything, toy_supernet

TOY = toy_supernet()


def macs(block):
    return sum(op.macs for op in block.ops)


MODEL = BlockCostModel("macs", "MACs", TOY, macs, "sum")


def test_it_is_a_separable_cost():
    assert isinstance(MODEL, CostModel)
    assert isinstance(MODEL, SeparableCost)
    assert (MODEL.kind, MODEL.source) == ("computed", None)


def test_dicts_archs_and_genes():
    genes = everything(TOY.space)[::7]
    archs = TOY.space.decode(genes)
    expected = [sum(map(macs, TOY.geometry().blocks(a))) for a in archs]
    assert MODEL.evaluate(genes).tolist() == expected
    assert MODEL.evaluate(archs).tolist() == expected
    assert MODEL.evaluate([a.as_dict() for a in archs]).tolist() == expected


def test_sizes_that_are_not_the_spaces():
    arch = TOY.space.decode(everything(TOY.space)[:1])[0].as_dict()
    values = MODEL.evaluate([{**arch, "image_size": s} for s in (33, 300, 33)])
    assert values[0] == values[2] < values[1]
    assert values.dtype == np.int64


def test_nothing():
    assert MODEL.evaluate([]).shape == (0,)
    assert MODEL.evaluate(np.zeros((0, len(TOY.space.genes)), np.uint8)).shape == (0,)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda g: g + np.uint8(200), r"architecture 0: image_size has the options 0 to \d+"),
        (lambda g: np.where(np.arange(g.shape[1]) == 2, 99, g), r"architecture 0: .* found 99"),
        (lambda g: g.astype(int) - 1, "architecture 0: image_size .* found -1"),
        (lambda g: g.astype(float), "whole numbers.*found float64"),
        (lambda g: g[0], "found uint8 of shape"),
        (lambda g: g[:, :-1], "found uint8 of shape"),
    ],
)
def test_an_array_of_something_else_is_refused(change, reason):
    with pytest.raises(InputError, match=reason):
        MODEL.evaluate(change(everything(TOY.space)[:5]))


def test_every_form_is_encoded_and_says_its_image_sizes():
    genes = everything(TOY.space)[::97]
    space, same = encoded(TOY.space, genes)
    assert space is TOY.space and same is genes
    assert (encoded(TOY.space, genes.astype(np.int64))[1] == genes).all()
    dicts = [{**a.as_dict(), "image_size": 333} for a in TOY.space.decode(genes)]
    wider, found = encoded(TOY.space, dicts)
    assert wider.resolutions == (333,) and (found[:, 1:] == genes[:, 1:]).all()
    assert encoded(TOY.space, [])[1].shape == (0, genes.shape[1])
