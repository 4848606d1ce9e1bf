"""trtexec: its command line, and every form in which it tells the GPU's compute time."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices_jetson.trtexec import (
    TrtOptions,
    arguments,
    measure_onnx,
    parse_summary,
    parse_times,
    understood,
)
from ofa_plugins_core.errors import InputError

NEW = (
    "[11/21/2026-21:32:18] [I] Latency: min = 2.1 ms, max = 3 ms, mean = 2.2 ms, median = 2.2 ms\n"
    "[11/21/2026-21:32:18] [I] GPU Compute Time: min = 1.70386 ms, max = 2.5 ms, mean = 1.75 ms, "
    "median = 1.74048 ms, percentile(99%) = 1.9 ms\n"
    "[11/21/2026-21:32:18] [I] D2H Latency: min = 0.01 ms, max = 0.1 ms, mean = 0.02 ms\n"
)
OLD = """\
[I] Latency
[I] min: 9.1 ms (end to end 9.2 ms)
[I] GPU Compute
[I] min: 1.34 ms
[I] max: 2.02 ms
[I] mean: 1.41 ms
[I] median: 1.40 ms
[I] percentile: 1.7 ms at 99%
[I] total compute time: 3.0 s
[I] median: 99 ms
"""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (TrtOptions(), []),
        (TrtOptions("fp16"), ["--fp16"]),
        (TrtOptions("int8"), ["--int8"]),
    ],
)
def test_the_command_line(options, words):
    assert arguments("n.onnx", options) == [
        "--onnx={files}/n.onnx",
        *words,
        "--warmUp=200",
        "--duration=10",
        "--exportTimes={files}/times.json",
    ]


def test_the_line_of_tensorrt_8_and_later():
    assert parse_summary(NEW) == {"min": 1.70386, "max": 2.5, "mean": 1.75, "median": 1.74048}


def test_the_heading_of_tensorrt_7():
    assert parse_summary(OLD) == {"min": 1.34, "max": 2.02, "mean": 1.41, "median": 1.40}


def test_without_it_the_last_error_is_said():
    with pytest.raises(InputError, match=r"no 'GPU Compute Time'; it says '\[E\] no parser'"):
        parse_summary("[I] start\n[E] no parser\n[I] end")


def test_exported_times():
    assert parse_times('[{"computeMs": 1.5, "latencyMs": 2}, {"computeMs": 2}]') == [1.5, 2.0]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "[1]", '[{"computeMs": "x"}]', '[{"computeMs": -1}]']
)
def test_times_that_are_none_are_refused(text):
    with pytest.raises(InputError, match="the times that trtexec exported"):
        parse_times(text)


words = st.sampled_from([*NEW.split(), *OLD.split(" "), "GPU Compute", "\n", "ms", "=", ":"])


@given(st.text() | st.lists(words).map(" ".join))
def test_any_text_is_read_or_refused(text):
    for parse in (parse_summary, parse_times):
        with contextlib.suppress(InputError):
            assert parse(text)


def test_exported_times_come_before_what_was_printed():
    times = json.dumps([{"computeMs": x} for x in (1.0, 1.2, 1.4)])
    found = understood({"code": 0, "out": NEW, "err": "", "times": times})
    assert found.median == pytest.approx(1.2) and found.timed.count == 3
    assert understood({"code": 0, "out": NEW, "err": "", "times": None}).median == 1.74048


def test_a_failure_is_said_with_its_error():
    with pytest.raises(InputError, match=r"trtexec ended with code 1: '\[E\] Unsupported'"):
        understood({"code": 1, "out": "[E] Unsupported\n[I] done", "err": ""})


class Board:
    """Takes files, and what trtexec is called with."""

    where, origin = "a board", "constructed"

    def __init__(self):
        self.asked = []

    def ask(self, do, **given):
        self.asked.append((do, given))
        return {"ok": True, "code": 0, "out": NEW, "err": "", "times": None}

    def close(self):
        pass


def test_a_file_is_sent_in_parts(tmp_path, monkeypatch):
    monkeypatch.setattr("devices_jetson.trtexec.PART", 4)
    file = tmp_path / "net.onnx"
    file.write_bytes(b"0123456789")
    board = Board()
    measure_onnx(board, file, TrtOptions())
    assert [given.get("first") for _, given in board.asked] == [True, False, False, None]
    assert board.asked[-1][1]["arguments"][0] == "--onnx={files}/network.onnx"
