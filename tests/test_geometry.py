"""Ops, blocks, and costs as tables over the places of blocks."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.geometry import Block, Geometry, Op, Site, make_divisible, output_size
from ofa_plugins_core.testing.toys import everything, toy_supernet

TOY = toy_supernet()


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (1, 8),
        (8, 8),
        (8.8, 8),
        (11.9, 16),
        (12, 16),
        (20, 24),
        (19, 24),
        (28.8, 32),
        (10, 16),
        (100, 104),
    ],
)
def test_make_divisible(value, rounded):
    """Nearest multiple of 8, halves up, at least 8, never below 0.9 of the value."""
    assert make_divisible(value) == rounded


@pytest.mark.parametrize(
    ("size", "stride", "after"), [(224, 2, 112), (7, 2, 4), (5, 1, 5), (1, 2, 1)]
)
def test_output_size(size, stride, after):
    assert output_size(size, stride) == after


class TestOp:
    """Numbers of single ops."""

    def test_depthwise(self):
        op = Op("depthwise", "conv", 16, 16, 10, 5, 3, 2, groups=16, norm=True)
        assert (op.weights, op.params, op.macs) == (144, 144 + 32, 144 * 25)
        assert (op.inputs, op.outputs) == (1600, 400)

    def test_linear(self):
        op = Op("linear", "linear", 10, 3, 1, 1, bias=True)
        assert (op.weights, op.params, op.macs) == (30, 33, 30)

    def test_pool(self):
        op = Op("pool", "pool", 10, 10, 7, 1, 7, 7)
        assert (op.weights, op.params, op.macs) == (0, 0, 0)


def test_tables_are_sums_of_blocks():
    every = everything(TOY.space)
    geometry = TOY.geometry()
    blocks = [geometry.blocks(a) for a in TOY.space.decode(every)]
    for size in TOY.resolutions:
        rows = every[:, 0] == TOY.resolutions.index(size)
        here = [b for b, r in zip(blocks, rows, strict=True) if r]
        for reduce, join in (("sum", sum), ("max", max)):
            found = geometry.separable(size, lambda b: b.ops[0].macs, reduce).evaluate(every[rows])
            assert found.dtype == np.int64
            assert found.tolist() == [join(b.ops[0].macs for b in bs) for bs in here]


def test_a_catalogue_is_worked_out_once_and_prices_once():
    geometry = evolve(TOY).geometry()
    asked = []
    geometry.separable(32, lambda b: asked.append(b) or 1, "sum")
    assert geometry.catalogue(32) is geometry.catalogue(32)
    assert len(asked) == len(geometry.catalogue(32).blocks)


@pytest.mark.parametrize("price", [0.5, 2**70])
def test_prices_that_are_no_small_whole_numbers(price):
    """They become floats; whole ones stay exact integers."""
    geometry = TOY.geometry()
    assert geometry.separable(32, lambda b: price, "max").factors[0].table.dtype == float
    assert geometry.separable(32, lambda b: 3, "max").factors[0].table.dtype == np.int64


def test_unused_places_cost_nothing():
    empty = Geometry(TOY.space, (Site("nowhere", (1,), lambda size, values: None),))
    assert empty.separable(32, lambda b: 7, "sum").factors[0].table.tolist() == [0, 0]


def test_equal_blocks_in_several_places_are_told_apart_by_kind():
    ops = (Op("conv", "conv", 3, 8, 32, 16),)
    sites = tuple(
        Site(kind, (), lambda size, values, kind=kind: Block(kind, kind, ops))
        for kind in ("a", "b")
    )
    geometry = Geometry(TOY.space, sites)
    prices = {"a": 1, "b": 5}
    found = geometry.separable(32, lambda b: prices[b.kind], "sum")
    assert [f.table.item() for f in found.factors] == [1, 5]
