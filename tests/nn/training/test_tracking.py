"""Tracking: what was made again is not there twice, and what fails does not stop a training."""

from __future__ import annotations

import csv
import math
import os
import struct
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("torch")

from ofa_plugins_core.errors import InputError, MissingExtraError, UnknownNameError
from ofa_plugins_core.nn.training.tracking import Table, Trackers, trackers

needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


def rows(folder):
    with (folder / "metrics.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def track(folder, steps, resumed_at=0, names=("csv",)):
    told = []
    tracker = trackers(names, folder, resumed_at, {"supernet": "toy"}, told.append)
    for step in steps:
        tracker.log(step, {"loss": step / 10})
    tracker.close()
    return [notice.message for notice in told]


# ------------------------------------------------------------------------------- csv


def test_a_row_a_call_with_the_step_first_and_new_names_as_last_columns(tmp_path):
    tracker = trackers(["csv"], tmp_path / "run")
    tracker.log(1, {"loss": 2.5, "rate": 0.1})
    tracker.log(2, {"loss": math.nan})
    tracker.log(2, {"top1": 12.5, "loss": 2.0})
    tracker.log(3, {"rate": 1e-5})
    text = (tmp_path / "run" / "metrics.csv").read_text()
    assert text == "step,loss,rate,top1\n1,2.5,0.1,\n2,nan,,\n2,2.0,,12.5\n3,,1e-05,\n"
    tracker.close()


def test_a_run_that_goes_on_drops_the_steps_that_are_made_again(tmp_path):
    assert track(tmp_path, range(1, 8)) == []
    assert track(tmp_path, range(5, 10), resumed_at=4) == []
    assert [r["step"] for r in rows(tmp_path)] == [str(n) for n in range(1, 10)]


def test_a_new_run_in_an_old_folder_begins_with_nothing(tmp_path):
    track(tmp_path, range(1, 8))
    track(tmp_path, [1])
    assert [r["step"] for r in rows(tmp_path)] == ["1"]


def test_columns_stay_where_they_are_in_a_run_that_goes_on(tmp_path):
    first = trackers(["csv"], tmp_path)
    first.log(1, {"loss": 1.0, "top1": 2.0})
    first.close()
    second = trackers(["csv"], tmp_path, 1)
    second.log(2, {"top1": 3.0, "loss": 4.0})
    second.close()
    assert (tmp_path / "metrics.csv").read_text() == "step,loss,top1\n1,1.0,2.0\n2,4.0,3.0\n"


@pytest.mark.parametrize("torn", ["7,0.", "7", "7,0.7,8", '7,"0.7\n'])
def test_a_row_that_a_killed_run_left_half_written_is_dropped(tmp_path, torn):
    track(tmp_path, range(1, 4))
    with (tmp_path / "metrics.csv").open("a") as file:
        file.write(torn)
    assert track(tmp_path, [8], resumed_at=7) == []
    assert [r["step"] for r in rows(tmp_path)] in (["1", "2", "3", "8"], ["1", "2", "3", "7", "8"])
    assert all(float(r["loss"]) == int(r["step"]) / 10 for r in rows(tmp_path))


def test_a_file_that_is_no_table_of_steps_is_left_as_it_is(tmp_path):
    (tmp_path / "metrics.csv").write_text("name,age\nme,3\n")
    with pytest.raises(InputError, match="no table of steps"):
        Table.opened(tmp_path / "metrics.csv")
    assert "--track csv is left out" in track(tmp_path, [1])[0]
    assert (tmp_path / "metrics.csv").read_text() == "name,age\nme,3\n"


# ------------------------------------------------------------------------------- what fails


class Failing:
    def __init__(self):
        self.logged, self.closed = 0, False

    def log(self, step, values):
        self.logged += 1
        raise ConnectionError("no network\nat all")

    def close(self):
        self.closed = True
        raise ConnectionError("still none")


def test_a_tracker_that_fails_is_named_once_and_left_out(tmp_path):
    told, failing = [], Failing()
    together = Trackers({"wandb": failing, "csv": Table.opened(tmp_path / "metrics.csv")})
    together = Trackers(together.working, told.append)
    for step in (1, 2, 3):
        together.log(step, {"loss": 1.0})
    together.close()
    assert (failing.logged, failing.closed) == (1, True)
    assert [n.message for n in told] == ["--track wandb is left out from now on: no network"]
    assert len(rows(tmp_path)) == 3


@needs_full
def test_a_full_disk_stops_tracking_alone(tmp_path):
    pytest.importorskip("tensorboardX")
    told = []
    together = trackers(["csv", "tensorboard"], tmp_path, listener=told.append)
    together.log(1, {"loss": 1.0})
    records = together.working["tensorboard"]._writer._py_recordio_writer
    with Path("/dev/full").open("a") as text, Path("/dev/full").open("wb", 0) as raw:
        together.working["csv"]._file.close()
        together.working["csv"]._file = text
        records._writer.close()
        records._writer = raw
        for step in range(2, 5):
            together.log(step, {"loss": 1.0})
        with suppress(OSError):
            text.close()
    together.close()
    assert [n.message.partition(" is left out")[0] for n in told] == [
        "--track csv",
        "--track tensorboard",
    ]


def test_a_folder_that_cannot_be_written_is_one_notice_each(tmp_path):
    pytest.importorskip("tensorboardX")
    (tmp_path / "file").write_text("")
    told = track(tmp_path / "file", [1, 2], names=("csv", "tensorboard"))
    assert len(told) == 2


def test_an_unknown_name_and_a_missing_library_are_said_before_any_work(tmp_path, monkeypatch):
    with pytest.raises(UnknownNameError, match="nearest known: tensorboard"):
        trackers(["tensorbord"], tmp_path)
    for name, extra in (("wandb", "wandb"), ("tensorboardX", "torch")):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, f"{name}.event_file_writer", None)
        with pytest.raises(MissingExtraError, match=rf"needs the extra \[{extra}\]"):
            trackers([name.lower().removesuffix("x")], tmp_path)


def test_without_names_nothing_is_written(tmp_path):
    assert track(tmp_path / "run", [1, 2], names=()) == []
    assert not (tmp_path / "run").exists()


# ------------------------------------------------------------------------------- tensorboard


def events(folder):
    """The events of a folder's files, read as TensorBoard does: length, checksum, record."""
    from tensorboardX.crc32c import crc32c
    from tensorboardX.proto.event_pb2 import Event

    def masked(content):
        crc = crc32c(content)
        return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF

    for file in sorted(folder.iterdir(), key=lambda f: f.stat().st_mtime_ns):
        content = file.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            data, check = content[12 : 12 + length], content[12 + length : 16 + length]
            assert struct.unpack("<I", check)[0] == masked(data)
            yield Event.FromString(data)
            content = content[16 + length :]


def test_tensorboard_gets_each_value_and_hides_what_is_made_again(tmp_path):
    pytest.importorskip("tensorboardX")
    track(tmp_path, [1, 2, 3], names=["tensorboard"])
    track(tmp_path, [3, 4], 2, names=["tensorboard"])  # within a second: a file of its own
    folder = tmp_path / "tensorboard"
    assert len(list(folder.iterdir())) == 2
    found = list(events(folder))
    values = [(e.step, v.tag, round(v.simple_value, 6)) for e in found for v in e.summary.value]
    assert sorted(values) == [(n, "loss", n / 10) for n in (1, 2, 3, 3, 4)]
    starts = [e.step for e in found if e.HasField("session_log")]
    assert sorted(starts) == [1, 3]  # TensorBoard hides earlier files' steps from there on


# ------------------------------------------------------------------------------- wandb


@pytest.mark.skipif(find_spec("wandb") is None, reason="wandb, the extra [wandb], is not installed")
def test_weights_and_biases_runs_without_a_network_and_goes_on_as_the_same_run(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("WANDB_MODE", "offline")
    for start in (1, 3):
        assert track(tmp_path, range(start, start + 2), start - 1, names=["wandb"]) == []
    name = (tmp_path / "wandb-run.txt").read_text().strip()
    files = [f for f in (tmp_path / "wandb").rglob(f"run-{name}.wandb") if "latest" not in str(f)]
    assert files
    assert all(os.path.getsize(f) > 0 for f in files)
