"""``ofa run train --all --smoke``: from nothing to a searched, exported subnet."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra [export] is not installed")
pytest.importorskip("sklearn")

from ofa_plugins_core import Host  # noqa: E402
from ofa_plugins_core.cli.main import run  # noqa: E402

FEWER = ("--steps", "2", "--images", "64", "--validate-images", "20", "--calibrate", "20")


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """The folder of a smoke test of the small supernet, with even fewer steps."""
    host, out = Host.discover(), tmp_path_factory.mktemp("smoke") / "run"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    words = ("run", "train", "--all", "--smoke", *FEWER, "--image-sizes", "32", "--out", str(out))
    assert run(words, lambda block: host) == 0
    torch.set_num_threads(threads)
    return out


def test_its_first_phase_is_long_enough_to_learn_digits(ofa):
    words = ("run", "train", "--all", "--smoke", "--show", "--json")
    assert [p["epochs"] for p in ofa(*words)["phases"]] == [8, 1, 1, 1, 1, 1]
    assert [p["epochs"] for p in ofa(*words, "--epochs", "2")["phases"]] == [2] * 6
    assert ofa(*words, "--shrink", "0.1")["phases"][0]["epochs"] == 18


def test_it_says_what_came_of_each_job(smoke):
    found = json.loads((smoke / "result.json").read_text())["finished"]
    assert found["networks measured"] == 66
    assert "Kendall" in found["held out"]
    assert Path(found["fit"]).is_file()
    assert set(json.loads(found["subnet"])) == {"ks", "e", "d", "image_size"}


def test_the_file_runs(smoke):
    file = json.loads((smoke / "result.json").read_text())["finished"]["file"]
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    image = torch.zeros(1, 3, 32, 32).numpy()
    (logits,) = session.run(None, {session.get_inputs()[0].name: image})
    assert logits.shape == (1, 10)


def test_each_job_has_a_folder_of_its_own_in_the_run(smoke):
    names = {"dataset", "fit", "search", "export"}
    assert names <= {p.name for p in smoke.iterdir()}
    front = json.loads((smoke / "search" / "result.json").read_text())
    assert front["optimal"] and front["front"]
