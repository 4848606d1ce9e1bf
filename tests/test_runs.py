"""A run's folder: whole or not at all, whatever stops the writing."""

from __future__ import annotations

import errno
import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ofa_plugins_core import runs
from ofa_plugins_core.errors import InputError, UsageError

RECORD = runs.Record(
    {"job": "search", "supernet": "toy"}, {"seed": 3}, {"front": [1]}, [{"a": 1}, {"a": 2, "b": 3}]
)


def everything(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def test_a_folder_holds_configuration_record_result_and_front(tmp_path):
    runs.save(tmp_path / "a" / "run", RECORD)
    folder = tmp_path / "a" / "run"
    assert everything(folder) == ["config.yaml", "front.csv", "result.json", "run.json"]
    assert everything(tmp_path / "a") == ["run", *(f"run/{n}" for n in everything(folder))]
    assert (folder / "config.yaml").read_text() == 'job: "search"\nsupernet: "toy"\n'
    assert json.loads((folder / "result.json").read_text()) == {"front": [1]}
    assert (folder / "front.csv").read_text() == "a,b\n1,\n2,3\n"


@pytest.mark.parametrize("stop", [OSError(errno.ENOSPC, "No space left on device")])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, stop, after):
    failing(monkeypatch, "write_text", stop, after)
    with pytest.raises(InputError, match="No space left"):
        runs.save(tmp_path / "run", RECORD)
    assert everything(tmp_path) == []


@pytest.mark.parametrize("after", [0, 2])
def test_an_interrupt_leaves_nothing(tmp_path, monkeypatch, after):
    failing(monkeypatch, "write_text", KeyboardInterrupt(), after)
    with pytest.raises(KeyboardInterrupt):
        runs.save(tmp_path / "run", RECORD)
    assert everything(tmp_path) == []


def failing(monkeypatch, name, error, after):
    """Make the call after so many of a Path's method write half and raise."""
    calls = []
    real = getattr(Path, name)

    def method(self, content, *rest, **more):
        calls.append(self)
        if len(calls) > after:
            real(self, content[: len(content) // 2], *rest, **more)
            raise error
        return real(self, content, *rest, **more)

    monkeypatch.setattr(Path, name, method)


def test_what_is_to_last_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append((tmp_path / "a").exists()))
    runs.write(tmp_path / "a", "text", lasting=True)
    runs.write(tmp_path / "b", "text")
    assert synced == [False]


def test_a_write_that_fails_leaves_no_folder_that_it_made(tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    for folder in ("there", "new", "new/below"):
        with pytest.raises(InputError, match="No space left"):
            runs.write(tmp_path / folder / "levels.zip", b"content")
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


def test_a_full_disk_leaves_an_old_file_as_it_was(tmp_path, monkeypatch):
    runs.write(tmp_path / "a.txt", "old")
    failing(monkeypatch, "write_bytes", OSError(errno.ENOSPC, "No space left on device"), 0)
    with pytest.raises(InputError, match=r"cannot write .*a\.txt: No space"):
        runs.write(tmp_path / "a.txt", "new and longer")
    assert everything(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_the_default_folder_has_job_supernet_time_and_four_hex_digits():
    now = datetime(2026, 11, 21, 9, 5, 7, tzinfo=UTC)
    name = str(runs.default_folder("search", "dir/my net.yaml", now))
    assert re.fullmatch(r"runs/search-my_net-20261121T090507Z-[0-9a-f]{4}", name)
    assert str(runs.default_folder("greet", None, now)).startswith("runs/greet-20261121")


def test_a_place_that_is_taken_is_refused_without_resume(tmp_path):
    with pytest.raises(UsageError, match="exists already"):
        runs.check_out(tmp_path, resume=False)
    runs.check_out(tmp_path, resume=True)
    runs.check_out(tmp_path / "new" / "deep", resume=False)


def test_a_place_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        runs.check_out(tmp_path / "file" / "run", resume=False)
    with pytest.raises(InputError, match="is a file"):
        runs.check_out(tmp_path / "file", resume=True)
    (tmp_path / "a.log").write_text("")
    with pytest.raises(InputError, match=r"a\.log is a file, not a run's folder"):
        runs.check_out(tmp_path / "a.log", resume=False)


def test_what_is_stored_comes_back_for_the_same_request(tmp_path):
    request = {"bound": [1, 2], "seed": 0}
    assert runs.stored(tmp_path, request) == {}
    assert runs.stored(None, request) == {}
    runs.store(tmp_path, request, {"1": {"arch": 3}})
    assert runs.stored(tmp_path, request) == {"1": {"arch": 3}}
    with pytest.raises(UsageError, match="seed was 0, is 1"):
        runs.stored(tmp_path, {**request, "seed": 1})


@pytest.mark.parametrize("content", ["", "[]", '{"parts": {}}', '{"request": 3, "parts": {}}'])
def test_broken_progress_is_an_input_error(tmp_path, content):
    (tmp_path / "progress.json").write_text(content)
    with pytest.raises(InputError, match="is broken"):
        runs.stored(tmp_path, {})


def test_a_finished_run_has_no_progress_left_an_unfinished_one_has(tmp_path):
    runs.store(tmp_path, {}, {})
    runs.save(tmp_path, RECORD, unfinished=True)
    assert (tmp_path / "progress.json").is_file()
    runs.save(tmp_path, RECORD)
    assert not (tmp_path / "progress.json").exists()


def test_the_record_names_versions_plugins_and_command(toy_host):
    found = runs.about(toy_host, ["run", "search"], 4, 0.25)
    assert found["command"] == ["ofa", "run", "search"]
    assert found["seed"] == 4
    assert found["packages"]["numpy"]
    assert {p["name"] for p in found["plugins"]} >= {"builtin", "toy"}
