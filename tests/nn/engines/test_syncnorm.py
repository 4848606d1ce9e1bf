"""Batch norm over all processes: two with parts of a batch are one with the whole."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.engines.alone import Alone  # noqa: E402
from ofa_plugins_core.nn.syncnorm import synchronised  # noqa: E402


@pytest.fixture(scope="module")
def worker():
    """The program of the workers, as a module."""
    path = Path(__file__).with_name("worker.py")
    spec = importlib.util.spec_from_file_location("engines_worker", path)
    module = importlib.util.module_from_spec(spec)
    filters = list(sys.modules["warnings"].filters)
    spec.loader.exec_module(module)
    sys.modules["warnings"].filters[:] = filters
    return module


def test_two_processes_train_as_one_with_both_batches(found, worker):
    with joined("cpu", "alone") as engine:
        whole = worker.trained(engine, (0, worker.FEW + worker.MANY))
    for rank, one in enumerate(found("norm")):
        assert one[torch.float64].keys() == whole.keys()
        for name, value in whole.items():
            precise, low = one[torch.float64][name], one[torch.bfloat16][name]
            torch.testing.assert_close(precise, value, rtol=1e-10, atol=1e-10)
            assert low.dtype in (torch.float32, torch.int64)
            torch.testing.assert_close(low.to(value.dtype), value, rtol=0.1, atol=0.1)
        # an image of one pixel is enough in each: together they are two
        assert one["pixel"][0].tolist() == pytest.approx([0, 2 * rank - 1], abs=1e-4)


class Mirrored(Alone):
    """Two processes that always hold the same."""

    def sum_(self, tensor, name):
        tensor.mul_(2)


TWO = Mirrored(0, 2, torch.device("cpu"))


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16, torch.float16])
def test_outputs_and_gradients_have_the_types_of_their_inputs(kind):
    x = torch.randn(4, 3, 5, 5, dtype=kind, requires_grad=True)
    norm = nn.BatchNorm2d(3)
    with synchronised(TWO):
        out = norm(x)
        out.square().sum().backward()
    assert (out.dtype, x.grad.dtype, norm.weight.grad.dtype) == (kind, kind, torch.float32)
    alone = nn.BatchNorm2d(3)(x.detach().float())
    torch.testing.assert_close(out.float(), alone, rtol=0.02, atol=0.02)


def test_a_mean_far_from_zero_costs_no_digits():
    x = torch.randn(64, 3, 8, 8) + 1000
    plain, ours = nn.BatchNorm2d(3), nn.BatchNorm2d(3)
    with synchronised(TWO):
        out = ours(x)
    reference = nn.BatchNorm2d(3).double()(x.double())
    assert (out - reference).abs().max() <= 1.1 * (plain(x) - reference).abs().max() + 1e-6


def test_the_gradient_is_that_of_the_sum_of_all_losses():
    torch.manual_seed(0)
    x = torch.randn(3, 2, 2, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(2, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(2, dtype=torch.float64, requires_grad=True)
    far = torch.randn(3, 2, 2, 2, dtype=torch.float64)

    with synchronised(TWO):
        ours = nn.functional.batch_norm(x, None, None, weight, bias, training=True)
        found = torch.autograd.grad((ours * far).sum(), (x, weight, bias))
    # both halves of twice the batch are x: through each comes half of the gradient
    both = torch.cat([x, x])
    whole = nn.functional.batch_norm(both, None, None, weight, bias, True)
    loss = (whole * torch.cat([far, far])).sum() / 2
    expected = torch.autograd.grad(loss, (x, weight, bias))
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_evaluation_one_process_and_the_time_after_are_left_alone():
    norm, x = nn.BatchNorm2d(3), torch.randn(4, 3, 5, 5)
    with synchronised(Alone(0, 1, torch.device("cpu"))):
        assert torch.equal(norm(x), nn.BatchNorm2d(3)(x))
    norm.eval()
    expected = norm(x)
    with synchronised(TWO):
        assert torch.equal(norm(x), expected)
    norm.train()
    assert torch.equal(norm(x), nn.BatchNorm2d(3)(x))


def test_one_value_a_channel_in_all_is_refused_as_torch_refuses_it():
    class Empty(Alone):
        """The other process holds nothing."""

    with (
        synchronised(Empty(0, 2, torch.device("cpu"))),
        pytest.raises(ValueError, match="Expected more than 1 value per channel"),
    ):
        nn.BatchNorm1d(2)(torch.ones(1, 2))


def test_a_process_without_images_takes_part():
    class Other(Alone):
        """The other process holds three values with mean 2 and variance 1."""

        def sum_(self, tensor, name):
            tensor.add_(torch.tensor([6.0, 15, 3]) if name.startswith("norm.forward") else 0)

    norm = nn.BatchNorm1d(1, momentum=1.0)
    with synchronised(Other(0, 2, torch.device("cpu"))):
        out = norm(torch.empty(0, 1))
    assert out.shape == (0, 1)
    assert (float(norm.running_mean), float(norm.running_var)) == pytest.approx((2, 1.5))
