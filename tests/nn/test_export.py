"""Exported files: equal to the eager network in their runtime, or not there at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
pytest.importorskip("onnxruntime")

from torch import nn  # noqa: E402

from ofa_plugins_core.errors import InputError, MissingExtraError  # noqa: E402
from ofa_plugins_core.nn import onnx_export  # noqa: E402
from ofa_plugins_core.nn.card import Card  # noqa: E402
from ofa_plugins_core.nn.checking import difference, random_images  # noqa: E402
from ofa_plugins_core.nn.onnx_export import onnx_run, to_onnx  # noqa: E402

SIZE = 32


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


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    card = Card("toy", {"ks": [5]}, SIZE, [f"class {i}" for i in range(10)])
    path = tmp_path_factory.mktemp("onnx") / "network.onnx"
    return to_onnx(made, SIZE, path, card=card, images=[random_images(4, SIZE, generator())])


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestOnnx:
    def test_is_the_eager_network_at_any_batch(self, made, exported):
        run = onnx_run(exported.path)
        made.eval()
        for n in (1, 2, 3, 7):
            images = random_images(n, SIZE, generator(n))
            with torch.no_grad():
                wanted = made(torch.from_numpy(images)).numpy()
            assert np.abs(run(images) - wanted).max() <= 1e-5 * np.abs(wanted).max()

    def test_reports_what_was_compared(self, exported):
        assert exported.relative_difference < 1e-5
        assert exported.top1_agreement == 1
        assert (exported.given, exported.inputs_checked) == (4, 4)
        assert exported.runtime.startswith("onnxruntime ")
        assert exported.bytes == exported.path.stat().st_size
        assert {m.kind for m in exported.measurements().values()} == {"measured"}
        assert all(m.unit for m in exported.measurements().values())

    def test_file_says_what_it_is_and_not_where_it_was_made(self, exported):
        kept = {p.key: p.value for p in onnx.load(exported.path).metadata_props}
        assert kept["ofa.supernet"] == "toy"
        assert json.loads(kept["ofa.arch"]) == {"ks": [5]}
        assert json.loads(kept["ofa.image_size"]) == SIZE
        assert json.loads(kept["ofa.classes"])[9] == "class 9"
        assert json.loads(kept["ofa.mean"]) == [0.485, 0.456, 0.406]
        assert kept["ofa.made_by"].startswith("ofa-plugins")
        assert os.fsencode(str(Path(__file__).parents[2])) not in exported.path.read_bytes()
        assert b"site-packages" not in exported.path.read_bytes()

    def test_network_stays_as_it_is(self, tmp_path):
        made = network().train()
        before = {k: v.clone() for k, v in made.state_dict().items()}
        to_onnx(made, SIZE, tmp_path / "n.onnx", dynamic_batch=False)
        assert made.training and made[2].inplace
        assert all(torch.equal(v, before[k]) for k, v in made.state_dict().items())

    def test_nothing_is_printed(self, made, tmp_path, capfd, recwarn):
        to_onnx(made, SIZE, tmp_path / "n.onnx", dynamic_batch=False)
        assert capfd.readouterr().out == ""
        assert not recwarn.list


class TestRefusal:
    """The checks are run on a model that was exported once: exporting is what takes long."""

    @pytest.fixture(autouse=True)
    def model(self, exported, monkeypatch):
        found = onnx.load(exported.path)
        monkeypatch.setattr(onnx_export, "onnx_model", lambda *given: found)
        return found

    def test_another_function_leaves_nothing(self, tmp_path):
        with pytest.raises(InputError, match=r"n\.onnx is not kept.*differs.*1e-05 is allowed"):
            to_onnx(network(1), SIZE, tmp_path / "n.onnx", tolerance=1e-5)
        assert not list(tmp_path.iterdir())

    def test_an_old_file_stays_when_the_new_one_fails(self, tmp_path):
        (tmp_path / "n.onnx").write_bytes(b"old")
        with pytest.raises(InputError):
            to_onnx(network(1), SIZE, tmp_path / "n.onnx")
        assert (tmp_path / "n.onnx").read_bytes() == b"old"
        assert len(list(tmp_path.iterdir())) == 1

    def test_full_disk_leaves_nothing(self, made, tmp_path, monkeypatch):
        def full(path, content):
            path.open("wb").close()
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match=r"cannot write .*n\.onnx: No space left") as error:
            to_onnx(made, SIZE, tmp_path / "n.onnx")
        assert error.value.exit_code == 5
        assert not list(tmp_path.iterdir())

    def test_an_interruption_leaves_nothing(self, made, tmp_path, monkeypatch):
        def stop(*given):
            raise KeyboardInterrupt

        monkeypatch.setattr(onnx_export, "onnx_run", stop)
        with pytest.raises(KeyboardInterrupt):
            to_onnx(made, SIZE, tmp_path / "n.onnx")
        assert not list(tmp_path.iterdir())

    def test_a_model_that_does_not_run_leaves_nothing(self, made, tmp_path, model):
        model.graph.node[0].op_type = "NoSuchOp"
        with pytest.raises(InputError, match="ONNX Runtime does not take"):
            to_onnx(made, SIZE, tmp_path / "n.onnx")
        assert not list(tmp_path.iterdir())

    def test_missing_extra_says_what_to_install(self, made, tmp_path, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"\[export\]") as error:
            to_onnx(made, SIZE, tmp_path / "n.onnx")
        assert error.value.exit_code == 2
        assert "pip install" in error.value.advice


class TestDifference:
    WANTED = np.array([[1.0, 2.0], [3.0, -4.0]])
    INPUTS = (np.zeros((2, 3, 4, 4), np.float32),)

    def compared(self, got):
        return difference(lambda x: self.WANTED, lambda x: np.array(got), self.INPUTS, "n.onnx")

    def test_numbers(self):
        found = self.compared([[1.0, 2.0], [3.0, -2.0]])
        assert found.maximum == 2
        assert found.relative == 0.5
        assert found.top1 == 1
        assert found.inputs == 2
        assert found.sqnr == pytest.approx(10 * np.log10(30 / 4))
        assert found.cosine == pytest.approx(22 / (30**0.5 * 18**0.5))

    def test_equal(self):
        found = self.compared(self.WANTED)
        assert (found.maximum, found.sqnr) == (0, float("inf"))
        assert found.cosine == pytest.approx(1)

    def test_best_class(self):
        assert self.compared([[2.0, 1.0], [3.0, -4.0]]).top1 == 0.5

    @pytest.mark.parametrize(
        ("got", "why"),
        [
            ([[1.0, np.nan], [3.0, -4.0]], "no finite numbers"),
            ([[1.0, np.inf], [3.0, -4.0]], "no finite numbers"),
            ([[1.0, 1.0], [1.0, 1.0]], "the same logits whatever"),
            ([[1.0], [3.0]], "logits of shape"),
        ],
    )
    def test_what_is_no_network(self, got, why):
        with pytest.raises(InputError, match=why):
            self.compared(got)
