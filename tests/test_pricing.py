"""Costs that are priced block by block: every form of architecture gives the same number."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import frozen

from ofa_plugins_core.errors import InputError, PluginError
from ofa_plugins_core.interfaces import CostModel, SeparableCost
from ofa_plugins_core.pricing import BlockCostModel, encoded, measurements
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


@frozen
class Answering:
    """A cost that answers what it is told to."""

    found: object
    ends: object = None
    name: str = "odd"
    unit: str = "ms"
    kind: str = "predicted"
    source: str | None = "a test"

    def evaluate(self, archs):
        return self.found

    def interval(self, archs, values):
        return self.ends


class TestMeasurements:
    """Costs with all that is known of them."""

    def test_what_it_is_goes_with_each(self):
        model = Answering(np.array([1.0, 2.0]), (np.array([0.5, 1.5]), np.array([3.0, 4.0])))
        one, two = measurements(model, [0, 1])
        assert (one.value, one.low, one.high) == (1.0, 0.5, 3.0)
        assert (two.value, two.low, two.high) == (2.0, 1.5, 4.0)
        assert (one.unit, one.kind, one.source) == ("ms", "predicted", "a test")

    def test_an_interval_may_be_unknown(self):
        (found,) = measurements(Answering(np.array([1.0])), [0])
        assert (found.low, found.high) == (None, None)

    def test_whole_numbers_stay_whole(self):
        (found,) = measurements(Answering(np.array([7])), [0])
        assert isinstance(found.value, int)

    @pytest.mark.parametrize(
        ("found", "said"),
        [
            (np.array([1.0, np.nan]), "nan"),
            (np.array([np.inf, 1.0]), "inf"),
            (np.array([1.0]), r"shape \(1,\)"),
            (np.ones((2, 1)), r"shape \(2, 1\)"),
            (["fast", "slow"], "<U4"),
            (None, "object"),
        ],
        ids=str,
    )
    def test_what_is_no_cost_is_told_by_its_name(self, found, said):
        with pytest.raises(PluginError, match=rf"cost 'odd': evaluate\(\) gave .*{said}"):
            measurements(Answering(found), [0, 1])
        ends = (np.zeros(2), found)
        with pytest.raises(PluginError, match=rf"cost 'odd': interval\(\) gave .*{said}"):
            measurements(Answering(np.ones(2), ends), [0, 1])

    @pytest.mark.parametrize(
        ("ends", "said"),
        [
            ((np.array([0.5, 2.5]), np.array([3.0, 4.0])), "gave 2.5 to 4.0 about 2.0"),
            ((np.array([0.5, 1.5]), np.array([0.9, 4.0])), "gave 0.5 to 0.9 about 1.0"),
            ((np.array([0.5, 1.5]),), "gave 1 ends; due are two"),
        ],
    )
    def test_an_interval_is_about_its_value(self, ends, said):
        with pytest.raises(PluginError, match=said):
            measurements(Answering(np.array([1.0, 2.0]), ends), [0, 1])
