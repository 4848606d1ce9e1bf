"""The published facts of run time, replayed: tables of Dynamic-OFA, every policy, every trace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dynamic_ofa.levels.finding import shipped as shipped_tables
from dynamic_ofa.simulating.shipped import shipped as shipped_traces
from dynamic_ofa.traces import Moment, Trace, write_trace
from ofa_plugins_core.cli.main import run

DATA = Path(__file__).parents[3] / "shared" / "data" / "dynamic_ofa"
needs_shared = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"{DATA} is not there: published tables are not redistributed"
)


@pytest.fixture
def simulate(tmp_path, monkeypatch, capsys):
    """(table, words) -> JSON, what stderr says."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def called(table, *words):
        given = ["run", "simulate", "--levels", str(table), "--no-plot", "--json", *words]
        assert run([str(word) for word in given]) == 0
        out, err = capsys.readouterr()
        return json.loads(out), err

    return called


@pytest.fixture
def steady(tmp_path):
    """(factor) -> a trace that begins as the demo does, and goes on for a minute."""

    def made(factor):
        path = tmp_path / "steady.jsonl"
        moments = (Moment(time_s=0.0), Moment(time_s=2.5, factor=factor))
        trace = Trace(name="steady", kind="constructed", duration_s=60.0, moments=moments)
        write_trace(path, trace)
        return path

    return made


@needs_shared
class TestPublishedDemo:
    LIMIT = ("--limit", "60 ms")

    def test_the_levels_are_3_2_1(self, simulate):
        found, _ = simulate(DATA / "nets_6.pickle", *self.LIMIT, "--trace", "demo")
        assert found["sequence"] == [3, 2, 1]
        accuracies = [found["levels"][n]["accuracy"]["value"] for n in found["sequence"]]
        assert accuracies == pytest.approx([77.54, 76.134, 74.968])

    @pytest.mark.parametrize(
        ("factor", "end"), [(1.2, 2), (1.213, 2), (1.215, 1), (1.32, 1), (1.322, 0)]
    )
    def test_outside_its_range_of_load_it_ends_elsewhere(self, simulate, steady, factor, end):
        found, _ = simulate(DATA / "nets_6.pickle", *self.LIMIT, "--trace", steady(factor))
        assert found["sequence"][-1] == end

    def test_without_the_commit_rule_it_goes_on_for_ever(self, simulate, steady):
        words = (DATA / "nets_6.pickle", *self.LIMIT, "--trace", steady(1.25))
        off, _ = simulate(*words, "--set", "dynamic_ofa.commit=false")
        assert off["sequence"] == [3, *([2, 1] * 9)][: len(off["sequence"])]
        assert len(off["sequence"]) > 12
        on, _ = simulate(*words)
        assert on["sequence"] == [3, 2, 1, 2, 1]

    def test_a_wish_above_every_level_is_told(self, simulate):
        found, err = simulate(DATA / "nets_6.pickle", *self.LIMIT, "--accuracy", "80")
        assert "the wish of 80 % cannot be met: the most accurate level has 79.03 %" in err
        assert found["wish"]["reachable"] is False


TABLES = {
    **{name: name for name in shipped_tables()},
    **{path.name: path for path in sorted(DATA.glob("*.pickle"))},
}


@pytest.mark.parametrize("trace", shipped_traces())
@pytest.mark.parametrize("table", TABLES)
def test_every_policy_runs_on_every_trace_with_every_table(simulate, table, trace):
    words = ("--limit", "60 ms", "--jitter", "0.1", "--compare")
    found, _ = simulate(TABLES[table], "--trace", trace, *words)
    assert {p["policy"] for p in found["policies"]} >= {"dynamic_ofa", "greedy", "hysteresis"}
    for policy in found["policies"]:
        assert 0 <= policy["regret"]["value"] <= 100
        assert policy["scores"]["inferences"] == policy["optimum"]["inferences"] > 0
