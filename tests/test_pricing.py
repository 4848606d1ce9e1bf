"""Costs that are priced block by block: every form of architecture gives the same number."""

from __future__ import annotations

import numpy as np

from ofa_plugins_core.interfaces import CostModel, SeparableCost
from ofa_plugins_core.pricing import BlockCostModel
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
