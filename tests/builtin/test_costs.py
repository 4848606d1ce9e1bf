"""Definitions of the computed costs, on blocks that can be worked out by hand."""

from __future__ import annotations

import pytest

from ofa_plugins_core.builtin import costs
from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.testing.toys import everything, toy_supernet

TOY = toy_supernet()


def mbconv(channels, mid, out, size, *, stride=1, expand=True, se=False):
    """A block with kernel 3."""
    after = -(-size // stride)
    ops = [Op("expand", "conv", channels, mid, size, size, norm=True)] if expand else []
    ops.append(Op("depthwise", "conv", mid, mid, size, after, 3, stride, groups=mid, norm=True))
    if se:
        ops.append(Op("se.reduce", "se", mid, 8, 1, 1, bias=True))
        ops.append(Op("se.expand", "se", 8, mid, 1, 1, bias=True))
    ops.append(Op("project", "conv", mid, out, after, after, norm=True))
    return Block("block", "mbconv", tuple(ops), shortcut=stride == 1 and channels == out)


def bottleneck():
    """Position 0 of a stage: a pooled shortcut with a convolution of its own, 4 × 4 to 2 × 2."""
    ops = (
        Op("reduce", "conv", 10, 4, 4, 4),
        Op("spatial", "conv", 4, 4, 4, 2, 3, 2),
        Op("expand", "conv", 4, 20, 2, 2),
        Op("shortcut.pool", "pool", 10, 10, 4, 2, 2, 2),
        Op("shortcut", "conv", 10, 20, 2, 2),
    )
    return Block("block", "bottleneck", ops)


def items(definition, block):
    return {op.name: count for op, count in definition(block)}


class TestMoofa:
    """Input, output and weights of each convolution; the block's input during the depthwise."""

    def test_with_a_shortcut(self):
        found = items(costs.moofa_items, mbconv(4, 8, 4, 10, se=True))
        assert found == {
            "expand": 400 + 800 + 32,
            "depthwise": 800 + 800 + 72 + 400,
            "project": 800 + 400 + 32,
        }

    def test_without(self):
        found = items(costs.moofa_items, mbconv(4, 8, 6, 10, stride=2))
        assert found["depthwise"] == 800 + 200 + 72

    def test_the_input_counts_twice_without_an_expand_convolution(self):
        """The published numbers do so."""
        found = items(costs.moofa_items, mbconv(4, 4, 4, 10, expand=False))
        assert found["depthwise"] == 400 + 400 + 36 + 400

    def test_what_does_not_count(self):
        ops = (Op("pool", "pool", 9, 9, 3, 1, 3, 3), Op("linear", "linear", 9, 5, 1, 1, bias=True))
        block = Block("classifier", "classifier", ops)
        assert items(costs.moofa_items, block) == {}
        assert costs.peak(costs.moofa_items)(block) == 0

    def test_bottlenecks_are_our_extension(self):
        found = items(costs.moofa_items, bottleneck())
        assert found == {
            "reduce": 160 + 64 + 40,
            "spatial": 64 + 16 + 144,
            "expand": 16 + 80 + 80,
            "shortcut": 40 + 80 + 200,
        }


class TestMcunet:
    """Activations only: the block's input during the ops that do not read it."""

    def test_with_a_shortcut(self):
        found = items(costs.alive, mbconv(4, 8, 4, 10))
        assert found == {"expand": 1200, "depthwise": 1600 + 400, "project": 1200 + 400}

    def test_an_input_that_is_read_counts_once(self):
        found = items(costs.alive, mbconv(4, 4, 4, 10, expand=False))
        assert found == {"depthwise": 800, "project": 800 + 400}

    def test_squeeze_excite_keeps_its_feature_map(self):
        found = items(costs.alive, mbconv(4, 8, 6, 10, se=True))
        assert found["se.reduce"] == 8 + 8 + 800

    def test_a_projected_shortcut_comes_last(self):
        found = items(costs.alive, bottleneck())
        assert found["reduce"] == 160 + 64
        assert found["spatial"] == 64 + 16 + 160
        assert found["expand"] == 16 + 80 + 160
        assert found["shortcut"] == 40 + 80 + 80


class TestLiveness:
    """Activations that are alive, and the weights of convolutions on the feature map."""

    BLOCK = mbconv(4, 8, 4, 10, se=True)

    def test_the_residual_stays_during_the_project_convolution(self):
        found, moofa = items(costs.liveness_items, self.BLOCK), items(costs.moofa_items, self.BLOCK)
        assert found["project"] == moofa["project"] + 400
        assert (found["expand"], found["depthwise"]) == (moofa["expand"], moofa["depthwise"])
        assert found["se.expand"] == 8 + 8 + 800 + 400

    def test_in_place(self):
        found = items(costs.liveness_inplace_items, self.BLOCK)
        assert found["depthwise"] == 800 + 100 + 72 + 400

    def test_all_weights(self):
        found = items(costs.liveness_weights_items, self.BLOCK)
        assert found["se.expand"] == 8 + 8 + 800 + 400 + 64 + 8
        assert found["project"] == items(costs.liveness_items, self.BLOCK)["project"]


def test_params_and_macs():
    block = mbconv(4, 8, 6, 10, stride=2, se=True)
    se = (8 * 8 + 8) + (8 * 8 + 8)
    assert costs.params(block) == (32 + 16) + (72 + 16) + se + (48 + 12)
    assert costs.macs(block) == 32 * 100 + 72 * 25 + 2 * 64 + 48 * 25


@pytest.mark.parametrize("entry", list(costs.entries()), ids=lambda e: e.name)
def test_every_cost_on_every_network(entry):
    """One number a network, by table as by its blocks."""
    model = entry.build(TOY, entry.options())
    genes = everything(TOY.space)[::11]
    values = model.evaluate(genes)
    assert (model.name, model.unit, model.kind) == (entry.name, entry.unit, "computed")
    join = sum if model.reduce == "sum" else max
    archs = TOY.space.decode(genes)
    assert values.tolist() == [join(map(model.price, TOY.geometry().blocks(a))) for a in archs]


def test_histories_end_at_the_peak():
    entry = next(e for e in costs.entries() if e.name == "peak_memory")
    model = entry.build(TOY, entry.options())
    arch = TOY.space.decode(everything(TOY.space)[:1])[0]
    history = model.history(arch)
    assert history[0][:2] == ("stem", "conv")
    assert max(count for _, _, count in history) == model.evaluate([arch])[0]


def test_weight_bytes():
    entries = {e.name: e for e in costs.entries()}
    genes = everything(TOY.space)[:5]
    params = entries["params"].build(TOY, entries["params"].options()).evaluate(genes)
    for dtype, size in (("int8", 1), ("fp16", 2), ("fp32", 4)):
        model = entries["weight_bytes"].build(TOY, costs.WeightBytesOptions(dtype))
        assert model.evaluate(genes).tolist() == (params * size).tolist()
        assert dtype in model.source
