"""Traces in files."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_ofa.traces import Moment, Trace, read_trace, write_trace
from ofa_plugins_core.errors import InputError

HEAD = {"format": "ofa-trace", "version": 1, "name": "t", "kind": "recorded", "duration_s": 5}


@pytest.fixture(scope="session")
def file(tmp_path_factory):
    """(*lines) -> a file of them, each as JSON unless it is text."""
    path = tmp_path_factory.mktemp("traces") / "trace.jsonl"

    def written(*lines):
        path.write_text("".join(f"{x if isinstance(x, str) else json.dumps(x)}\n" for x in lines))
        return path

    return written


moments = st.builds(
    Moment,
    time_s=st.just(0.0),
    factor=st.floats(0.1, 10),
    limit_ms=st.none() | st.floats(1, 1e3),
    readings=st.dictionaries(st.sampled_from(["cpu_percent", "µ"]), st.floats(-1e9, 1e9)),
    level=st.none() | st.integers(0, 9),
    latency_ms=st.none() | st.floats(0.1, 1e3),
)


@given(moments, st.floats(0, 1e6), st.none() | st.floats(0.01, 10))
def test_what_is_written_is_read(tmp_path_factory, moment, duration, interval):
    path = tmp_path_factory.getbasetemp() / "round_trip.jsonl"
    trace = Trace(
        name="ü\u2028\x85",
        kind="recorded",
        duration_s=duration,
        moments=(moment,),
        interval_s=interval,
    )
    write_trace(path, trace)
    assert read_trace(path) == trace


def test_a_moment_holds_until_the_next():
    trace = Trace(
        name="t",
        kind="constructed",
        duration_s=9.0,
        moments=(Moment(time_s=0.0), Moment(time_s=2.0, factor=2.0)),
    )
    assert [trace.at(t).factor for t in (-1.0, 0.0, 1.99, 2.0, 99.0)] == [1, 1, 1, 2, 2]


class TestGaps:
    def test_are_several_intervals_without_a_moment(self):
        times = (0.0, 1.0, 2.0, 6.0, 9.0)
        trace = Trace(
            name="t",
            kind="recorded",
            duration_s=13.0,
            moments=tuple(Moment(time_s=t) for t in times),
            interval_s=1.0,
        )
        assert trace.gaps() == [(2.0, 6.0), (9.0, 13.0)]  # 6 to 9 is three intervals: no gap yet

    def test_a_trace_of_changes_has_none(self):
        trace = Trace(name="t", kind="recorded", duration_s=99.0, moments=(Moment(time_s=0.0),))
        assert trace.gaps() == []


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "line 1: a trace begins with its format"),
        (({"format": "x"}, {"time_s": 0}), "line 1: a trace begins with its format"),
        (({**HEAD, "version": 2}, {"time_s": 0}), "of version 2; this program reads 1"),
        (({**HEAD, "kind": "dreamt"}, {"time_s": 0}), "line 1.*kind.*'dreamt'"),
        ((HEAD,), "line 2: the first moment is at time_s 0"),
        ((HEAD, {"time_s": 1}), "line 2: the first moment is at time_s 0"),
        ((HEAD, {"time_s": 0}, {"time_s": 0}), "line 3: 0.0 s does not come after the last"),
        ((HEAD, {"time_s": 0}, {"time_s": 6}), "duration_s 5.0 is before the last moment"),
        ((HEAD, {"time_s": 0, "factor": 0}), "line 2: factor: 0.001 to 1000, found 0"),
        ((HEAD, {"time_s": 0, "limit_ms": -1}), "line 2: limit_ms: more than 0, found -1.0"),
        ((HEAD, {"time_s": 0, "load": 2}), "line 2.*unknown key 'load'"),
        ((HEAD, "{"), "line 2: no JSON"),
        (({**HEAD, "interval_s": 0}, {"time_s": 0}), "line 1: interval_s: more than 0, found 0.0"),
        (({**HEAD, "interval_s": -1}, {"time_s": 0}), "line 1: interval_s: more than 0, found -1"),
        (("", {**HEAD, "format": "x"}), "line 2: a trace begins with its format"),
        (("", {**HEAD, "kind": "dreamt"}, {"time_s": 0}), "line 2.*kind.*'dreamt'"),
        (("", HEAD), "line 3: the first moment is at time_s 0"),
        ((HEAD, "", {"time_s": 1}), "line 3: the first moment is at time_s 0"),
        ((HEAD, "", {"time_s": 0, "factor": 0}), "line 3: factor: 0.001 to 1000"),
        ((HEAD, {"time_s": 0}, "", " ", {"time_s": 0}), "line 5: 0.0 s does not come after"),
        ((HEAD, [1]), "line 2: a mapping is due"),
    ],
)
def test_a_broken_file_names_its_line(file, lines, said):
    with pytest.raises(InputError, match=said):
        read_trace(file(*lines))


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf")])
def test_an_interval_that_makes_no_sense_is_refused(interval):
    with pytest.raises(ValueError, match="interval_s: more than 0, found"):
        Trace(name="t", kind="recorded", duration_s=1.0, interval_s=interval)


def test_blank_lines_say_nothing(file):
    moments = read_trace(file("", HEAD, "", {"time_s": 0}, " ", {"time_s": 1}, "")).moments
    assert [m.time_s for m in moments] == [0.0, 1.0]


def test_a_file_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(InputError, match="no trace"):
        read_trace(tmp_path / "nothing.jsonl")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="cannot read"):
        read_trace(tmp_path / "binary")
    with pytest.raises(InputError, match="cannot read"):
        read_trace(tmp_path)
