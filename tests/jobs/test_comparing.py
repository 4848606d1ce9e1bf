"""Why a plan differs from the definitions, on a plan that is written down."""

from __future__ import annotations

from ofa_plugins_core.geometry import Block, Op
from ofa_plugins_core.jobs.comparing import Defined, compared, place_of
from ofa_plugins_core.nn.planners.record import Moment, Plan, Tensor

EXPAND = Op("expand", "conv", 4, 12, 10, 10, norm=True, activation="h_swish")
PROJECT = Op("project", "conv", 12, 4, 10, 10, norm=True)
BLOCK = Block("stage 1 block 2", "mbconv", (EXPAND, PROJECT), shortcut=True, stage=1)


def int8(*shape):
    size = 1
    for n in shape:
        size *= n
    return Tensor("", shape, "int8", size)


def plan_of(*tensors, op="mul", activations=4000, version="1", scratch=None):
    peak = Moment(op, tensors)
    return Plan("p", version, "int8", activations, None, scratch, None, peak, "")


def reasons(*tensors, **given):
    return [
        (size, why) for _, size, why in compared(plan_of(*tensors, **given), {}, [BLOCK]).reasons
    ]


def test_the_place_of_a_moment_whichever_way_it_is_laid_out():
    for tensors in ((int8(1, 4, 10, 10), int8(1, 12, 10, 10)), (int8(1, 10, 10, 12),)):
        block, op = place_of(tensors, [BLOCK])
        assert (block.name, op.name) == ("stage 1 block 2", "expand")
    assert place_of((int8(1, 5, 7, 7),), [BLOCK]) is None


def test_roles_copies_scratch_and_gaps():
    full = int8(1, 12, 10, 10)
    found = reasons(
        full, full, full, int8(1, 4, 10, 10), Tensor("", (64,), "scratch", 64), activations=4164
    )
    assert found == [
        (1200, "output of the op"),
        (1200, "another copy: h_swish is not done in place"),
        (1200, "another copy: h_swish is not done in place"),
        (400, "input of the op"),
        (64, "scratch: rows gathered for the kernel; no definition counts it"),
        (100, "fragmentation: a freed place was too small"),
    ]


def test_the_residual_and_a_float_island():
    island = Tensor("", (1, 12, 10, 10), "fp32", 4800)
    found = reasons(island, int8(1, 4, 10, 10), int8(1, 4, 10, 10), activations=5600)
    assert found == [
        (4800, "output of the op; float inside an int8 network"),
        (400, "input of the op"),
        (400, "the block's input, kept for the sum"),
    ]


def test_channels_in_blocks():
    """Only where the planner lays them out so."""
    padded = int8(1, 16, 10, 10)
    tensors = (padded, int8(1, 4, 10, 10))
    assert "padded" in reasons(*tensors, version="channels in blocks", activations=2000)[0][1]
    assert "padded" not in reasons(*tensors, activations=2000)[0][1]


def test_definitions_below_a_plan_and_its_bound():
    defined = {
        "low": Defined(3000, "items", "", ""),
        "high": Defined(4000, "items", "", ""),
        "bound": Defined(4500, "items", "", "", ("p", "int8")),
        "another's": Defined(10, "items", "", "", ("q", "int8")),
    }
    found = compared(plan_of(int8(1, 12, 10, 10)), defined, [BLOCK])
    assert (found.understated, found.bound) == (("low",), ("bound", 4500))
    assert found.as_json()["bound"]["holds"]
