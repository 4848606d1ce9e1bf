"""``ofa run export``: real supernets as files that run elsewhere, checked from outside."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")

from ofa_plugins_core.jobs import exporting  # noqa: E402
from ofa_plugins_core.nn import onnx_export  # noqa: E402
from ofa_plugins_core.nn.checkpoints import synthetic_state  # noqa: E402

SLOTS = 20
V2 = {"ks": [3] * SLOTS, "e": [1, 1.5] * (SLOTS // 2), "d": [2] * 5, "image_size": 32}
NETWORK = ("--supernet", "moofa_v2", "--weights", "synthetic", "--classes", "10")
EXPORT = ("run", "export", *NETWORK, "--archs", "arch.jsonl")


@pytest.fixture
def ofa(ofa, tmp_path):
    """In a folder with a subnet."""
    (tmp_path / "arch.jsonl").write_text(json.dumps(V2) + "\n")
    return ofa


@pytest.fixture(scope="module")
def subnet(host):
    """What is to come out, made by hand: V2 keeps its expand convolutions where e is 1."""
    net = host.supernet("moofa_v2").build(10)
    own = {k: tuple(t.shape) for k, t in net.published().items()}
    net.load_published(synthetic_state(own, torch.float32))
    return net.extract(V2).eval()


def logits(path, images):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images})[0]


def test_v2_as_a_file_is_the_network_that_is_extracted(ofa, subnet, tmp_path):
    found = ofa(*EXPORT, "--out", "v2.onnx", "--json")
    images = np.random.default_rng(0).standard_normal((3, 3, 32, 32)).astype(np.float32)
    with torch.no_grad():
        wanted = subnet(torch.from_numpy(images)).numpy()
    got = logits(tmp_path / "v2.onnx", images)
    assert np.abs(got - wanted).max() < 1e-5 * np.abs(wanted).max()
    numbers = found["numbers"]
    assert numbers["params"]["value"] == sum(p.numel() for p in subnet.parameters())
    assert numbers["relative_difference"]["value"] < 1e-5
    assert numbers["file_bytes"]["value"] == (tmp_path / "v2.onnx").stat().st_size
    assert all(n["unit"] and n["kind"] in ("computed", "measured") for n in numbers.values())
    assert (found["file"], found["run"]) == ("v2.onnx", None)
    kept = {p.key: p.value for p in onnx.load(tmp_path / "v2.onnx").metadata_props}
    assert json.loads(kept["ofa.arch"])["e"][:2] == V2["e"][:2]


ROW = """
family: mbconv
name: tiny
stem: 8
first: 8
widths: [8, 16]
strides: [2, 2]
activations: [relu, h_swish]
se: [false, true]
final_expand: 32
feature_mix: 32
ks: [3, 5]
e: [1, 2]
d: [1, 2]
resolutions: [32, 48]
classes: 10
"""
TINY = ("run", "export", "--supernet", "tiny.yaml", "--weights", "synthetic", "--largest")
DIGITS = ("--data", "digits", "--calibrate", "60", "--images", "40", "--batch", "20")


@pytest.fixture
def tiny(ofa, tmp_path):
    (tmp_path / "tiny.yaml").write_text(ROW)
    return ofa


class TestFolder:
    def test_int8_with_calibrated_batch_norm(self, tiny, tmp_path):
        found = tiny(*TINY, *DIGITS, "--dtype", "int8", "--out", "run", "--json")
        assert found["file"] == "run/network.onnx"
        names = {p.name for p in (tmp_path / "run").iterdir()}
        assert names >= {"network.onnx", "info.json", "arch.json", "result.json", "config.yaml"}
        assert not [n for n in names if n.startswith(".")]
        assert (found["batch_norm_images"], found["int8_images"]) == (60, 40)
        assert found["compared_on"] == {"given": 40, "random": 0}
        numbers = found["numbers"]
        assert numbers["float_relative_difference"]["value"] < 1e-5
        assert numbers["sqnr"]["value"] > 5 and numbers["sqnr"]["unit"] == "dB"
        kept = {p.key: p.value for p in onnx.load(tmp_path / "run/network.onnx").metadata_props}
        assert json.loads(kept["ofa.classes"]) == [str(n) for n in range(10)]
        assert kept["ofa.dtype"] == "int8"
        # the architecture is one that --archs reads again
        assert "params" in tiny(
            "run", "cost", "--supernet", "tiny.yaml", "--archs", "run/arch.json", "--json"
        )

    def test_nothing_is_left_of_what_fails(self, tiny, tmp_path, monkeypatch):
        runtime = onnx_export.onnx_run
        monkeypatch.setattr(onnx_export, "onnx_run", lambda f: lambda x: 1.01 * runtime(f)(x))
        said = tiny(*TINY, "--out", "run", code=5)
        assert "network.onnx is not kept" in said
        assert {p.name for p in tmp_path.iterdir()} == {"arch.jsonl", "tiny.yaml"}


class TestWrongUse:
    def test_several_architectures(self, tiny):
        said = tiny(*TINY[:-1], "--random", "3", "--out", "run", code=2)
        assert "one architecture makes one file; here are 3" in said

    def test_no_architecture(self, tiny):
        assert "which architectures?" in tiny(*TINY[:-1], "--out", "run", code=2)

    def test_a_name_of_another_kind_of_file(self, tiny):
        assert "writes .onnx" in tiny(*TINY, "--out", "network.pte", code=2)

    def test_int8_of_trained_weights_without_images(self, tiny):
        words = ("run", "export", "--supernet", "tiny.yaml", "--largest", "--dtype", "int8")
        assert "--data FOLDER" in tiny(*words, "--out", "run", code=2)

    @pytest.mark.parametrize(("form", "extra"), [("onnx", "export"), ("executorch", "executorch")])
    def test_missing_extra(self, tiny, monkeypatch, form, extra):
        there = exporting.find_spec
        gone = ("onnxruntime", "executorch")
        monkeypatch.setattr(exporting, "find_spec", lambda n: None if n in gone else there(n))
        said = tiny(*TINY, "--format", form, "--out", "run", code=2)
        assert "pip install" in said and f"[{extra}]" in said

    def test_a_file_that_is_there(self, tiny, tmp_path):
        (tmp_path / "n.onnx").write_bytes(b"mine")
        assert "exists already" in tiny(*TINY, "--out", "n.onnx", code=2)
        assert (tmp_path / "n.onnx").read_bytes() == b"mine"

    @pytest.mark.parametrize("flag", ["--images", "--batch", "--tolerance"])
    def test_numbers_out_of_range(self, tiny, flag):
        assert f"{flag}: expected" in tiny(*TINY, flag, "0", "--out", "run", code=2)
