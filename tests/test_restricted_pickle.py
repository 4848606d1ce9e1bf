"""A pickle is read as data or not at all."""

from __future__ import annotations

import os
import pickle
from collections import OrderedDict

import numpy as np
import pytest

from ofa_plugins_core import restricted_pickle
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.restricted_pickle import load_plain


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, call, *args):
        self.call, self.args = call, args

    def __reduce__(self):
        return self.call, self.args


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_containers_and_numbers_of_every_protocol_are_read(protocol):
    data = {"list": [1, 2.5, "x", None, True], "ordered": OrderedDict(a=(1, 2))}
    assert load_plain(pickle.dumps(data, protocol), "f") == data


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.array([1, 2, 300], dtype=">i4"),
        np.linspace(0, 1, 5),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
    ],
)
def test_arrays_of_numbers_are_read(protocol, array):
    found = load_plain(pickle.dumps(array, protocol), "f")
    assert found.as_list() == array.ravel().tolist()


def test_numpy_scalars_are_read():
    assert load_plain(pickle.dumps([np.float32(0.5), np.int64(7)]), "f")[1].as_list() == [7]


@pytest.mark.parametrize(
    "hostile",
    [
        Runs(os.system, "touch pwned"),
        Runs(eval, "1"),
        Runs(getattr, "x", "upper"),
        Runs(np.load, "x"),
        np.array([{}], dtype=object),
        np.array(["text"]),
    ],
)
def test_anything_else_is_named_and_not_run(hostile, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="is not data; it was not run") as caught:
        load_plain(pickle.dumps(hostile), "f.pkl")
    assert caught.value.exit_code == 5
    assert not list(tmp_path.iterdir())


def test_it_cannot_change_this_module():
    hostile = (
        b"\x80\x02cnumpy.core.multiarray\nscalar\n}X\x08\x00\x00\x00__name__X\x01\x00\x00\x00xsb."
    )
    with pytest.raises(InputError, match="a state for a function"):
        load_plain(hostile, "f")
    assert restricted_pickle._scalar.__name__ == "_scalar"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04",
        b"not a pickle",
        pickle.dumps(list(range(1000)))[:-20],
        b"cnumpy\nndarray\n(I99999999999\ntR.",
        b"]" * 50 + b"h\x07.",
        pickle.dumps(np.arange(8))[:-30] + b".",
    ],
)
def test_a_broken_pickle_is_one_clear_error(content):
    with pytest.raises(InputError):
        load_plain(content, "f")
