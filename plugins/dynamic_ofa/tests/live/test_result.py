"""What is said of a run's switches."""

from __future__ import annotations

from dynamic_ofa.ledger import Inference
from dynamic_ofa.live.result import first_to_steady


def stay(level, *latencies):
    return [Inference(time_s=0, level=level, latency_ms=ms, limit_ms=60) for ms in latencies]


def test_the_first_after_a_switch_is_held_against_the_median_of_its_stay():
    run = [*stay(2, 90, 50), *stay(1, 30, 20, 20, 20, 90, 20), *stay(0, 5, 10, 10, 10, 10, 10)]
    assert first_to_steady(run) == [1.5, 0.5]


def test_the_start_and_short_stays_do_not_count():
    assert first_to_steady(stay(2, *[90.0] * 9)) == []
    assert first_to_steady([*stay(2, 90), *stay(1, 30, 20, 20)]) == []


def test_tables_say_all_that_matters(bench, machine):
    machine.loads = [(0.5, 1.0, 2.0)]
    result = bench.run(limit="110 ms, 90 ms from 1.5 s", seconds=2.0)
    (title, _, rows), (_, _, levels), (_, _, events) = result.as_tables()
    said = dict(rows)
    assert title == "toy on cpu, levels resident"
    assert said["policy"] == "stepping, limit 110 ms, 90 ms from 1.5 s"
    assert said["late"].endswith("% of inferences") and "predicted" in said["accuracy"]
    assert said["a switch"] == "2.00 ms, at most 2.00 ms (measured)"
    assert said["resident"] == "0.0 MB, 1.20 times the largest level alone"
    assert [row[0] for row in levels] == ["0", "1", "2"] and levels[0][3] == ""  # never ran
    assert len(events) == len(result.events)


def test_a_run_without_switches_says_nothing_of_them(bench):
    result = bench.run(limit="100 ms", seconds=0.5)
    assert result.as_json()["switching"] == {"count": 0}
    assert len(result.as_tables()) == 2


def test_an_interrupted_run_says_how_to_go_on(bench):
    bench.fails = {3: KeyboardInterrupt()}
    assert "interrupted, --resume goes on" in bench.run().as_tables()[0][0]


def test_accuracy_is_of_the_least_sure_kind_that_ran(bench, table):
    from attrs import evolve

    first, *others = table.levels
    measured = evolve(first, accuracy=evolve(first.accuracy, kind="measured"))
    bench.table = evolve(table, levels=(measured, *others))
    assert bench.run(limit="1 ms", seconds=0.5).accuracy_kind == "predicted"
    assert bench.run(start=0, limit="10 ms", out=bench.folder / "2").accuracy_kind == "measured"
    assert bench.run(limit="1 ms", seconds=0.5, out=bench.folder / "3").scores.switches == 2
