"""Validation: named subnets, calibrated, on held-out images; training goes on as if nothing was."""

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from torch import nn  # noqa: E402

from ofa_plugins_core.nn.data import images_of  # noqa: E402
from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.evaluating import Supply  # noqa: E402
from ofa_plugins_core.nn.running import Runner  # noqa: E402
from ofa_plugins_core.nn.training.validating import Validation  # noqa: E402


class Wide(nn.Module):
    """An elastic network of one subnet, which it copies; it keeps what it has cut out."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.head, self.cut = nn.Linear(4, 10), []

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))

    def extract(self, arch):
        other = Wide()
        other.load_state_dict(self.state_dict())
        self.cut.append(other)
        return other.eval()


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Wide().train()


@pytest.fixture
def validation():
    held_out = Supply(images_of("digits", 12, split="val", limit=20), 10)
    calibration = Supply(images_of("digits", 12, split="train", limit=30), 10)
    with joined("cpu") as engine:
        yield Validation(held_out, calibration, Runner(engine), (12, 16))


def test_each_subnet_is_named_at_each_size_and_the_mean_is_theirs(net, validation):
    found = validation.of_supernet(net, {"smallest": None, "largest": None})
    assert set(found["top1"]) == {f"{n}@{s}" for n in ("smallest", "largest") for s in (12, 16)}
    assert found["mean"] == pytest.approx(sum(found["top1"].values()) / 4)


def test_subnets_are_calibrated_and_the_network_stays_as_it_is(net, validation):
    before = {k: v.clone() for k, v in net.state_dict().items()}
    validation.of_supernet(net, {"largest": None})
    assert net.training and net.body.training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
    assert not torch.equal(net.cut[0].body[1].running_mean, before["body.1.running_mean"])


def test_a_network_that_stands_alone_goes_on_in_its_mode_with_its_statistics(net, validation):
    before = {k: v.clone() for k, v in net.state_dict().items()}
    assert set(validation.of_network(net)["top1"]) == {"alone@12", "alone@16"}
    assert net.training and net.body.training
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())
