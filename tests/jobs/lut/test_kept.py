"""What was measured is kept line by line; nothing of another measurement is taken up."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.jobs.lut.kept import NETWORKS, PARTS, ROWS, Kept
from ofa_plugins_core.own_tables import OwnRow

OF = {
    "supernet": "toy",
    "device": {"device": "bench", "model": "Toy 1"},
    "batch": 1,
    "effort": {"precision": 0.02, "least": 3, "most": 6, "visit": 1, "warmup": 1},
}


def row(mean):
    return OwnRow(mean=mean, std=0.1, count=5, conditions={"celsius": 40.0}, reference=2.0)


def filled(folder):
    kept = Kept(folder, OF, resume=False)
    kept.add(ROWS, "a", row(1.0))
    kept.add(ROWS, "b", row(2.0))
    kept.add(PARTS, "a", row(3.0))
    kept.add(NETWORKS, '{"ks": [3]}', row(4.0))
    kept.close()
    return kept


def test_what_was_kept_is_there_again(tmp_path):
    before = filled(tmp_path).found
    assert Kept(tmp_path, OF, resume=True).found == before
    assert before[ROWS] == {"a": row(1.0), "b": row(2.0)}
    assert before[PARTS]["a"] == row(3.0)


def test_every_line_is_there_as_soon_as_it_is_kept(tmp_path):
    kept = Kept(tmp_path, OF, resume=False)
    for number in range(3):
        kept.add(ROWS, str(number), row(1.0 + number))
        lines = (tmp_path / "rows.jsonl").read_text().splitlines()
        assert len(lines) == 2 + number
        assert json.loads(lines[-1])["key"] == str(number)


def test_going_on_adds_to_it(tmp_path):
    filled(tmp_path)
    kept = Kept(tmp_path, OF, resume=True)
    kept.add(ROWS, "c", row(9.0))
    kept.close()
    assert list(Kept(tmp_path, OF, resume=True).found[ROWS]) == ["a", "b", "c"]


def test_starting_anew_forgets_it(tmp_path):
    filled(tmp_path)
    kept = Kept(tmp_path, OF, resume=False)
    assert kept.found[ROWS] == {}
    kept.add(ROWS, "new", row(1.0))
    assert len((tmp_path / "rows.jsonl").read_text().splitlines()) == 2


def test_nothing_is_made_before_there_is_something_to_keep(tmp_path):
    begun = []
    kept = Kept(tmp_path / "run", OF, resume=False, begin=lambda: begun.append("config"))
    assert not (tmp_path / "run").exists() and not begun
    kept.add(ROWS, "a", row(1.0))
    kept.add(ROWS, "b", row(1.0))
    assert begun == ["config"]


def test_two_do_not_measure_into_one_folder(tmp_path):
    first = Kept(tmp_path, OF, resume=False)
    first.add(ROWS, "a", row(1.0))
    second = Kept(tmp_path, OF, resume=True)
    with pytest.raises(UsageError, match="another process is measuring"):
        second.add(ROWS, "b", row(1.0))
    first.close()
    second.add(ROWS, "b", row(1.0))
    assert list(Kept(tmp_path, OF, resume=True).found[ROWS]) == ["a", "b"]


@pytest.mark.parametrize("resume", [True, False])
def test_without_a_folder_all_is_in_memory(resume):
    kept = Kept(None, OF, resume)
    kept.add(ROWS, "a", row(1.0))
    assert kept.found[ROWS] == {"a": row(1.0)}


@pytest.mark.parametrize("content", [None, "", '{"of": {"sup'])
def test_nothing_to_go_on_with_is_a_start(tmp_path, content):
    if content is not None:
        (tmp_path / "rows.jsonl").write_text(content)
    kept = Kept(tmp_path, OF, resume=True)
    kept.add(ROWS, "a", row(1.0))
    assert Kept(tmp_path, OF, resume=True).found[ROWS] == {"a": row(1.0)}


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_line_that_was_cut_short_is_measured_anew_and_no_other(tmp_path, data):
    """Whatever byte the machine stopped at."""
    filled(tmp_path)
    path = tmp_path / "rows.jsonl"
    content = path.read_bytes()
    header = content.index(b"\n") + 1
    end = data.draw(st.integers(header, len(content)))
    path.write_bytes(content[:end])
    whole = content[:end].count(b"\n") - 1
    kept = Kept(tmp_path, OF, resume=True)
    assert sum(map(len, kept.found.values())) == whole
    kept.add(ROWS, "new", row(9.0))
    kept.close()
    again = Kept(tmp_path, OF, resume=True).found
    assert sum(map(len, again.values())) == whole + 1
    assert again[ROWS]["new"] == row(9.0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"supernet": "other"}, "supernet was 'toy', is 'other'"),
        ({"device": {"device": "bench", "model": "Toy 2"}}, "device's .* is 'Toy 2'"),
        ({"batch": 2}, "batch was 1, is 2"),
        ({"effort": {**OF["effort"], "most": 60}}, "effort's most was .* is 60"),
        ({"mode": "15W"}, "mode was None, is '15W'"),
    ],
)
def test_rows_of_something_else_are_refused(tmp_path, change, said):
    filled(tmp_path)
    before = (tmp_path / "rows.jsonl").read_bytes()
    with pytest.raises(UsageError, match=said) as caught:
        Kept(tmp_path, {**OF, **change}, resume=True)
    assert "choose another --out" in caught.value.advice
    assert (tmp_path / "rows.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "3",
        "[]",
        "{}",
        '{"kind": "colours", "key": "a", "row": {}}',
        '{"kind": "rows", "key": 3, "row": {"mean": 1, "std": 0, "count": 1}}',
        '{"kind": "rows", "key": "a"}',
        '{"kind": "rows", "key": "a", "row": {"mean": 1}}',
        '{"kind": "rows", "key": "a", "row": {"mean": -1, "std": 0, "count": 1}}',
        '{"kind": "rows", "key": "a", "row": {"mean": NaN, "std": 0, "count": 1}}',
        '{"kind": ["rows"], "key": "a", "row": {"mean": 1, "std": 0, "count": 1}}',
        "\udcff",
        "[" * 100_000,
    ],
    ids=lambda line: line[:40],
)
def test_a_line_that_nobody_wrote_is_named(tmp_path, line):
    filled(tmp_path)
    path = tmp_path / "rows.jsonl"
    lines = path.read_bytes().splitlines()
    lines.insert(2, line.encode("utf-8", "surrogateescape"))
    path.write_bytes(b"\n".join(lines) + b"\n")
    with pytest.raises(InputError, match=r"rows\.jsonl, line 3") as caught:
        Kept(tmp_path, OF, resume=True)
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize("first", ["{}", '{"of": 3}', "[]", "x", "\0" * 300])
def test_a_file_that_does_not_say_what_it_is_of(tmp_path, first):
    (tmp_path / "rows.jsonl").write_text(first + "\n")
    with pytest.raises(InputError, match="line 1"):
        Kept(tmp_path, OF, resume=True)


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    kept = Kept(tmp_path / "file", OF, resume=False)
    with pytest.raises(InputError, match="cannot write"):
        kept.add(ROWS, "a", row(1.0))


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is Linux's")
def test_a_full_disk_keeps_what_came_before(tmp_path):
    kept = filled(tmp_path)
    path = tmp_path / "rows.jsonl"
    path.rename(tmp_path / "before")
    path.symlink_to("/dev/full")
    with pytest.raises(InputError, match="cannot write") as caught:
        kept.add(ROWS, "c", row(1.0))
    assert "--resume goes on" in caught.value.advice
    path.unlink()
    (tmp_path / "before").rename(path)
    assert list(Kept(tmp_path, OF, resume=True).found[ROWS]) == ["a", "b"]
