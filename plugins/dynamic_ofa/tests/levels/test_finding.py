"""Level tables are found by file, folder or name; what is broken is said."""

from __future__ import annotations

import json
import zipfile
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic_ofa.levels import finding
from dynamic_ofa.levels.finding import find_table, shipped
from dynamic_ofa.levels.published import read_published
from dynamic_ofa.levels.table import read_table, write_table
from ofa_plugins_core.errors import InputError


@pytest.fixture(scope="module")
def table(pickles, tmp_path_factory):
    """A table of two levels."""
    path = tmp_path_factory.mktemp("published") / "nets.pickle"
    path.write_bytes(pickles.written(pickles.published()))
    return read_published(path)


@pytest.fixture
def file(table, tmp_path):
    """A file of it."""
    write_table(tmp_path / "levels.zip", table)
    return tmp_path / "levels.zip"


@pytest.fixture
def edited(file, tmp_path):
    """(change of its JSON, arrays in place of its own) -> the file with that in it."""

    def edit(change=lambda content: None, **arrays):
        with zipfile.ZipFile(file) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        content = json.loads(parts["levels.json"])
        change(content)
        parts["levels.json"] = json.dumps(content).encode()
        parts |= {f"{name}.npy": found for name, found in arrays.items()}
        path = tmp_path / "edited.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, found in parts.items():
                archive.writestr(name, found)
        return path

    return edit


def test_a_file_a_folder_and_a_pickle_are_found(table, file, tmp_path, pickles):
    (tmp_path / "nets").write_bytes(pickles.written(pickles.published()))
    assert find_table(str(file)) == table
    assert find_table(str(tmp_path)) == table
    assert find_table(str(tmp_path / "nets")).levels == table.levels


def test_what_ships_is_found_by_name(table, tmp_path, monkeypatch):
    monkeypatch.setattr(finding, "SHIPPED", tmp_path)
    write_table(tmp_path / "mine.zip", table)
    assert list(shipped()) == ["mine"]
    assert find_table("mine") == table
    with pytest.raises(InputError, match="names that ship: mine"):
        find_table("yours")


def test_a_run_without_a_table_says_how_to_finish_it(tmp_path):
    with pytest.raises(InputError, match=r"holds no levels\.zip") as caught:
        find_table(str(tmp_path))
    assert "--resume" in caught.value.advice


def test_the_same_table_gives_the_same_bytes(table, file, tmp_path):
    write_table(tmp_path / "again.zip", read_table(file))
    assert (tmp_path / "again.zip").read_bytes() == file.read_bytes()


def level(**changes):
    return lambda content: content["levels"][0].update(changes)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(format="another"), "does not say ofa-level-table"),
        (lambda c: c.update(version=2), "version 2"),
        (lambda c: c.update(levels=[]), "a level or more"),
        (lambda c: c.update(levels=5), "a level or more"),
        (lambda c: c.update(extra=1), "extra"),
        (lambda c: c.pop("supernet"), "supernet"),
        (lambda c: c["levels"].reverse(), "from fast to slow"),
        (level(statistics=[["a"], [7]]), "statistics of level 0 are broken"),
        (level(statistics=3), "statistics of level 0 are broken"),
        (level(calibrated="many"), "calibrated"),
        (level(latency={"value": -1.0}), "some ms"),
        (level(accuracy={"value": 70.0, "kind": "guessed"}), "guessed"),
    ],
)
def test_what_was_edited_wrongly_is_named(edited, change, said):
    with pytest.raises(InputError, match=said) as caught:
        find_table(str(edited(change)))
    assert "edited.zip" in caught.value.message


def test_a_table_may_have_no_statistics(edited):
    assert find_table(str(edited(level(statistics=None)))).levels[0].statistics is None


def test_an_array_of_objects_is_not_unpickled(edited, tmp_path):
    hostile = tmp_path / "hostile.npy"
    np.save(hostile, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="no array of real numbers"):
        find_table(str(edited(statistics_0=hostile.read_bytes())))


def test_an_array_that_claims_more_than_there_is_is_refused(edited):
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 99999999999999), }"
    claimed = b"\x93NUMPY\x01\x00\x76\x00" + head.ljust(117).encode() + b"\n"
    with pytest.raises(InputError, match="no level table"):
        find_table(str(edited(statistics_0=claimed)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(file, data):
    content = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = file.with_name("damaged.zip")
    damaged.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with suppress(InputError):
        find_table(str(damaged))


def test_statistics_survive_as_they_were(table, file):
    for one, two in zip(read_table(file).levels, table.levels, strict=True):
        assert one.statistics.names == two.statistics.names
        assert np.array_equal(one.statistics.values, two.statistics.values)
