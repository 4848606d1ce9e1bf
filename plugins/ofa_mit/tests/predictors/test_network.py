"""Predictor files are read strictly, as weights and nothing else."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from ofa_mit.predictors.network import MAX_BYTES, Network, _from_state, read_network, write_network
from ofa_plugins_core.errors import InputError, MissingExtraError


def state(prefixes=("0.", "2.", "4.", "6."), inputs=128, last_bias=True):
    generator = np.random.default_rng(0)
    found = {}
    for index, prefix in enumerate(prefixes):
        out = 1 if index == 3 else 4
        found[f"{prefix}weight"] = generator.normal(size=(out, inputs if index == 0 else 4)).astype(
            "f4"
        )
        if index < 3 or last_bias:
            found[f"{prefix}bias"] = generator.normal(size=out).astype("f4")
    return found


MOOFA = ("layers.0.0.", "layers.1.0.", "layers.2.0.", "layers.3.")


def moofas():
    return {**state(MOOFA, 124, last_bias=False), "base_acc": np.array([0.7])}


@pytest.mark.parametrize("weights", [state(), moofas()])
def test_both_published_sets_of_keys_are_read(weights):
    network = _from_state(weights, "f")
    assert len(network.layers) == 4
    assert network(np.zeros((3, network.inputs), np.float32)).shape == (3,)


def test_the_last_layer_may_have_a_constant_instead_of_a_bias():
    weights = moofas()
    network = _from_state(weights, "f")
    other = _from_state({**weights, "base_acc": np.array([0.9])}, "f")
    vector = np.ones((1, 124), np.float32)
    assert (other(vector) - network(vector))[0] == pytest.approx(0.2, abs=1e-6)


def test_a_layer_is_linear_then_relu():
    layers = ((np.array([[1.0], [-1.0]], np.float32), np.zeros(2, np.float32)),
              (np.array([[2.0, 3.0]], np.float32), np.zeros(1, np.float32)))  # fmt: skip
    assert Network(layers, 0.5)(np.array([[4.0], [-1.0]], np.float32)).tolist() == [8.5, 3.5]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"2.bias": None}, "misses the key '2.bias'"),
        ({"extra": np.zeros(1)}, "has a key 'extra' too many"),
        ({"2.weight": np.zeros((4, 5))}, "does not fit 4 inputs"),
        ({"0.weight": np.full((4, 128), np.nan)}, "not a finite number"),
        ({"6.weight": np.zeros((2, 4)), "6.bias": np.zeros(2)}, "does not end in one number"),
    ],
)
def test_a_file_that_is_not_one_of_them_says_why(change, reason):
    weights = {k: v for k, v in {**state(), **change}.items() if v is not None}
    with pytest.raises(InputError, match=reason):
        _from_state(weights, "f")


def test_our_npz_reads_back_without_torch(tmp_path):
    network = _from_state(moofas(), "f")
    write_network(network, tmp_path / "sub" / "x.npz")
    again = read_network(tmp_path / "sub" / "x.npz")
    vectors = np.random.default_rng(1).integers(0, 2, (50, 124)).astype(np.float32)
    assert np.array_equal(network(vectors), again(vectors))
    assert [f.name for f in (tmp_path / "sub").iterdir()] == ["x.npz"]


def hostile_npz(**changes):
    arrays = {"format": np.array("ofa mlp predictor, 1"), "layers": np.array(1)}
    arrays |= {"weight0": np.zeros((1, 3)), "bias0": np.zeros(1), "base": np.array(0.0)}
    return {k: v for k, v in {**arrays, **changes}.items() if v is not None}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": np.array("another")}, "its format is 'another'"),
        ({"layers": np.array(10**9)}, "1000000000 layers"),
        ({"weight0": None}, "weight0"),
        ({"bias0": np.zeros(7)}, "does not fit"),
        ({"weight0": np.array([[{}]], dtype=object)}, "allow_pickle"),
        ({"base": np.zeros(2)}, "one number"),
    ],
)
def test_a_broken_npz_is_one_clear_error(tmp_path, changes, reason):
    np.savez(tmp_path / "x.npz", **hostile_npz(**changes))
    with pytest.raises(InputError, match=reason) as caught:
        read_network(tmp_path / "x.npz")
    assert caught.value.exit_code == 5


def test_a_cut_npz_is_one_clear_error(tmp_path):
    write_network(_from_state(moofas(), "f"), tmp_path / "x.npz")
    content = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "y.npz").write_bytes(content[:3000] + content[3600:])
    with pytest.raises((InputError, MissingExtraError)):
        read_network(tmp_path / "y.npz")


def test_a_missing_file_is_an_error_and_not_a_random_network(tmp_path):
    with pytest.raises(InputError, match="there is no predictor file"):
        read_network(tmp_path / "none.pth")


def test_an_output_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        write_network(_from_state(state(), "f"), tmp_path / "file" / "x.npz")


def test_a_pickle_that_is_more_than_weights_is_refused(tmp_path):
    pytest.importorskip("torch", reason="a torch file is refused by torch's own reader")

    class Runs:
        def __reduce__(self):
            return print, ("ran",)

    (tmp_path / "x.pth").write_bytes(pickle.dumps(Runs(), 2))
    with pytest.raises(InputError, match="cannot be read as weights alone"):
        read_network(tmp_path / "x.pth")


@pytest.mark.parametrize("wrap", [False, True])
def test_a_torch_file_is_read_plain_or_wrapped(tmp_path, wrap):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    tensors = {k: torch.tensor(v, dtype=torch.float32) for k, v in state().items()}
    torch.save({"state_dict": tensors} if wrap else tensors, tmp_path / "x.pth")
    assert read_network(tmp_path / "x.pth").inputs == 128


def test_without_torch_a_torch_file_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    (tmp_path / "x.pth").write_bytes(b"\x80anything")
    with pytest.raises(MissingExtraError, match=r"extra \[torch\]"):
        read_network(tmp_path / "x.pth")


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 cut short"])
def test_what_is_no_weights_file_is_broken_not_torchs(tmp_path, content):
    file = tmp_path / "garbage.npz"
    file.write_bytes(content)
    with pytest.raises(InputError, match="is broken"):
        read_network(file)


def test_an_npz_that_unpacks_to_too_much_is_not_unpacked(tmp_path):
    file = tmp_path / "bomb.npz"
    np.savez_compressed(file, weight0=np.zeros(MAX_BYTES // 8 + 1))
    assert file.stat().st_size < 2**20
    with pytest.raises(InputError, match="unpacks to"):
        read_network(file)


def test_an_npz_of_something_else_says_what_is_missing(tmp_path):
    file = tmp_path / "other.npz"
    np.savez(file, a=np.zeros(1))
    with pytest.raises(InputError, match="no predictor file of ours: format is not"):
        read_network(file)
