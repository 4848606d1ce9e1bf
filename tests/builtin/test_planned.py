"""Bounds on planners' memory, on blocks that can be worked out by hand."""

from __future__ import annotations

import pytest
from attrs import evolve

from ofa_plugins_core.builtin import costs
from ofa_plugins_core.builtin.planned import (
    BOUNDS,
    Planner,
    cmsis_scratch,
    no_scratch,
    planned_items,
    torch_scratch,
)
from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.testing.toys import everything, toy_supernet

EXACT = Planner({}, 1)
"""Everything in place but the sum; no room for gaps."""


def mbconv(*, act="relu", se=False, out=4, stage=2):
    """4 channels at 10 × 10, 8 inside, kernel 3."""
    ops = [Op("expand", "conv", 4, 8, 10, 10, norm=True, activation=act)]
    ops.append(Op("depthwise", "conv", 8, 8, 10, 10, 3, groups=8, norm=True, activation=act))
    if se:
        ops.append(Op("se.reduce", "se", 8, 8, 1, 1, bias=True))
        ops.append(Op("se.expand", "se", 8, 8, 1, 1, bias=True))
    ops.append(Op("project", "conv", 8, out, 10, 10, norm=True))
    return Block("block", "mbconv", tuple(ops), shortcut=out == 4, stage=stage)


def steps(planner, block):
    return [count for _, count in planned_items(planner)(block)]


class TestOpByOp:
    """One op at a time, without gaps: what the planner really holds."""

    def test_as_liveness_where_everything_is_in_place(self):
        """And the sum, which needs a third buffer of the output's size."""
        assert steps(EXACT, mbconv()) == [1200, 2000, 1600, 1200]
        assert steps(EXACT, mbconv(out=6)) == [1200, 1600, 1400]

    def test_h_swish_in_three_buffers(self):
        """x, the gate, and x times the gate; then the next op reads the last."""
        found = steps(Planner({"h_swish": 3}, 1), mbconv(act="h_swish", out=6))
        assert found == [400 + 3 * 800, 800 + 3 * 800, 800 + 600]

    def test_squeeze_excite_writes_a_second_feature_map(self):
        found = steps(EXACT, mbconv(se=True, out=6))
        assert found[2:4] == [800 + 8 + 8, 800 + 8 + 2 * 8 + 800]
        twice = steps(Planner({}, 1, gated=2), mbconv(se=True, out=6))
        assert twice[3] == found[3] + 800

    def test_a_sum_in_place(self):
        assert steps(Planner({}, 1, fused_sum=True), mbconv())[-1] == 800

    def test_channels_in_blocks(self):
        found = steps(Planner({}, 1, pad=16), mbconv(out=6))
        assert found == [16 * 100 * 2, 16 * 100 * 2, 16 * 100 * 2]

    def test_the_image_in_float_and_in_bytes(self):
        stem = Block("stem", "stem", (Op("conv", "conv", 3, 8, 10, 5, 3, 2, norm=True),))
        assert steps(Planner({}, 1, image=5), stem) == [5 * 300, 300 + 200]

    def test_a_projected_shortcut_is_made_while_the_main_branch_waits(self):
        ops = (
            Op("reduce", "conv", 10, 4, 4, 4, activation="relu"),
            Op("spatial", "conv", 4, 4, 4, 2, 3, 2, activation="relu"),
            Op("expand", "conv", 4, 20, 2, 2),
            Op("shortcut.pool", "pool", 10, 10, 4, 2, 2, 2),
            Op("shortcut", "conv", 10, 20, 2, 2),
        )
        block = Block("block", "bottleneck", ops, stage=2, activation="relu")
        assert steps(EXACT, block) == [
            160 + 64,
            64 + 16 + 160,
            16 + 80 + 160,
            80 + 160 + 40,
            80 + 40 + 80,
            80 + 80 + 80,
        ]


class TestScratch:
    def test_of_cmsis_nn(self):
        """As its own functions give them: (channels, kernel) -> bytes."""
        stem = Op("conv", "conv", 3, 16, 64, 32, 3, 2)
        middle = Op("conv", "conv", 100, 104, 56, 56, 3)
        depthwise = Op("depthwise", "conv", 144, 144, 32, 32, 7, groups=144)
        found = [cmsis_scratch(op) for op in (stem, middle, depthwise)]
        assert found == [128, 3648, 24304]
        assert cmsis_scratch(Op("expand", "conv", 16, 96, 64, 64)) == 0

    def test_of_the_others(self):
        assert no_scratch(Op("spatial", "conv", 4, 4, 4, 2, 3, 2)) == 0

    @pytest.mark.parametrize(
        ("op", "items"),
        [
            # gathered columns: 9 pixels of 24 channels for each of 24 × 24
            (Op("spatial", "conv", 24, 24, 24, 24, 3), 124_416),
            # oneDNN: weights 9 · 16 · 16, input and output in 16 channels, less the output
            (Op("spatial", "conv", 12, 12, 48, 48, 3), 2304 + 2 * 36_864 - 27_648),
            # three channels are read as they are; the output's copy lies beside the output
            (Op("conv", "conv", 3, 12, 96, 48, 3, 2), 36_864),
            # depthwise; its profile has 8 channels fewer, of a processor with blocks of 8
            (Op("depthwise", "conv", 72, 72, 24, 24, 5, groups=72), 2000 + 80 * 576 + 8 * 576),
            # pixel by pixel: nothing on small maps, copies on large ones with several threads
            (Op("expand", "conv", 12, 40, 24, 24), 0),
            (Op("expand", "conv", 16, 64, 48, 48), 64 * 48**2),
        ],
    )
    def test_of_torch(self, op, items):
        """As profiles of single convolutions have them."""
        assert torch_scratch(op) == items


# what each bound comes to on two networks' blocks, worked out by hand below; items
STEM = Block("stem", "stem", (Op("conv", "conv", 3, 8, 10, 5, 3, 2, norm=True),))
BOTTLENECK = Block(
    "block",
    "bottleneck",
    (
        Op("reduce", "conv", 4, 4, 10, 10, activation="relu"),
        Op("spatial", "conv", 4, 20, 10, 10, 3, activation="relu"),
        Op("expand", "conv", 20, 4, 10, 10),
    ),
    stage=1,
)


class TestByHand:
    """Each bound as it is offered, not its parts."""

    def worked_out(self, name, block):
        return steps(BOUNDS[name].holds, block)

    def test_image_of_cortex_m_counts_as_bytes_and_as_float(self):
        """4 + 1 bytes of each of 300 items; three ops count together: output and scratch, too."""
        assert cmsis_scratch(STEM.ops[0]) == 128
        assert self.worked_out("cortex_m", STEM) == [5 * 300 + 200 + 128, 300 + 200 + 128]

    def test_gap_before_the_first_bottleneck_is_that_of_the_pooling(self):
        """Four times the block's input of 400 items, in each of two places."""
        block = evolve(BOTTLENECK, shortcut=False)
        alive = steps(evolve(BOUNDS["onnxruntime_int8"].holds, gap=0), block)
        found = self.worked_out("onnxruntime_int8", block)
        assert [b - a for a, b in zip(alive, found, strict=True)] == [2 * 4 * 400] * 3

    def test_torch_holds_its_columns_and_what_batch_norm_writes(self):
        """Reduce: input, two outputs; spatial: input, 36 columns of 100, two outputs; expand."""
        assert self.worked_out("torch", BOTTLENECK) == [
            400 + 2 * 400,
            400 + 3600 + 2 * 2000,
            2000 + 2 * 400,
        ]


class TestGaps:
    """Ops in a row count together, and a buffer that does not fit below the block's input."""

    def test_two_in_a_row(self):
        """Expand and depthwise: input, both feature maps; depthwise and project: all four."""
        found = steps(Planner({}, 2), mbconv())
        assert found[:2] == [400 + 800 + 800, 400 + 800 + 800 + 400]

    def test_the_largest_buffer_once_more(self):
        plain = steps(EXACT, mbconv())
        for times in (1, 2):
            wider = steps(Planner({}, 1, gap=times), mbconv())
            assert [b - a for a, b in zip(plain, wider, strict=True)] == [times * 800] * 4

    def test_before_the_first_stage_only_the_stem_leaves_gaps(self):
        first = mbconv(out=6, stage=1)
        found = steps(Planner({}, 1, gap=1), first)
        assert found[0] - steps(EXACT, first)[0] == 2 * 400


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_are_never_below_what_is_alive(name):
    """On every block of a toy, and block by block, so that they are searched exactly."""
    supernet = toy_supernet()
    entries = {e.name: e for e in costs.entries()}
    bound = entries[f"peak_memory_planned_{name}"].build(supernet, None)
    alive = entries["peak_memory_mcunet"].build(supernet, None)
    genes = everything(supernet.space)[::7]
    assert (bound.evaluate(genes) >= alive.evaluate(genes)).all()
    assert bound.separable(supernet.resolutions[0]).reduce == "max"
    assert bound.bounds == BOUNDS[name].plans
