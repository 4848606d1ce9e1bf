"""The job as a whole, on a machine whose clock only inferences move."""

from __future__ import annotations

import json
import pkgutil
import signal

import pytest

from dynamic_ofa.traces import read_trace
from ofa_plugins_core.errors import PluginError, UsageError


def levels(result):
    """Levels that ran, each stay once."""
    found = [i.level for i in result.inferences]
    return [n for at, n in enumerate(found) if at == 0 or found[at - 1] != n]


def test_goes_down_under_load_and_comes_up_after_it(bench, machine):
    machine.loads = [(0.7, 1.4, 2.0)]
    result = bench.run(limit="110 ms", seconds=3.0)
    assert levels(result) == [2, 1, 2]  # 160 ms, then 80 ms, then 40 ms: quick enough to come up
    assert result.exit_code == 0 and bench.switcher.closed


@pytest.mark.parametrize(("limit", "first"), [("100 ms", 2), ("50 ms", 1), ("1 ms", 0)])
def test_it_begins_at_the_most_accurate_level_that_the_limit_allows(bench, limit, first):
    assert bench.run(limit=limit, start=None, count=1).inferences[0].level == first


def test_a_level_runs_images_of_its_size(bench):
    bench.run(limit="50 ms", seconds=0.2)
    assert bench.switcher.seen == [(96, 0), (64, 1), (64, 2), (64, 3)]


def test_ends_by_time_or_by_count_whichever_is_first(bench):
    assert len(bench.run(limit="100 ms", seconds=9.0, count=5).inferences) == 5
    assert bench.run(limit="100 ms", seconds=0.3, out=bench.folder / "2").scores.inferences == 4


def test_a_limit_that_changes_holds_from_then_on(bench):
    result = bench.run(limit="100 ms, 30 ms from 0.41 s", seconds=1.0)
    limits = [i.limit_ms for i in result.inferences]
    assert limits[:6] == [100.0] * 6 and set(limits[6:]) == {30.0}
    assert result.scores.late == pytest.approx(2 / len(limits))  # 80 ms, 40 ms, then in time


def test_figures_say_what_they_are(bench, machine):
    machine.loads = [(0.5, 1.0, 2.0)]
    said = bench.run(limit="110 ms", seconds=2.0).as_json()
    assert said["scores"]["latency_ms"]["kind"] == "measured"
    assert said["scores"]["accuracy"]["kind"] == "predicted"  # as the table's levels say
    assert said["switching"]["mean"] == {"value": 2.0, "unit": "ms", "kind": "measured"}
    assert said["memory"]["resident"]["value"] == 1200
    shares = sum(level["share"]["value"] for level in said["by_level"])
    assert shares == pytest.approx(100)
    assert json.loads(json.dumps(said)) == said


def test_the_folder_holds_log_events_and_a_trace_that_reads(bench):
    result = bench.run(seconds=1.0)
    lines = (bench.folder / "inferences.jsonl").read_text().splitlines()
    assert len(lines) == 1 + len(result.inferences)
    (event,) = map(json.loads, (bench.folder / "events.jsonl").read_text().splitlines()[1:])
    assert (event["before"], event["after"], event["took_ms"]) == (2, 1, 2.0)
    assert event["latency_before_ms"] == 80 and event["latency_after_ms"] == pytest.approx(40)
    assert event["late_share"] == 1 and event["reason"] == "80 ms of 50 ms"
    trace = read_trace(bench.folder / "trace.jsonl")
    assert len(trace.moments) == len(result.inferences) and trace.gaps() == []
    assert {m.factor for m in trace.moments} == {1.0}


def test_nothing_is_recorded_where_nobody_wants_it(bench):
    bench.run(seconds=0.2, record=False)
    assert not (bench.folder / "trace.jsonl").exists()


def test_ctrl_c_keeps_what_was_run_and_resume_goes_on(bench, machine):
    machine.loads = [(0.3, 0.5, 2.0)]
    bench.fails = {3: KeyboardInterrupt()}
    first = bench.run(limit="110 ms", seconds=1.5)
    assert first.exit_code == 130 and first.as_json()["interrupted"]
    assert len(first.inferences) == 3
    second = bench.run(limit="110 ms", seconds=1.5, resume=True)
    assert second.exit_code == 0 and second.inferences[:3] == first.inferences
    assert bench.switcher.seen[0][1] == 3  # goes on with the next image
    assert 1.5 <= second.scores.seconds < 1.6


def test_a_finished_run_has_nothing_to_go_on_with(bench):
    first = bench.run(limit="100 ms", count=5)
    again = bench.run(limit="100 ms", count=5, resume=True)
    assert again.inferences == first.inferences and bench.switcher.seen == []


def test_being_terminated_is_as_ctrl_c(bench):
    bench.fails = {3: lambda: signal.raise_signal(signal.SIGTERM)}
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)  # it may have been ignored
    try:
        result = bench.run(limit="30 ms", actuators="threads")
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert result.exit_code == 130 and len(result.inferences) == 3
    assert bench.host.knob.log[-1] == 1 and bench.switcher.closed


def test_resume_begins_where_the_policy_stood(bench):
    bench.fails = {4: KeyboardInterrupt()}
    bench.run(limit="30 ms")
    bench.run(limit="30 ms", resume=True)
    assert bench.switcher.given["start"] == 0


def test_resume_sets_actuators_to_what_the_policy_had_them_at(bench):
    bench.fails = {4: KeyboardInterrupt()}
    bench.run(limit="30 ms", actuators="threads")  # at the fastest level: 2 threads
    knob = bench.host.knob
    knob.log = [1.0]
    bench.fails = {0: lambda: set_before.extend(knob.log)}
    set_before = []
    bench.run(limit="30 ms", actuators="threads", resume=True)
    assert set_before == [1, 2] and knob.log[-1] == 1


def test_resume_refuses_another_run(bench):
    bench.fails = {4: KeyboardInterrupt()}
    bench.run(limit="30 ms")
    with pytest.raises(UsageError, match="limit was '30 ms', is '40 ms'"):
        bench.run(limit="40 ms", resume=True)


def test_ctrl_c_before_the_first_inference_is_nothing_to_sum_up(bench):
    bench.fails = {0: KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        bench.run()
    assert bench.switcher.closed and not bench.folder.exists()


def test_a_policy_that_raises_is_blamed_and_what_was_run_stays(bench):
    with pytest.raises(PluginError, match=r"plugin 'toys' 1\.2: policy 'failing': decide\(\)"):
        bench.run(policy="failing")
    kept = (bench.folder / "inferences.jsonl").read_text().splitlines()
    assert len(kept) > 5 and len(read_trace(bench.folder / "trace.jsonl").moments) == len(kept) - 1
    assert bench.switcher.closed


def test_actuators_are_set_with_the_level_and_put_back(bench):
    result = bench.run(limit="30 ms", seconds=0.5, actuators="threads")
    assert bench.host.knob.log == [1, 1, 2, 1]
    assert [dict(e.actions) for e in result.events] == [{"threads": 1.0}, {"threads": 2.0}]


def test_what_was_set_is_put_back_before_anything_else_ends(bench, monkeypatch):
    ended = []
    for name in ("job.Contention", "job.Log", "job.Watch"):
        noted(monkeypatch, f"dynamic_ofa.live.{name}", ended)
    noted(monkeypatch, "dynamic_ofa.live.view.Lines", ended)
    noted(monkeypatch, "dynamic_ofa.live.job.Settings", ended)
    bench.run(limit="30 ms", seconds=0.5, actuators="threads")
    assert ended[0] == "Settings" and len(ended) == 5 and bench.switcher.closed


def noted(monkeypatch, path, ended):
    """Have a context manager write down its name when it ends."""
    kind = pkgutil.resolve_name(path)

    class Noted(kind):
        def __exit__(self, *given):
            ended.append(kind.__name__)
            return super().__exit__(*given)

    monkeypatch.setattr(path, Noted)


def test_readings_of_the_monitors_that_are_there_reach_policy_and_log(bench):
    result = bench.run(seconds=0.3, monitors=None)
    assert all(i.readings == {"cpu_percent": 50.0} for i in result.inferences)


def test_the_wish_reaches_a_policy_that_takes_one(bench):
    bench.run(seconds=0.1, accuracy="72 %")
    bench.run(seconds=0.1, out=bench.folder / "2")
    assert bench.host.wishes == [72.0, 0.0]


def test_frames_come_at_their_rate_and_late_ones_are_left_out(bench, machine):
    result = bench.run(limit="100 ms", seconds=1.0, every="100 ms")
    assert [round(i.time_s, 3) for i in result.inferences][:3] == [0.08, 0.18, 0.28]
    machine.time, machine.loads = 100.0, [(0.0, 9.0, 1.5)]
    slow = bench.run(limit="500 ms", seconds=1.0, every="100 ms", out=bench.folder / "2", start=2)
    assert [round(i.time_s, 3) for i in slow.inferences][:3] == [0.12, 0.32, 0.52]


def test_the_timeline_is_drawn_into_the_folder(bench):
    pytest.importorskip("matplotlib")
    bench.run(seconds=0.5, plot=True)
    assert "toy: stepping, 50 ms" in (bench.folder / "timeline.svg").read_text()


def test_out_may_name_a_file_for_the_result(bench, tmp_path):
    result = bench.run(seconds=0.2, out=tmp_path / "result.json")
    assert result.run is None and not (tmp_path / "result.json").exists()
