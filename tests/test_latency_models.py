"""The file of a fitted latency predictor: numbers alone, read strictly, always the same bytes."""

from __future__ import annotations

import io
import json
import pickle
import zipfile

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.config import plain
from ofa_plugins_core.errors import InputError, PluginError, UsageError
from ofa_plugins_core.latency_cost import FittedLatency
from ofa_plugins_core.latency_fits import quality_of
from ofa_plugins_core.latency_models import (
    Header,
    Split,
    as_bytes,
    check_supernet,
    networks_digest,
    read_model,
)
from ofa_plugins_core.testing import CostModelSuite, toy_supernet

TOY = toy_supernet()
KNOWN = np.linspace(1, 2, 20)
HEADER = Header(
    form="linear",
    supernet="toy",
    networks=networks_digest(TOY),
    device="bench",
    resolutions=[32, 64],
    least=1.0,
    split=Split(train=70, dev=10, held_out=20),
    seed=0,
    command="ofa run fit …",
    origin="made up",
    quality=quality_of(KNOWN * 1.01, KNOWN),
    beside={"mean": quality_of(KNOWN[::-1], KNOWN)},
    settings={"trees": 3},
)
ARRAYS = {"weights": np.arange(6.0).reshape(2, 3), "kinds": np.array([1, 2], np.int16)}


@pytest.fixture
def written(tmp_path):
    """(content) -> a file of it."""

    def write(content=None):
        file = tmp_path / "latency.zip"
        file.write_bytes(as_bytes(HEADER, ARRAYS) if content is None else content)
        return file

    return write


def test_what_is_written_is_read_back(written):
    found = read_model(written())
    assert found.header == HEADER
    assert {k: v.tolist() for k, v in found.arrays.items()} == {
        k: v.tolist() for k, v in ARRAYS.items()
    }
    assert found.arrays["kinds"].dtype == np.int16


def test_the_same_fit_is_the_same_file():
    assert as_bytes(HEADER, ARRAYS) == as_bytes(HEADER, dict(reversed(ARRAYS.items())))


def archive(**files):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as found:
        for name, data in files.items():
            found.writestr(name.replace("__", "."), data)
    return content.getvalue()


def hostile():
    content = io.BytesIO()
    np.save(content, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return content.getvalue()


def header(**change):
    return json.dumps({**plain(HEADER), **change})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no file of a fitted latency predictor"),
        (b"not a zip", "no file of a fitted latency predictor"),
        (as_bytes(HEADER, ARRAYS)[:-40], "no file of a fitted latency predictor"),
        (archive(other=b"{}"), "it has no latency.json"),
        (archive(latency__json=b"{"), "no file of a fitted latency predictor"),
        (archive(latency__json=b"[]"), "not of the format 'ofa-latency-model'"),
        (archive(latency__json=header(format="x")), "not of the format"),
        (archive(latency__json=header(version=2)), "version"),
        (archive(latency__json=header(least=-1)), "least"),
        (archive(latency__json=header(), weights__npy=hostile()), "no file of a fitted"),
        (archive(latency__json=header(), weights__npy=pickle.dumps([1])), "no file of a fitted"),
    ],
)
def test_a_broken_or_foreign_file_is_one_clear_error(written, content, said):
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        read_model(written(content))


def npy(shape, dtype="<f8", data=b""):
    """An array's file whose header says what it likes."""
    text = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (npy((10**15,)), "larger or smaller than it says"),
        (npy((99999999999999999999999,)), "larger or smaller than it says"),
        (npy((True,), data=bytes(8)), "is of the shape"),
        (npy((-1,), data=bytes(8)), "is of the shape"),
        (npy((1,), data=bytes(9)), "larger or smaller than it says"),
        (npy((1,), "<U2", bytes(8)), "is not of numbers"),
        (npy((1,), data=np.array([np.inf]).tobytes()), "is not of finite numbers"),
        (b"\x93NUMPY\x03\x00" + npy((0,))[8:], "of another version"),
    ],
)
def test_an_array_that_is_not_what_it_says_is_told_before_it_takes_memory(written, array, said):
    with pytest.raises(InputError, match=said):
        read_model(written(archive(latency__json=header(), weights__npy=array)))


QUALITY = plain(HEADER.quality)


@pytest.mark.parametrize(
    "change",
    [
        {"resolutions": []},
        {"resolutions": [64, 32]},
        {"resolutions": [0, 32]},
        {"least": 0},
        {"quality": {**QUALITY, "low": -1}},
        {"quality": {**QUALITY, "low": 2.0, "high": 1.0}},
        {"quality": {**QUALITY, "low": None}},
        {"quality": {**QUALITY, "mape": -1}},
        {"quality": {**QUALITY, "spearman": 2}},
        {"quality": {**QUALITY, "overlap": {"10 %": 7}}},
        {"quality": {**QUALITY, "networks": 0}},
    ],
)
def test_a_header_that_no_fit_writes_is_refused_by_its_key(written, change):
    (key,) = change
    with pytest.raises(InputError, match=rf"latency\.json.*{key}"):
        read_model(written(archive(latency__json=header(**change))))


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity"])
def test_numbers_of_the_header_are_finite(written, number):
    text = header(settings={"base": 0.125}).replace("0.125", number)
    with pytest.raises(InputError, match="no finite number"):
        read_model(written(archive(latency__json=text)))


def test_what_is_packed_in_another_way_is_refused(written):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_LZMA) as found:
        found.writestr("latency.json", header())
    with pytest.raises(InputError, match="packed otherwise than by deflate"):
        read_model(written(content.getvalue()))


def test_more_than_its_share_of_memory_is_not_read(written, monkeypatch):
    monkeypatch.setattr("ofa_plugins_core.latency_models.MOST_BYTES", 100)
    with pytest.raises(InputError, match="holds more than 100 bytes"):
        read_model(written())


def test_a_damaged_byte_is_never_an_error_of_the_program(written):
    rng = np.random.default_rng(0)
    content = as_bytes(HEADER, ARRAYS)
    refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        damaged[rng.integers(len(damaged))] ^= int(rng.integers(1, 256))
        try:
            read_model(written(bytes(damaged)))
        except InputError:
            refused += 1
    assert refused > 150  # the rest fell on names and times that nobody reads


def test_it_is_of_one_supernet_and_its_choices(written):
    model = read_model(written())
    check_supernet(model, TOY)
    with pytest.raises(UsageError, match="fitted for toy, not for other"):
        check_supernet(model, toy_supernet("other"))
    changed = evolve(model, header=evolve(HEADER, networks="0123456789abcdef"))
    with pytest.raises(UsageError, match="fitted for another toy"):
        check_supernet(changed, TOY)


class Counting:
    """Latencies that count what they are asked for."""

    def __init__(self):
        self.asked = 0

    def predict(self, genes):
        self.asked += len(genes)
        return genes[:, 1:].sum(axis=1) + 1.0


def test_a_network_is_asked_for_once(written):
    predictor = Counting()
    cost = FittedLatency("latency@x", TOY, TOY, read_model(written()), predictor)
    genes = TOY.space.canonical(TOY.space.sample(50, np.random.default_rng(0)))
    distinct = len(np.unique(genes, axis=0))
    first = cost.evaluate(np.concatenate([genes, genes]))
    assert predictor.asked == distinct
    assert np.array_equal(cost.evaluate(genes), first[:50])
    assert predictor.asked == distinct


class TestFittedLatency(CostModelSuite):
    @pytest.fixture
    def cost_model(self, supernet, written):
        return FittedLatency("latency@x", TOY, TOY, read_model(written()), Counting())


def test_what_is_no_latency_is_refused_with_the_forms_name(written):
    class Wrong(Counting):
        def predict(self, genes):
            return np.full(len(genes), np.nan)

    cost = FittedLatency("latency@x", TOY, TOY, read_model(written()), Wrong())
    with pytest.raises(PluginError, match="'linear' gave no number"):
        cost.evaluate(TOY.space.sample(3, np.random.default_rng(0)))


def test_nothing_is_predicted_below_half_of_what_was_seen(written):
    class Low(Counting):
        def predict(self, genes):
            return np.full(len(genes), -3.0)

    cost = FittedLatency("latency@x", TOY, TOY, read_model(written()), Low())
    found = cost.evaluate(TOY.space.sample(3, np.random.default_rng(0)))
    assert found.tolist() == [HEADER.least / 2] * 3
