"""A pickle is read as data or not at all."""

from __future__ import annotations

import os
import pickle
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_ofa.levels import pickles as reader
from dynamic_ofa.levels.pickles import Tensor, load_data
from dynamic_ofa.levels.storages import RefusedError, read_storage
from ofa_plugins_core.errors import InputError


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize("protocol", range(3, pickle.HIGHEST_PROTOCOL + 1))
def test_containers_and_arrays_of_every_protocol_are_read(protocol):
    array = np.array([1.5, 2.5])
    objects = np.array([[{"a": 1}, None]], dtype=object)
    data = {"list": [1, 2.5, "x", None, True], "array": array, "objects": objects}
    found = load_data(pickle.dumps(data, protocol), "f")
    assert found["list"] == data["list"]
    assert found["array"].items == [1.5, 2.5]
    assert found["objects"].items == [{"a": 1}, None]


def test_numpy_scalars_are_read():
    found = load_data(pickle.dumps([np.float64(0.5), np.int64(7)]), "f")
    assert [a.items for a in found] == [[0.5], [7]]


def test_a_tensor_is_read_without_torch(pickles):
    found = load_data(pickles.written([pickles.tensor([0.5, -2.0])]), "f")[0]
    assert isinstance(found, Tensor)
    assert found.values().tolist() == [0.5, -2.0]


def test_torch_reads_the_same_numbers(pickles):
    torch = pytest.importorskip("torch")
    grid = torch.arange(12.0).reshape(3, 4)
    data = [grid.t()[1:], grid.double()[0], grid.half()[:, 1]]
    found = load_data(pickle.dumps(data), "f")
    for one, other in zip(found, data, strict=True):
        assert one.values().tolist() == other.float().tolist()


def test_it_runs_no_call_and_names_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = [Runs(os.system, "touch pwned"), Runs(eval, "1"), Runs(np.load, "x")]
    for thing in hostile:
        with pytest.raises(InputError, match="is not data; it was not run") as caught:
            load_data(pickle.dumps({"accu_lat": [thing]}), "f.pickle")
        assert caught.value.exit_code == 5
    assert not list(tmp_path.iterdir())


def test_a_tensor_s_storage_is_no_way_in(tmp_path, monkeypatch, pickles):
    monkeypatch.chdir(tmp_path)
    hostile = pickle.dumps(Runs(os.system, "touch pwned"))
    call = pickles.call
    storage = call("torch.storage", "_load_from_bytes", hostile)
    tensor = call("torch._utils", "_rebuild_tensor_v2", storage, 0, (1,), (1,), False, None)
    found = load_data(pickles.written([tensor]), "f")[0]
    with pytest.raises(RefusedError, match=r"posix\.system|nt\.system"):
        found.values()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (-1, (2,), (1,)),
        (1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (3,), (1,)),
        (0, (2, 2), (1, 1)),
        (0, (2**40,), (0,)),
        (0, (2, 2, 2), (0, 0, 0)),
    ],
)
def test_a_tensor_reaches_no_further_than_its_storage(pickles, offset, size, stride):
    storage = load_data(pickles.written([pickles.tensor([1.0, 2.0])]), "f")[0].storage
    with pytest.raises(RefusedError, match="larger than its storage"):
        Tensor(storage, offset, size, stride).values()


@given(st.data())
def test_a_broken_storage_is_refused(pickles, data):
    storage = load_data(pickles.written([pickles.tensor([1.0, 2.0])]), "f")[0].storage
    place = data.draw(st.integers(0, len(storage) - 1))
    cut = storage[:place]
    with pytest.raises(RefusedError):
        read_storage(cut)


@pytest.mark.parametrize("name", ["numpy.core.multiarray\nscalar", "ofa.utils\nAverageMeter"])
def test_it_cannot_change_this_module(name):
    before = dict(vars(reader.Meter))
    state = b"}X\x08\x00\x00\x00__name__X\x01\x00\x00\x00xsb."
    with pytest.raises(InputError):
        load_data(b"\x80\x02c" + name.encode() + b"\n" + state, "f")
    assert dict(vars(reader.Meter)) == before
    assert reader._scalar.__name__ == "_scalar"


@pytest.mark.parametrize(
    "array", [np.array(["text"]), np.array([1 + 2j]), np.array([True]), np.array(["2020"], "M8[Y]")]
)
def test_an_array_of_anything_but_numbers_is_refused(array):
    with pytest.raises(InputError, match="not data"):
        load_data(pickle.dumps(array), "f")


def test_room_for_more_than_the_file_holds_is_refused():
    claimed = b"\x80\x04Nr\xff\xff\xff\x7f."
    with pytest.raises(InputError, match="room for more"):
        load_data(claimed, "f")


def test_numbers_that_only_nest_are_refused():
    nested = b"\x80\x04}N" + b"\x85" * 200_000 + b"Ns."
    with pytest.raises(InputError, match="more tuples"):
        load_data(nested, "f")


@given(st.binary(max_size=64))
def test_any_bytes_are_data_or_refused(content):
    with suppress(InputError):
        load_data(b"\x80\x04" + content, "f")
