"""The traces that ship are what their maker makes, and say what they are."""

from __future__ import annotations

import pytest

from dynamic_ofa.simulating.constructing import FOLDER, constructed, write_all
from dynamic_ofa.simulating.shipped import find_trace, shipped
from ofa_plugins_core.errors import InputError, UnknownNameError

NAMES = ["battery", "clock", "contention", "demo", "limits", "thermal"]


def test_the_files_are_what_the_maker_writes(tmp_path):
    write_all(tmp_path)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in FOLDER.glob("*.jsonl")}


@pytest.mark.parametrize("trace", constructed(), ids=lambda trace: trace.name)
def test_each_says_that_it_is_constructed_and_why_so(trace):
    assert find_trace(trace.name) == trace
    assert trace.kind == "constructed" and len(trace.about) > 80
    assert trace.gaps() == []


def test_they_are_found_by_name():
    assert shipped() == NAMES


def test_a_clock_slows_in_proportion():
    for name in ("clock", "thermal", "battery"):
        for moment in find_trace(name).moments:
            assert moment.factor == pytest.approx(1900 / moment.readings["clock_mhz"], abs=1e-4)


class TestFiles:
    def test_a_file_or_a_run_s_folder_do_too(self, tmp_path):
        (tmp_path / "trace.jsonl").write_bytes((FOLDER / "clock.jsonl").read_bytes())
        assert find_trace(str(tmp_path / "trace.jsonl")).name == "clock"
        assert find_trace(str(tmp_path)).name == "clock"

    def test_a_misspelt_name_is_told_with_the_nearest(self):
        with pytest.raises(UnknownNameError, match="nearest known: thermal"):
            find_trace("termal")

    def test_a_file_that_is_not_there_is_told(self, tmp_path):
        with pytest.raises(InputError, match=r"no trace .*mine\.jsonl"):
            find_trace(str(tmp_path / "mine.jsonl"))
