"""Lines that are written are there at once; lines of something else are refused."""

from __future__ import annotations

import json

import pytest

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.journal import Journal

OF = {"supernet": "toy", "device": {"model": "Toy 1", "threads": "1"}}


def written(path, *lines):
    journal = Journal(path, OF, resume=False)
    for line in lines:
        journal.add(line)
    journal.close()


def test_what_was_written_is_found_with_its_line(tmp_path):
    written(tmp_path / "a.jsonl", {"n": 1}, {"n": 2})
    assert Journal(tmp_path / "a.jsonl", OF, resume=True).found == [(2, {"n": 1}), (3, {"n": 2})]


def test_starting_anew_finds_nothing_and_writes_over_it(tmp_path):
    written(tmp_path / "a.jsonl", {"n": 1})
    assert Journal(tmp_path / "a.jsonl", OF, resume=False).found == []
    written(tmp_path / "a.jsonl", {"n": 9})
    assert Journal(tmp_path / "a.jsonl", OF, resume=True).found == [(2, {"n": 9})]


def test_of_something_else_it_says_what_differs(tmp_path):
    written(tmp_path / "a.jsonl", {"n": 1})
    other = {**OF, "device": {**OF["device"], "threads": "2"}}
    with pytest.raises(UsageError, match="device's threads was '1', is '2'"):
        Journal(tmp_path / "a.jsonl", other, resume=True)


@pytest.mark.parametrize("line", ["[1]", "{", "nothing", "[" * 100_000])
def test_a_line_that_is_none_is_named(tmp_path, line):
    path = tmp_path / "a.jsonl"
    written(path, {"n": 1})
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(InputError, match="line 3: not what was written there"):
        Journal(path, OF, resume=True)


def test_what_is_no_number_is_not_written(tmp_path):
    journal = Journal(tmp_path / "a.jsonl", OF, resume=False)
    with pytest.raises(ValueError, match="JSON"):
        journal.add({"n": float("nan")})
    journal.close()


def test_two_say_what_each_does(tmp_path):
    one = Journal(tmp_path / "a.jsonl", OF, resume=False, work="recording")
    one.add({"n": 1})
    two = Journal(tmp_path / "a.jsonl", OF, resume=True, work="recording")
    with pytest.raises(UsageError, match="another process is recording into"):
        two.add({"n": 2})
    one.close()


@pytest.mark.parametrize("resume", [True, False])
def test_what_another_has_written_meanwhile_is_not_lost(tmp_path, resume):
    path = tmp_path / "a.jsonl"
    if resume:
        written(path, {"n": 1})
    late = Journal(path, OF, resume)
    other = Journal(path, OF, resume)
    other.add({"n": 2})
    other.close()
    before = path.read_bytes()
    with pytest.raises(UsageError, match="or was meanwhile"):
        late.add({"n": 3})
    assert path.read_bytes() == before


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    journal = Journal(tmp_path / "file" / "a.jsonl", OF, resume=False)
    with pytest.raises(InputError, match="cannot write"):
        journal.add({"n": 1})


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Journal(None, OF, resume=True).add({"n": 1})
    assert list(tmp_path.iterdir()) == []


def test_lines_are_json(tmp_path):
    written(tmp_path / "a.jsonl", {"name": "höher"})
    head, line = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(head) == {"of": OF} and line == '{"name": "höher"}'
