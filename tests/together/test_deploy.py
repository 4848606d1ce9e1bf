"""``ofa run deploy``: from bounds in bytes to a checked file, or to why there is none."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")

from ofa_plugins_core.cli.main import run  # noqa: E402
from ofa_plugins_core.jobs import deploy, exporting  # noqa: E402
from ofa_plugins_core.jobs.exporting import Written  # noqa: E402
from ofa_plugins_core.jobs.planned import Planned  # noqa: E402
from ofa_plugins_core.nn import onnx_export, quantise  # noqa: E402
from ofa_plugins_core.nn.exported import Difference, Exported  # noqa: E402

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
SEARCH = ("--supernet", "tiny.yaml", "--weights", "synthetic")
DEPLOY = ("run", "deploy", *SEARCH, "--ram", "40KB", "--flash", "1MB")
DIGITS = ("--data", "digits", "--calibrate", "60", "--images", "40", "--batch", "20")
ROOMY = ("run", "deploy", "--supernet", "moofa_v3", "--weights", "synthetic", "--ram", "600KB")
BOUND = "peak_memory_planned_onnxruntime_int8"


@pytest.fixture
def ofa(host, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tiny.yaml").write_text(ROW)

    def call(*words, code=0):
        found = run(words, lambda block: host)
        shown = capsys.readouterr()
        assert found == code, shown.err
        return (json.loads(shown.out) if shown.out else None), shown.err

    return call


def left(tmp_path):
    return {p.name for p in tmp_path.iterdir()} - {"tiny.yaml"}


@pytest.fixture
def written(monkeypatch):
    """No network is exported: a file is written, and its plan is what the test says."""
    plans = []

    def write_file(context, options, network, path, step):
        path.write_bytes(b"network")
        same = Difference(0.0, 0.0, 9.0, 1.0, 1.0, 1)
        return Written(Exported(path, "onnx", "int8", 7, same, "onnxruntime 0"))

    def plan_of(file, network):
        assert file.path.is_file()
        return Planned(plans.pop(0), None, None, "onnxruntime 0", "the stem", ())

    monkeypatch.setattr(exporting, "write_file", write_file)
    monkeypatch.setattr(deploy, "plan_of", plan_of)
    return plans


class TestDeployed:
    """End to end, and looked at from outside."""

    @pytest.fixture
    def found(self, ofa):
        return ofa(*DEPLOY, *DIGITS, "--constraint", "flops>=300k", "--out", "run", "--json")[0]

    def test_from_bounds_to_a_checked_file(self, found, ofa, tmp_path):
        folder = tmp_path / "run"
        names = {p.name for p in folder.iterdir()}
        files = {"network.onnx", "info.json", "arch.json", "config.yaml", "run.json"}
        assert names == files | {"result.json"}
        assert json.loads((folder / "result.json").read_text()) == found
        assert json.loads((folder / "info.json").read_text()) == found
        assert json.loads((folder / "arch.json").read_text()) == found["arch"]

        self.check_numbers(found, folder)
        self.check_file(folder / "network.onnx", found["image_size"])
        costs = ("--cost", "peak_memory", "--cost", "peak_memory_liveness", "--cost", "params")
        words = ("run", "cost", "--supernet", "tiny.yaml", "--archs", "run/arch.json", "--as-built")
        for name, value in ofa(*words, *costs, "--json")[0].items():
            assert found["numbers"][name]["value"] == value

    def test_synthetic_weights_that_blow_up_rounding_are_noted(self, ofa, monkeypatch):
        """A float file that differs by 1 % is told, and no reason to refuse what nobody trained."""
        runtime = onnx_export.onnx_run
        monkeypatch.setattr(onnx_export, "onnx_run", lambda f: lambda x: 1.01 * runtime(f)(x))
        found, _ = ofa(*DEPLOY, *DIGITS, "--out", "run", "--json")
        assert any("by 0.01 of its largest logit (--tolerance" in n for n in found["notes"])

    def check_numbers(self, found, folder):
        numbers = found["numbers"]
        assert all(n["unit"] and n["kind"] for n in numbers.values())
        assert {n["kind"] for n in numbers.values()} == {"computed", "measured"}
        for name, unit, kind in (
            ("peak_memory_liveness", "items", "computed"),
            ("peak_memory_liveness_bytes", "bytes", "computed"),
            ("planned_activations", "bytes", "measured"),
        ):
            number = numbers[name]
            assert (number["unit"], number["kind"], number["bound"]) == (unit, kind, 40_000)
            assert number["value"] <= 40_000
        assert numbers["weight_bytes"]["value"] <= numbers["weight_bytes"]["bound"] == 1e6
        assert numbers["file_bytes"]["value"] == (folder / "network.onnx").stat().st_size
        assert numbers["flops"]["value"] >= 300_000
        assert found["searcher"] == "exact" and found["optimal"]
        assert any("synthetic" in note for note in found["notes"])

    def check_file(self, path, size):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        images = np.random.default_rng(0).standard_normal((3, 3, size, size)).astype(np.float32)
        logits = session.run(None, {"images": images})[0]
        assert logits.shape == (3, 10) and np.isfinite(logits).all() and np.ptp(logits) > 0
        kept = {p.key: p.value for p in onnx.load(path).metadata_props}
        assert (kept["ofa.supernet"], kept["ofa.dtype"]) == ("tiny", "int8")


class TestInfeasible:
    def test_bounds_that_no_network_meets(self, ofa, tmp_path):
        found, said = ofa(*DEPLOY[:-4], "--ram", "1KB", "--out", "run", "--json", code=3)
        assert found["infeasible"]
        assert found["smallest"]["peak_memory_liveness"] > 1000
        assert "peak_memory_liveness<=1000" in found["binds"]
        assert "--ram bounds peak_memory_liveness: from" in said
        assert not left(tmp_path)

    def test_flash_alone(self, ofa, tmp_path):
        found, said = ofa(*DEPLOY[:-4], "--flash", "1KiB", "--out", "run", "--json", code=3)
        assert found["smallest"]["weight_bytes"] > 1024
        assert "weight_bytes<=1024" in found["binds"]
        assert "--flash bounds weight_bytes" in said

    def test_float_takes_four_times_the_memory(self, ofa):
        words = (*DEPLOY[:-4], "--ram", "20KB", "--dtype", "fp32", "--out", "run", "--json")
        found, _ = ofa(*words, code=3)
        assert "peak_memory_liveness<=5000" in found["binds"]


class TestPlans:
    def test_what_is_planned_has_to_fit(self, ofa, written, tmp_path):
        """The first plan takes too much; a tighter bound gives another network."""
        written += [700_000, 590_000]
        found, said = ofa(*ROOMY, "--out", "run", "--json")
        first, second = found["tries"]
        assert first["bound"] is None and second["bound"].startswith(f"{BOUND}<=")
        assert second[BOUND]["value"] < first[BOUND]["value"]
        assert [t["planned_activations"]["value"] for t in (first, second)] == [700_000, 590_000]
        assert "plans 700,000 bytes of activations, 600,000 are there" in said
        assert (tmp_path / "run/network.onnx").read_bytes() == b"network"
        assert found["numbers"]["accuracy"]["kind"] == "predicted"

    def test_the_last_try_is_under_the_bound_itself(self, ofa, written):
        written += [600_001, 590_000]
        found, _ = ofa(*ROOMY, "--tries", "2", "--out", "run", "--json")
        assert found["tries"][1]["bound"] == f"{BOUND}<=600000"

    def test_nothing_that_was_tried_fits(self, ofa, written, tmp_path):
        written += [700_000, 650_000]
        found, said = ofa(*ROOMY, "--tries", "2", "--out", "run", "--json", code=3)
        assert found["smallest"]["planned_activations"] == 650_000
        assert "--ram 600,000 bytes: the stem" in found["binds"]
        assert "--tries" in said
        assert not left(tmp_path)

    def test_the_smallest_network_does_not_fit(self, ofa, written, tmp_path):
        written += [10**6] * 5
        found, _ = ofa(*DEPLOY, "--out", "run", "--json", code=3)
        assert found["smallest"]["planned_activations"] == 10**6
        assert not left(tmp_path)

    def test_without_ram_the_plan_is_told(self, ofa, written):
        written += [10**6]
        found, _ = ofa(*DEPLOY[:-4], "--flash", "1MB", "--out", "run", "--json")
        assert found["numbers"]["planned_activations"]["value"] == 10**6
        assert "bound" not in found["numbers"]["planned_activations"]


class TestStopped:
    def test_an_interruption_leaves_nothing(self, ofa, written, tmp_path, monkeypatch):
        def stop(*given):
            raise KeyboardInterrupt

        monkeypatch.setattr(deploy, "plan_of", stop)
        ofa(*DEPLOY, "--out", "run", code=130)
        assert not left(tmp_path)

    def test_a_full_disk_leaves_nothing(self, ofa, tmp_path, monkeypatch):
        def full(*given):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(quantise, "quantised_model", full)
        _, said = ofa(*DEPLOY, "--out", "run", code=5)
        assert "cannot write run/network.onnx: No space left" in said
        assert not left(tmp_path)


class TestWrongUse:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            ((), "deploy needs a bound"),
            (("--ram", "10XB"), "unknown suffix 'XB'"),
            (("--ram", "lots"), "cannot read the bound 'lots'"),
            (("--ram", "10KB:20KB"), "expected a size above 0"),
            (("--flash", "0"), "expected a size above 0"),
            (("--constraint", "flops<=1M:2M"), "is a range of bounds"),
            (("--ram", "40KB", "--tries", "0"), "--tries: expected"),
            (("--ram", "40KB", "--data", "digits", "--images", "0"), "--images: expected"),
        ],
    )
    def test_is_told(self, ofa, tmp_path, words, said):
        assert said in ofa("run", "deploy", *SEARCH, *words, "--out", "run", code=2)[1]
        assert not left(tmp_path)

    def test_a_file_is_no_folder(self, ofa):
        assert "named like a file" in ofa(*DEPLOY, "--out", "n.onnx", code=2)[1]

    def test_trained_weights_need_images(self, ofa):
        words = ("run", "deploy", "--supernet", "tiny.yaml", "--ram", "40KB", "--out", "run")
        assert "--data FOLDER" in ofa(*words, code=2)[1]

    def test_no_weights(self, ofa, tmp_path):
        words = ("run", "deploy", "--supernet", "tiny.yaml", "--ram", "40KB", "--data", "digits")
        assert "none cached" in ofa(*words, "--out", "run", code=5)[1]
        assert not left(tmp_path)
