"""Published tables become ours."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic_ofa.levels.published import read_published
from dynamic_ofa.levels.table import read_table, write_table
from ofa_plugins_core.errors import InputError

PUBLISHED = Path(__file__).parents[4].parent / "shared" / "data" / "dynamic_ofa"
needs_published = pytest.mark.skipif(
    not PUBLISHED.is_dir(), reason=f"{PUBLISHED} is not there: what others measured stays with them"
)

FACTS = {
    "nets_6.pickle": [
        (74.202, 41.16, 176),
        (74.968, 45.42, 176),
        (76.134, 49.44, 192),
        (77.54, 51.08, 208),
        (78.346, 56.75, 224),
        (79.03, 61.73, 224),
    ],
    "nets_7.pickle": [
        (73.178, 37.53, 176),
        (74.54, 41.49, 176),
        (75.226, 45.36, 176),
        (76.388, 47.32, 208),
        (77.034, 48.14, 208),
        (77.748, 51.32, 224),
        (78.05, 59.10, 224),
    ],
}
"""Accuracy %, ms, image size of each level, as published."""


@pytest.fixture
def table(pickles, tmp_path):
    """Reads what a pickle of it would hold."""

    def read(data):
        path = tmp_path / "nets.pickle"
        path.write_bytes(data if isinstance(data, bytes) else pickles.written(data))
        return read_published(path)

    return read


@needs_published
@pytest.mark.parametrize("name", FACTS)
def test_both_published_files_are_read(name, tmp_path):
    table = read_published(PUBLISHED / name)
    found = [
        (r.accuracy.value, round(r.latency.value, 2), r.arch["image_size"]) for r in table.levels
    ]
    assert found == FACTS[name]
    sizes = [r.statistics.values.nbytes / 1024 for r in table.levels]
    assert 81 < min(sizes) <= max(sizes) < 186  # KiB, as specs/dynamic-ofa.md has them
    assert {r.calibrated for r in table.levels} == {2000}
    write_table(tmp_path / "own.zip", table)
    again = read_table(tmp_path / "own.zip")
    assert again == table
    for one, two in zip(again.levels, table.levels, strict=True):
        assert np.array_equal(one.statistics.values, two.statistics.values)


@pytest.mark.parametrize("nested", [False, True])
def test_levels_come_from_fast_to_slow_marked_as_published(table, pickles, nested):
    found = table(pickles.published(2, nested))
    assert [(r.accuracy.value, r.latency.value) for r in found.levels] == [(77, 50), (78, 60)]
    kinds = {(r.accuracy.kind, r.latency.kind, r.calibrated) for r in found.levels}
    assert kinds == {("published", "published", 2000)}
    assert (found.supernet, found.names, found.weights.kind) == ("ofa_mbv3_w1.2", "old", "unknown")
    assert found.levels[0].arch == {"ks": [3, 5], "e": [4, 6], "d": [2], "image_size": 176}


def test_statistics_are_the_averages_by_the_names_of_the_file(table, pickles):
    found = table(pickles.published()).levels[0].statistics.items()
    assert {n: (m.tolist(), v.tolist()) for n, (m, v) in found.items()} == {
        "first_conv.bn": ([0.5, -1.0], [1.0, 4.0]),
        "blocks.0.bn": ([2.0], [0.25]),
    }


def test_a_table_without_statistics_can_be_simulated_with(table, pickles):
    data = pickles.published()
    del data["bn_lists"]
    assert [row.statistics for row in table(data).levels] == [None, None]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"configs": []}, "no published level table"),
        ({"accu_lat": [np.array([78.0])] * 2}, "no published level table"),
        ({"accu_lat": [np.array([178.0, 5.0])] * 2}, "178.0 %"),
        ({"accu_lat": [[78.0, -5.0]] * 2}, "some ms"),
        ({"accu_lat": [[78.0, float("nan")]] * 2}, "a number is due"),
        ({"configs": [{"ks": [3], "e": [3], "d": [2.5], "r": [176]}] * 2}, "a whole number"),
        ({"bn_lists": [None, 3]}, "a list is due"),
        ({"bn_lists": [[[{}, {"x": 1}]]] * 2}, "no published level table"),
    ],
)
def test_what_makes_no_sense_is_said(table, pickles, wrong, said):
    with pytest.raises(InputError, match=said) as caught:
        table(pickles.published(**wrong))
    assert "nets.pickle" in caught.value.message


def test_no_level_is_no_table(table, pickles):
    with pytest.raises(InputError, match="a level or more"):
        table(pickles.published(0))


def test_negative_variances_are_refused(table, pickles):
    pair = [[{"n": pickles.meter([1.0])}, {"n": pickles.meter([-1.0])}]]
    with pytest.raises(InputError, match="variances not negative"):
        table(pickles.published(1, bn_lists=[pair]))


def test_a_hostile_one_is_not_run(table, pickles, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile = pickles.call("os", "system", "touch pwned")
    with pytest.raises(InputError, match=r"os\.system, which is not data; it was not run"):
        table(pickles.published(1, configs=[hostile]))
    assert [p.name for p in tmp_path.iterdir()] == ["nets.pickle"]
    assert os.getcwd() == str(tmp_path)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(InputError, match="cannot read"):
        read_published(tmp_path / "none.pickle")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(table, pickles, data):
    content = bytearray(pickles.written(pickles.published(1)))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(InputError):
        table(bytes(content))
