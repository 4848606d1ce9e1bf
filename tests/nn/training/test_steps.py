"""One step: gradients of several subnets and blocks, one update."""

import math
from copy import deepcopy

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.engines.alone import Alone  # noqa: E402
from ofa_plugins_core.nn.pictures import normalised  # noqa: E402
from ofa_plugins_core.nn.running import Runner  # noqa: E402
from ofa_plugins_core.nn.training.losses import Loss  # noqa: E402
from ofa_plugins_core.nn.training.steps import (  # noqa: E402
    Stepper,
    optimiser_of,
    seed_of,
)

CLASSES = 3
PLAIN = Loss(0.0, 1.0)


class Gated(nn.Module):
    """A network of two subnets: with its second layer, and without."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.second = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.head = nn.Linear(4, CLASSES)
        self.drop = nn.Dropout(0.5)
        self.deep = True

    def activate(self, arch):
        self.deep = arch

    def forward(self, x):
        x = self.first(x)
        x = self.second(x) if self.deep else x
        return self.head(self.drop(x.mean((2, 3))))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Gated().train()


@pytest.fixture
def runner():
    with joined("cpu") as engine:
        yield Runner(engine)


def stepper(net, runner, loss=PLAIN, momentum=0.0, decay=0.0, rate=0.1, **more):
    optimiser = optimiser_of(net, momentum, decay)
    for group in optimiser.param_groups:
        group["lr"] = rate
    return Stepper(net, optimiser, loss, runner, net.activate, **more)


def block(number, images=4, size=9):
    generator = torch.Generator().manual_seed(number)
    pixels = torch.randint(0, 256, (images, 3, size, size), generator=generator).byte()
    return pixels, torch.randint(0, CLASSES, (images,), generator=generator)


def parameters(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def test_gradients_of_the_subnets_of_a_step_add_up(net, runner):
    """One step with two subnets moves the weights as far as each alone, together."""
    net.drop.p = 0.0
    start = parameters(net)
    moved = []
    for archs in ([True], [False], [True, False]):
        other = deepcopy(net)
        stepper(other, runner).step(archs, [block(0)], [1])
        moved.append(parameters(other) - start)
    torch.testing.assert_close(moved[2], moved[0] + moved[1])


def test_the_loss_of_a_step_is_summed_over_subnets_and_averaged_over_blocks(net, runner):
    net.drop.p = 0.0
    alone = [
        stepper(deepcopy(net), runner).step([arch], [block(n)], [1])
        for arch in (True, False)
        for n in (0, 1)
    ]
    found = stepper(net, runner).step([True, False], [block(0), block(1)], [1, 1])
    assert found == pytest.approx(sum(alone) / 2)


def test_two_blocks_move_the_statistics_as_two_workers_would(net, runner):
    """Each from where they were; their mean is kept."""
    each = []
    for number in (0, 1):
        other = deepcopy(net)
        stepper(other, runner).step([True], [block(number)], [7])
        each.append({k: v.clone() for k, v in other.named_buffers()})
    stepper(net, runner).step([True], [block(0), block(1)], [7, 7])
    for name, buffer in net.named_buffers():
        mean = (each[0][name] + each[1][name]) / 2
        torch.testing.assert_close(buffer.double(), mean.double())


def test_dropout_depends_on_the_seed_of_the_block_alone(net, runner):
    torch.rand(3)
    first, second = deepcopy(net), deepcopy(net)
    stepper(first, runner).step([True], [block(0)], [5])
    torch.rand(5)
    stepper(second, runner).step([True], [block(0)], [5])
    assert torch.equal(parameters(first), parameters(second))
    third = deepcopy(net)
    stepper(third, runner).step([True], [block(0)], [6])
    assert not torch.equal(parameters(first), parameters(third))


def test_a_gradient_that_did_not_fit_on_its_way_updates_nothing(net, monkeypatch):
    """As compressed ones may not; the loss is sound then."""

    def overflown(self, tensor, name):
        tensor[0] = math.inf

    monkeypatch.setattr(Alone, "mean_", overflown)
    pair = Runner(Alone(0, 2, torch.device("cpu")))
    before = parameters(net)
    assert stepper(net, pair).step([True], [block(0)], [1]) == math.inf
    assert torch.equal(parameters(net), before)


def test_a_loss_that_is_no_number_updates_nothing(net, runner):
    with torch.no_grad():
        net.head.weight[0, 0] = math.inf
    before = parameters(net)
    assert not math.isfinite(stepper(net, runner).step([True], [block(0)], [1]))
    assert torch.equal(parameters(net), before)


def test_weights_decay_but_batch_norm_and_biases_do_not(net):
    decayed, kept = optimiser_of(net, 0.9, 3e-5).param_groups
    assert (decayed["weight_decay"], kept["weight_decay"]) == (3e-5, 0.0)
    assert {id(p) for p in decayed["params"]} == {
        id(m.weight) for m in net.modules() if isinstance(m, nn.Conv2d | nn.Linear)
    }
    assert decayed["nesterov"]


def test_a_teacher_adds_the_cross_entropy_with_its_answers(net, runner):
    """Source: Once-for-All: loss = labels + kd_ratio · teacher."""
    net.drop.p = 0.0
    teacher = deepcopy(net).eval()
    pixels, labels = block(0)
    images = normalised(pixels)
    with torch.no_grad():
        taught = teacher(images).softmax(1)
        logits = deepcopy(net)(images)
        hard = nn.functional.cross_entropy(logits, labels, label_smoothing=0.1)
        soft = -(taught * logits.log_softmax(1)).sum(1).mean()
    found = stepper(net, runner, Loss(0.1, 0.5), teacher=teacher).step([True], [block(0)], [1])
    assert found == pytest.approx(float(hard + 0.5 * soft))


def test_in_place_the_first_subnet_teaches_the_others(net, runner):
    net.drop.p = 0.0
    pixels, labels = block(0)
    images = normalised(pixels)
    with torch.no_grad():
        other = deepcopy(net)
        first = other(images)
        other.activate(False)
        second = other(images)
        hard = sum(float(nn.functional.cross_entropy(x, labels)) for x in (first, second))
        soft = float(-(first.softmax(1) * second.log_softmax(1)).sum(1).mean())
    step = stepper(net, runner, in_place=True)
    assert step.step([True, False], [block(0)], [1]) == pytest.approx(hard + soft)


def test_bfloat16_trains_the_same_network_roughly(net, runner):
    net.drop.p = 0.0
    low = Runner(runner.engine, precision="bf16")
    exact = stepper(deepcopy(net), runner).step([True], [block(0, 16)], [1])
    assert stepper(net, low).step([True], [block(0, 16)], [1]) == pytest.approx(exact, rel=0.02)
    assert all(p.dtype == torch.float32 for p in net.parameters())


def test_channels_last_changes_the_layout_alone(net, runner):
    net.drop.p = 0.0
    other = deepcopy(net)
    laid = Runner(runner.engine, channels_last=True)
    exact = stepper(net, runner).step([True], [block(0)], [1])
    found = stepper(laid.placed(other), laid).step([True], [block(0)], [1])
    assert found == pytest.approx(exact, rel=1e-5)
    assert other.first[0].weight.is_contiguous(memory_format=torch.channels_last)


def test_seeds_of_different_keys_differ():
    keys = [(0, 1, 2, 3), (0, 1, 3, 2), (1, 0, 2, 3), (0, 1, 2, 4)]
    assert len({seed_of(*key) for key in keys}) == len(keys)
    assert seed_of(1, 2) == seed_of(1, 2) < 2**63
