"""A level table comes back as it was written; a file that is none is told which part is wrong."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO

import numpy as np
import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic_ofa.levels.table import (
    Accuracy,
    Latency,
    LevelRow,
    LevelTable,
    NormStatistics,
    WeightsOf,
    read_table,
    write_table,
)
from ofa_plugins_core.errors import InputError

WIDTHS = st.lists(st.integers(1, 5), min_size=0, max_size=4)


@st.composite
def tables(draw):
    """One to three levels from fast to slow, each with statistics or without."""
    times = sorted(draw(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=3)))
    return LevelTable(
        supernet=draw(st.sampled_from(["toy", "höher+x1"])),
        classes=draw(st.integers(1, 5000)),
        weights=WeightsOf(kind="file", sha256="ab" * 32, source="net.pth"),
        device={"device": "cpu", "threads": draw(st.sampled_from(["1", "2", "many"]))},
        levels=tuple(draw(row(time)) for time in times),
    )


@st.composite
def row(draw, time):
    widths = draw(WIDTHS)
    values = np.random.default_rng(len(widths)).random((2, sum(widths)), dtype=np.float32)
    names = tuple(f"norm {n}" for n in range(len(widths)))
    kept = NormStatistics(names, tuple(widths), values)
    return LevelRow(
        arch={"ks": [3], "image_size": 32},
        accuracy=Accuracy(value=draw(st.floats(0, 100)), kind="measured", low=1.0),
        latency=Latency(value=time, count=3),
        costs={"flops": {"value": 7, "unit": "MACs", "kind": "computed"}},
        statistics=draw(st.sampled_from([None, kept])),
    )


@settings(
    deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(table=tables())
def test_it_comes_back_with_its_statistics(tmp_path, table):
    write_table(tmp_path / "levels.zip", table)
    found = read_table(tmp_path / "levels.zip")
    assert found == table
    for one, other in zip(found.levels, table.levels, strict=True):
        assert (one.statistics is None) == (other.statistics is None)
        if one.statistics is not None and other.statistics is not None:
            assert one.statistics.names == other.statistics.names
            assert one.statistics.values.tobytes() == other.statistics.values.tobytes()
    content = (tmp_path / "levels.zip").read_bytes()
    write_table(tmp_path / "levels.zip", found)
    assert (tmp_path / "levels.zip").read_bytes() == content, "the same table, the same bytes"


def one_level(statistics=None):
    level = LevelRow(
        arch={"ks": [3], "image_size": 32},
        accuracy=Accuracy(value=70.0, kind="predicted"),
        latency=Latency(value=5.0),
        statistics=statistics or NormStatistics(("a",), (2,), np.ones((2, 2), np.float32)),
    )
    said = {"weights": WeightsOf(kind="synthetic"), "device": {"device": "cpu", "threads": "2"}}
    return LevelTable(supernet="toy", classes=10, levels=(level,), **said)


@pytest.fixture
def changed(tmp_path):
    """(name, content) -> a table whose file of that name holds this, or is missing."""

    def make(name, content):
        whole, path = tmp_path / "whole.zip", tmp_path / "levels.zip"
        write_table(whole, one_level())
        with zipfile.ZipFile(whole) as before, zipfile.ZipFile(path, "w") as after:
            for kept in before.namelist():
                if kept != name:
                    after.writestr(kept, before.read(kept))
            if content is not None:
                after.writestr(name, content)
        return path

    return make


def saved(array):
    buffer = BytesIO()
    np.save(buffer, array, allow_pickle=array.dtype == object)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "statistics_0.npy is missing"),
        (b"nothing", "no array of real numbers"),
        (saved(np.ones((2, 2), complex)), "no array of real numbers"),
        (saved(np.array([{"a": 1}, 2], object)), "no array of real numbers"),
        (saved(np.ones((2, 3), np.float32)), "do not fit"),
        (saved(np.full((2, 2), np.nan, np.float32)), "finite"),
        (saved(-np.ones((2, 2), np.float32)), "not negative"),
    ],
)
def test_statistics_that_are_none_name_their_level(changed, content, said):
    with pytest.raises(InputError, match="batch norm statistics of level 0 are broken") as raised:
        read_table(changed("statistics_0.npy", content))
    assert said in str(raised.value) and "pickle" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "levels.json is missing"),
        (b"{", "no level table"),
        (b"[" * 100_000, "no level table"),
        (b"[1]", "does not say ofa-level-table"),
        (json.dumps({"format": "ofa-level-table", "version": 9}), "of version 9"),
        (json.dumps({"format": "ofa-level-table", "version": 1}), "missing: "),
    ],
)
def test_a_file_that_is_none_says_why(changed, content, said):
    with pytest.raises(InputError, match=said):
        read_table(changed("levels.json", content))


def test_no_file_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="no level table") as raised:
        read_table(tmp_path / "levels.zip")
    assert "ofa run levels" in str(raised.value.advice)


@pytest.mark.parametrize("times", [[], [9.0, 5.0], [0.0], [float("inf")]])
def test_levels_go_from_fast_to_slow(times):
    level = one_level().levels[0]
    rows = tuple(evolve(level, latency=Latency(value=time)) for time in times)
    with pytest.raises(ValueError, match="level"):
        evolve(one_level(), levels=rows)


@pytest.mark.parametrize(
    ("device", "threads"),
    [
        ({"device": "cpu", "threads": "2"}, 2),
        ({"device": "cpu"}, None),
        ({"device": "cpu", "threads": "all"}, None),
        ({"device": "cpu", "threads": "0"}, None),
        ({"device": "cuda", "threads": "2"}, None),
    ],
)
def test_threads_are_those_of_a_processor(device, threads):
    assert evolve(one_level(), device=device).threads == threads
