"""ExecuTorch's files: equal to the eager network in their runtime, or not there at all."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("executorch")
pytest.importorskip("torchao")

from torch import nn  # noqa: E402

from ofa_plugins_core.errors import InputError  # noqa: E402
from ofa_plugins_core.nn import executorch_export  # noqa: E402
from ofa_plugins_core.nn.card import Card  # noqa: E402
from ofa_plugins_core.nn.checking import random_images  # noqa: E402
from ofa_plugins_core.nn.executorch_export import (  # noqa: E402
    card_of,
    int8_executorch,
    to_executorch,
)

SIZE = 32
# ExecuTorch's own modules warn when they are imported
pytestmark = pytest.mark.filterwarnings("ignore")


class Gate(nn.Module):
    """Squeeze-excite."""

    def __init__(self, channels: int):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Conv2d(channels, 8, 1), nn.ReLU(), nn.Conv2d(8, channels, 1), nn.Hardsigmoid()
        )

    def forward(self, x):
        return x * self.fc(x.mean((2, 3), keepdim=True))


def network(seed: int = 0) -> nn.Module:
    """Every op of the family: stem, depthwise, gate, h_swish, relu6, pooling, classifier."""
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(inplace=True)]
    layers += [nn.Conv2d(8, 8, 5, 1, 2, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6()]
    layers += [Gate(8), nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16)]
    made = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    for part in made.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.1)
            part.running_var.uniform_(0.05, 0.1)
    return made


@pytest.fixture(scope="module")
def made():
    return network()


def images(n: int, seed: int = 0) -> list[np.ndarray]:
    return [random_images(n, SIZE, np.random.default_rng(seed))]


class TestFloat:
    @pytest.mark.parametrize("backend", ["xnnpack", "portable"])
    def test_is_the_eager_network(self, made, tmp_path, backend):
        path = tmp_path / "n.pte"
        found = to_executorch(made, SIZE, path, backend=backend, card=Card("toy"))
        assert found.relative_difference < 1e-5
        assert found.runtime.startswith("executorch ") and backend in found.runtime
        assert found.bytes == path.stat().st_size
        assert card_of(path)["supernet"] == "toy"
        assert card_of(path)["image_size"] == SIZE

    def test_several_at_once(self, made, tmp_path):
        path = tmp_path / "n.pte"
        found = to_executorch(made, SIZE, path, dynamic_batch=True, images=images(9))
        assert (found.given, found.inputs_checked) == (9, 9)
        assert found.relative_difference < 1e-5

    def test_another_function_leaves_nothing(self, made, tmp_path, monkeypatch):
        monkeypatch.setattr(executorch_export, "folded", lambda module: network(1).eval())
        with pytest.raises(InputError, match="is not kept"):
            to_executorch(made, SIZE, tmp_path / "n.pte", backend="portable")
        assert not list(tmp_path.iterdir())


def test_int8(made, tmp_path):
    batches = [*images(8, 1), *images(8, 2)]
    found = int8_executorch(made, SIZE, batches, tmp_path / "n.pte", images=batches[:1])
    assert found.difference.sqnr > 15
    assert (found.dtype, found.given, found.inputs_checked) == ("int8", 8, 8)


def test_int8_with_too_much_noise_leaves_nothing(made, tmp_path):
    with pytest.raises(InputError, match="dB are asked for"):
        int8_executorch(made, SIZE, images(8), tmp_path / "n.pte", least_sqnr=80.0)
    assert not list(tmp_path.iterdir())
