"""What levels have in common lies in memory once, and every level answers as before."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from dynamic_ofa.switching.sharing import (  # noqa: E402
    PointwiseView,
    is_strided_pointwise,
    share,
    storage_bytes,
    tensor_bytes,
)

FLOAT = 4
WHOLE = torch.rand(8, 8, 1, 1, generator=torch.Generator().manual_seed(1))


def conv(out, into, whole=WHOLE):
    """A pointwise convolution by a copy of a leading slice."""
    made = nn.Conv2d(into, out, 1, bias=False)
    made.weight = nn.Parameter(whole[:out, :into].clone())
    return made.eval()


def answers(network, images):
    with torch.inference_mode():
        return network(images)


def held(networks):
    return storage_bytes(t for n in networks for t in (*n.parameters(), *n.buffers()))


def test_a_leading_slice_lies_in_the_larger_tensor():
    large, small = conv(8, 8), conv(4, 6)
    share([small, large])
    assert held([large, small]) == tensor_bytes(large) == 64 * FLOAT
    assert torch.equal(small.weight, WHOLE[:4, :6])


def test_slices_of_which_none_is_the_larger_lie_in_one_storage_for_both():
    wide, deep = conv(8, 6), conv(6, 8)
    share([wide, deep])
    assert held([wide, deep]) == 64 * FLOAT


def test_room_for_both_that_is_more_than_room_for_each_is_not_taken():
    wide, deep = conv(8, 1), conv(1, 8)
    share([wide, deep])
    assert held([wide, deep]) == 16 * FLOAT


def test_what_differs_anywhere_in_common_stays_apart():
    one, two = conv(4, 4), conv(4, 4)
    with torch.no_grad():
        two.weight[3, 3] += 1
    before = two.weight.clone()
    share([one, two])
    assert held([one, two]) == 32 * FLOAT
    assert torch.equal(two.weight, before)


def test_what_agrees_with_one_of_two_in_a_storage_alone_stays_apart():
    wide, tall, third = conv(8, 6), conv(6, 8), conv(2, 8)
    with torch.no_grad():
        third.weight[0, 7] += 1  # where tall has a number, and wide has none
    before = third.weight.clone()
    share([wide, tall, third])
    assert torch.equal(third.weight, before)
    assert torch.equal(tall.weight, WHOLE[:6, :8])
    assert held([wide, tall, third]) == (64 + 16) * FLOAT


def test_parameters_stay_parameters_and_buffers_buffers():
    networks = [nn.Sequential(conv(4, 4), nn.BatchNorm2d(4)).eval() for _ in range(2)]
    names = (
        [n for n, _ in networks[0].named_parameters()],
        [n for n, _ in networks[0].named_buffers()],
    )
    share(networks)
    for network in networks:
        assert [n for n, _ in network.named_parameters()] == names[0]
        assert [n for n, _ in network.named_buffers()] == names[1]
        assert not any(p.requires_grad for p in network.parameters())


sides = st.tuples(st.integers(1, 8), st.integers(1, 8))


@settings(max_examples=60, deadline=None)
@given(st.lists(sides, min_size=1, max_size=5))
def test_any_slices_answer_as_before_in_no_more_memory(shapes):
    apart, shared = ([conv(*shape) for shape in shapes] for _ in range(2))
    share(shared)
    assert held(shared) <= held(apart)
    for one, two in zip(apart, shared, strict=True):
        images = torch.rand(1, one.in_channels, 3, 2)
        assert torch.equal(one.weight, two.weight)
        assert torch.allclose(answers(one, images), answers(two, images), atol=1e-6)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_product_of_matrices_is_the_convolution(bias, count, layout):
    made = nn.Conv2d(5, 4, 1, bias=bias).eval()
    dense = made.weight.detach().clone()
    made.weight = nn.Parameter(torch.zeros(6, 7, 1, 1)[:4, :5].copy_(dense), requires_grad=False)
    assert is_strided_pointwise(made)
    images = torch.rand(count, 5, 3, 2).contiguous(memory_format=layout)
    due = torch.conv2d(images, dense, made.bias)
    made.__class__ = PointwiseView
    assert torch.allclose(answers(made, images), due, atol=1e-6)


@pytest.mark.parametrize(
    "setting", [{"kernel_size": 3}, {"stride": 2}, {"groups": 2}, {"padding": 1}]
)
def test_other_convolutions_are_left_as_they_are(setting):
    made = nn.Conv2d(4, 4, **{"kernel_size": 1, **setting})
    weight = made.weight.detach()
    wider = torch.zeros(8, 8, *weight.shape[2:])[:4, : weight.shape[1]]
    made.weight = nn.Parameter(wider)
    assert not is_strided_pointwise(made)
