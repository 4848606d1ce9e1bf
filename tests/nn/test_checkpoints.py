"""Checkpoints: every published form is read, nothing of a hostile one is run, writing is atomic."""

from __future__ import annotations

import errno
import json
import math
import os
import pickle
import zipfile
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed: the extra [torch]")

import numpy as np
import torch

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.nn.checkpoints import classes_of, read_state, synthetic_state, write_state

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "synthetic.json").read_text())
LOGITS = HERE.parents[2] / "shared" / "golden" / "logits"


@pytest.fixture
def state():
    draws = torch.Generator().manual_seed(7)
    return {
        "first_conv.conv.weight": torch.randn(4, 3, 3, 3, generator=draws),
        "first_conv.bn.num_batches_tracked": torch.tensor(5),
        "classifier.linear.weight": torch.randn(10, 4, generator=draws),
    }


def same(found, due):
    assert list(found) == list(due)
    assert all(found[k].dtype == due[k].dtype and torch.equal(found[k], due[k]) for k in due)
    return True


class Shell:
    """A pickle of it runs a command."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


class TestReading:
    @pytest.mark.parametrize("name", ["w.pth", "w.pth.tar", "w.pt", "init", "ofa_net_w1.0", "w"])
    @pytest.mark.parametrize("zipped", [True, False])
    def test_torch_files_of_any_name_and_either_format(self, tmp_path, state, name, zipped):
        torch.save(state, tmp_path / name, _use_new_zipfile_serialization=zipped)
        assert same(read_state(tmp_path / name), state)

    @pytest.mark.parametrize("name", ["w.safetensors", "without_an_ending"])
    def test_safetensors(self, tmp_path, state, name):
        write_state(tmp_path / name, state, "safetensors")
        found = read_state(tmp_path / name)
        assert same(dict(sorted(found.items())), dict(sorted(state.items())))

    def test_what_wraps_the_tensors_is_taken_off(self, tmp_path, state):
        parallel = {f"module.{k}": v for k, v in state.items()}
        wrapped = {"epoch": 25, "best_acc": 76.4, "state_dict": parallel}
        torch.save(wrapped, tmp_path / "w.pth.tar")
        assert same(read_state(tmp_path / "w.pth.tar"), state)

    def test_module_is_kept_where_not_every_name_has_it(self, tmp_path):
        torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "w.pth")
        assert list(read_state(tmp_path / "w.pth")) == ["module.a", "b"]

    def test_parameters_come_as_plain_tensors(self, tmp_path):
        torch.save({"a": torch.nn.Parameter(torch.ones(2))}, tmp_path / "w.pth")
        assert not read_state(tmp_path / "w.pth")["a"].requires_grad

    def test_a_folder_is_the_one_checkpoint_in_it(self, tmp_path, state):
        torch.save(state, tmp_path / "init")
        (tmp_path / "net.config").write_text("{}")
        assert same(read_state(tmp_path), state)

    def test_a_folder_of_several_says_which(self, tmp_path, state):
        for name in ("a.pth", "b.pth"):
            torch.save(state, tmp_path / name)
        with pytest.raises(InputError, match=r"one checkpoint; found: a\.pth, b\.pth"):
            read_state(tmp_path)

    @pytest.mark.parametrize(
        ("key", "classes"),
        [("classifier.linear.weight", 10), ("classifier.linear.linear.weight", 10), ("x", None)],
    )
    def test_the_number_of_classes_is_the_classifiers(self, key, classes):
        assert classes_of({key: torch.zeros(10, 4)}) == classes


class TestHostile:
    def refused(self, path, asked):
        with pytest.raises(InputError) as caught:
            read_state(path)
        assert caught.value.exit_code == 5
        assert f"it asks for {asked}" in caught.value.message
        assert "none of it was run" in caught.value.message
        assert "\n" not in caught.value.message
        assert caught.value.advice

    @pytest.mark.parametrize("zipped", [True, False])
    def test_a_pickle_that_runs_a_command_is_refused_and_not_run(self, tmp_path, zipped):
        bad = {"state_dict": {"w": torch.ones(2), "x": Shell(f"touch {tmp_path / 'pwned'}")}}
        torch.save(bad, tmp_path / "bad.pth", _use_new_zipfile_serialization=zipped)
        self.refused(tmp_path / "bad.pth", f"{os.system.__module__}.system")
        assert not (tmp_path / "pwned").exists()

    @pytest.mark.parametrize("protocol", [2, 3, 4, 5])
    def test_a_pickle_that_is_none_of_torchs_too(self, tmp_path, protocol):
        content = pickle.dumps(Shell(f"touch {tmp_path / 'pwned'}"), protocol)
        (tmp_path / "bad.pth").write_bytes(content)
        self.refused(tmp_path / "bad.pth", f"{os.system.__module__}.system")
        assert not (tmp_path / "pwned").exists()

    def test_a_whole_module_is_more_than_its_tensors(self, tmp_path):
        torch.save(torch.nn.Linear(2, 2), tmp_path / "bad.pth")
        self.refused(tmp_path / "bad.pth", "torch.nn.modules.linear.Linear")

    def test_scalars_of_numpy_are_named_too(self, tmp_path):
        torch.save({"best": np.float64(3), "state_dict": {}}, tmp_path / "bad.pth")
        self.refused(tmp_path / "bad.pth", "numpy.")

    def test_a_shape_without_the_memory_behind_it(self, tmp_path):
        torch.save({"w": torch.zeros(1).expand(10**9)}, tmp_path / "bad.pth")
        with pytest.raises(InputError, match="'w' has less in it than its shape"):
            read_state(tmp_path / "bad.pth")

    def test_an_archive_that_unpacks_to_more_than_it_is(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "bomb.pth", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("archive/data.pkl", b"\0" * 10**6)
        with pytest.raises(InputError, match="would unpack to"):
            read_state(tmp_path / "bomb.pth")

    def test_sparse_tensors_are_none_that_a_network_has(self, tmp_path):
        torch.save({"w": torch.eye(3).to_sparse()}, tmp_path / "bad.pth")
        with pytest.raises(InputError, match=r"no plain tensor|refused"):
            read_state(tmp_path / "bad.pth")


class TestBroken:
    def broken(self, path, said):
        with pytest.raises(InputError, match=said) as caught:
            read_state(path)
        assert "\n" not in caught.value.message

    def test_missing(self, tmp_path):
        self.broken(tmp_path / "w.pth", "is not there")

    @pytest.mark.parametrize("share", [0.01, 0.3, 0.6, 0.99])
    @pytest.mark.parametrize("form", ["zip", "legacy", "safetensors"])
    def test_truncated(self, tmp_path, state, form, share):
        path = tmp_path / "w"
        if form == "safetensors":
            write_state(path, state, form)
        else:
            torch.save(state, path, _use_new_zipfile_serialization=form == "zip")
        content = path.read_bytes()
        path.write_bytes(content[: max(12, int(len(content) * share))])
        self.broken(path, "truncated|refused")

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "is empty"),
            (b"hello world", "is no checkpoint"),
            (b"\n<!DOCTYPE html><html>", "is a web page"),
            (b"version https://git-lfs.github.com/spec/v1\n", "a pointer"),
            (b"PK\3\4 and nothing", "truncated or broken"),
            (b"\xff" * 8 + b"{", "no safetensors file"),
        ],
    )
    def test_no_checkpoint(self, tmp_path, content, said):
        (tmp_path / "w.pth").write_bytes(content)
        self.broken(tmp_path / "w.pth", said)

    def test_an_archive_of_something_else(self, tmp_path):
        with zipfile.ZipFile(tmp_path / "w.pth", "w") as archive:
            archive.writestr("readme", "hello")
        self.broken(tmp_path / "w.pth", "no checkpoint of torch's")

    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ({}, "holds no tensor"),
            ({"state_dict": {}}, "holds no tensor"),
            ([1, 2], "holds a list"),
            (3, "holds a int"),
            ({"w": [1.0]}, "'w' is a list, not a tensor"),
            ({1: 2}, "1 is a int, not a tensor"),
        ],
    )
    def test_not_tensors_by_name(self, tmp_path, value, said):
        torch.save(value, tmp_path / "w.pth")
        self.broken(tmp_path / "w.pth", said)

    def test_a_folder_of_nothing(self, tmp_path):
        self.broken(tmp_path, "found: none")


class TestWriting:
    @pytest.mark.parametrize(
        ("name", "form"), [("w.safetensors", "safetensors"), ("w.pth", "torch"), ("w", "torch")]
    )
    def test_the_ending_says_the_format_and_all_comes_back(self, tmp_path, state, name, form):
        assert write_state(tmp_path / name, state) == form
        found = read_state(tmp_path / name)
        assert same({k: found[k] for k in state}, state)
        assert len(found) == len(state)
        assert [p.name for p in tmp_path.iterdir()] == [name]

    def test_torchs_format_wraps_as_the_published_files_do(self, tmp_path, state):
        write_state(tmp_path / "w.pth", state)
        assert list(torch.load(tmp_path / "w.pth", weights_only=True)) == ["state_dict"]

    @pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
    def test_tensors_that_share_memory_are_written_each(self, tmp_path, name):
        both = torch.arange(6.0).reshape(2, 3)
        write_state(tmp_path / name, {"a": both, "b": both.t()})
        found = read_state(tmp_path / name)
        assert torch.equal(found["b"], both.t())

    @pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
    def test_a_full_disk_leaves_nothing_and_what_was_there(
        self, tmp_path, state, name, monkeypatch
    ):
        (tmp_path / name).write_bytes(b"before")

        def full(path, content):
            with path.open("wb") as file:
                file.write(content[:10])
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(Path, "write_bytes", full)
        with pytest.raises(InputError, match="No space left on device"):
            write_state(tmp_path / name, state)
        assert [p.name for p in tmp_path.iterdir()] == [name]
        assert (tmp_path / name).read_bytes() == b"before"

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
    def test_a_folder_that_cannot_be_made_is_an_output_error(self, state):
        with pytest.raises(InputError, match="cannot write"):
            write_state(Path("/dev/full/w.pth"), state)

    def test_an_unknown_format_is_wrong_use(self, tmp_path, state):
        with pytest.raises(UsageError, match="unknown format 'onnx'"):
            write_state(tmp_path / "w.pth", state, "onnx")


class TestSynthetic:
    def test_gives_the_golden_numbers(self):
        found = synthetic_state({key: row["shape"] for key, row in GOLDEN.items()})
        for key, row in GOLDEN.items():
            assert found[key].flatten().tolist() == row["values"], key
            assert list(found[key].shape) == row["shape"]

    def test_counters_count_and_the_rest_has_the_type_asked_for(self):
        shapes = {"bn.num_batches_tracked": [], "bn.weight": [3]}
        found = synthetic_state(shapes, torch.float32)
        assert {k: v.dtype for k, v in found.items()} == {
            "bn.num_batches_tracked": torch.int64,
            "bn.weight": torch.float32,
        }

    def test_a_tensor_depends_on_its_own_name_alone(self):
        one = synthetic_state({"a.weight": [2, 2]})["a.weight"]
        other = synthetic_state({"b.weight": [2, 2], "a.weight": [2, 2]})
        assert torch.equal(other["a.weight"], one)
        assert not torch.equal(other["b.weight"], one)

    @pytest.mark.parametrize("space", ["ofa_mbv3_w1.0", "ofa_resnet50", "moofa_v3"])
    def test_fills_the_published_keys(self, space):
        file = LOGITS / f"{space}.json"
        if not file.exists():
            pytest.skip(f"{file} is not there: the golden logits are not beside the repository")
        shapes = json.loads(file.read_text())["keys"]
        found = synthetic_state(shapes, torch.float32)
        assert {k: list(v.shape) for k, v in found.items()} == shapes
        for key, tensor in found.items():
            if tensor.ndim > 1 and "matrix" not in key and tensor.numel() > 5000:
                spread = math.sqrt(2 / math.prod(tensor.shape[1:]))
                assert tensor.std().item() == pytest.approx(spread, rel=0.1), key
            if key.endswith("running_var"):
                assert 0.6 <= tensor.min() <= tensor.max() <= 1.4
