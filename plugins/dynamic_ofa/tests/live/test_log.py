"""What a run writes down, and the trace that comes of it."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamic_ofa.ledger import Inference
from dynamic_ofa.live.log import Log, trace_of
from dynamic_ofa.traces import read_trace, write_trace
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.interfaces import Decision
from ofa_plugins_core.testing.toys import TOY_LEVELS

OF = {"policy": "greedy"}


def inference(time_s, level=2, latency_ms=50.0, limit_ms=60.0):
    return Inference(time_s=time_s, level=level, latency_ms=latency_ms, limit_ms=limit_ms)


@st.composite
def runs(draw):
    """Inferences one after the other, with pauses, at any level and limit."""
    time, found = 0.0, []
    for _ in range(draw(st.integers(1, 12))):
        latency = draw(st.floats(0.5, 500))
        time += draw(st.sampled_from([1e-6, 0.01, 3.0])) + latency / 1000
        level, limit = draw(st.integers(0, 2)), draw(st.sampled_from([20.0, 60.0]))
        found.append(inference(time, level, latency, limit))
    return found


@given(runs())
def test_a_trace_says_how_much_slower_than_the_table_it_went(found):
    trace = trace_of(found, TOY_LEVELS, "run", "")
    assert trace.moments[0].time_s == 0 and trace.gaps() == []
    assert all(a.time_s < b.time_s for a, b in pairwise(trace.moments))
    limit = None
    for seen, moment in zip(found, trace.moments, strict=True):
        slower = moment.factor * TOY_LEVELS[seen.level].latency
        assert slower == pytest.approx(seen.latency_ms)
        limit = moment.limit_ms or limit
        assert limit == seen.limit_ms


def test_a_trace_reads_as_it_was_written(tmp_path):
    trace = trace_of([inference(0.1), inference(0.2, limit_ms=40.0)], TOY_LEVELS, "run", "about")
    write_trace(tmp_path / "trace.jsonl", trace)
    assert read_trace(tmp_path / "trace.jsonl") == trace


def test_an_event_is_written_with_the_inference_after_it(tmp_path):
    with Log(tmp_path, OF) as log:
        log.add(inference(0.05, latency_ms=70.0))
        log.add(inference(0.1, latency_ms=90.0))
        assert log.decided(Decision(2), {}, None) is None  # nothing changes
        log.decided(Decision(0, "late"), {}, 1.5)
        assert log.events == []
        log.add(inference(0.15, level=0, latency_ms=11.0))
        (event,) = log.switches
        assert (event.latency_before_ms, event.latency_after_ms) == (80.0, 11.0)
        assert event.late_share == 1.0
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 2


def test_the_mean_before_a_switch_is_of_this_stay_and_of_twenty_at_most():
    log = Log(None, OF)
    log.add(inference(0.01, level=1, latency_ms=999.0))
    for number in range(30):
        log.add(inference(1.0 + number, latency_ms=float(number)))
    event = log.decided(Decision(0), {}, None)
    assert event.latency_before_ms == sum(range(10, 30)) / 20


def test_the_last_event_is_written_though_no_inference_follows(tmp_path):
    with Log(tmp_path, OF) as log:
        log.add(inference(0.1))
        log.decided(Decision(0), {}, None)
    assert log.events[0].latency_after_ms is None
    assert Log(tmp_path, OF, resume=True).events == log.events


def test_actuators_alone_are_an_event_but_no_switch():
    log = Log(None, OF)
    log.add(inference(0.1))
    log.decided(Decision(2), {"threads": 2.0}, None)
    log.add(inference(0.2))
    assert len(log.events) == 1 and log.switches == []


def test_goes_on_with_what_was_there(tmp_path):
    with Log(tmp_path, OF) as log:
        log.add(inference(0.1, latency_ms=70.0))
        log.add(inference(0.2))
    again = Log(tmp_path, OF, resume=True)
    assert again.inferences == log.inferences
    assert (again.elapsed, again.late_share) == (0.2, 0.5)
    with pytest.raises(UsageError, match="policy was 'greedy', is 'other'"):
        Log(tmp_path, {"policy": "other"}, resume=True)


def test_a_line_that_was_not_written_there_is_named(tmp_path):
    with Log(tmp_path, OF) as log:
        log.add(inference(0.1))
    with (tmp_path / "inferences.jsonl").open("a") as file:
        file.write(json.dumps({"time_s": "soon"}) + "\n")
    with pytest.raises(InputError, match=r"inferences\.jsonl, line 3"):
        Log(tmp_path, OF, resume=True)
