"""``ofa run simulate`` from the command line, with the core and this plugin alone."""

from __future__ import annotations

import csv
import json
from types import ModuleType

import pytest

from dynamic_ofa.simulating import job
from ofa_plugins_core import Host, RuntimePolicyEntry, hookimpl
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.testing.toys import ToyPolicy


@pytest.fixture
def simulate(ofa, table):
    """(words) -> exit code, JSON or None, stderr."""
    return lambda *words: ofa("run", "simulate", "--levels", table, "--no-plot", *words)


def figure(value, unit):
    return {"value": value, "unit": unit, "kind": "computed"}


class TestDemo:
    def test_it_goes_3_2_1(self, simulate):
        code, found, _ = simulate("--limit", "60 ms", "--trace", "demo", "--json")
        assert code == 0
        assert found["sequence"] == [3, 2, 1] and found["start"] == 3
        assert [(s["before"], s["after"]) for s in found["switches"]] == [(3, 2), (2, 1)]
        assert found["trace"] == {"name": "demo", "kind": "constructed", "duration_s": 9.0}

    def test_level_1_runs_less_than_70_images(self, simulate):
        _, found, _ = simulate("--limit", "60 ms", "--json")
        assert round(found["scores"]["shares"][1] * found["scores"]["inferences"]) < 70


class TestResult:
    def test_figures_have_unit_and_kind(self, simulate):
        _, found, _ = simulate("--limit", "60 ms", "--policy", "greedy", "--json")
        value = found["optimum"]["value"]["value"] - found["scores"]["value"]["value"]
        assert found["regret"] == figure(pytest.approx(value), "percentage points")
        assert found["scores"]["latency_ms"] == figure(pytest.approx(52, abs=3), "ms")
        assert found["levels"][0]["accuracy"]["kind"] == "published"

    def test_the_folder_has_events_and_an_inference_a_row(self, simulate, tmp_path):
        simulate("--limit", "60 ms", "--out", tmp_path / "run")
        events = (tmp_path / "run" / "events.jsonl").read_text().splitlines()
        assert [json.loads(e)["after"] for e in events] == [2, 1]
        result = json.loads((tmp_path / "run" / "result.json").read_text())
        with (tmp_path / "run" / "front.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == result["scores"]["inferences"]
        assert [rows[0][k] for k in ("level", "latency_ms", "late")] == ["3", "51.08", "False"]

    def test_tables_for_people_name_policy_and_reasons(self, simulate):
        _, _, err = simulate("--limit", "60 ms")
        assert "policy dynamic_ofa · trace demo (constructed, 9 s)" in err
        assert "the mean of 60.02 ms is over the limit of 60 ms" in err

    def test_the_same_seed_gives_the_same_noise(self, simulate):
        words = ("--limit", "60 ms", "--jitter", "0.1", "--json")
        one, again, other = (
            simulate(*words, "--seed", seed)[1]["scores"]["value"] for seed in (1, 1, 2)
        )
        assert one == again != other


class TestCompare:
    def test_every_policy_in_one_table(self, simulate, tmp_path):
        out = tmp_path / "run"
        words = ("--limit", "60 ms", "--trace", "contention", "--compare", "--out", out)
        code, found, _ = simulate(*words, "--json")
        assert code == 0
        assert {p["policy"] for p in found["policies"]} >= {"dynamic_ofa", "greedy", "hysteresis"}
        assert all(p["regret"]["value"] >= 0 for p in found["policies"])
        assert (out / "front.csv").read_text().startswith("policy,")

    def test_one_that_fails_is_told_and_left_out(self, simulate):
        words = ("--limit", "60 ms", "--compare", "--json", "--set", "dynamic_ofa.start=7")
        code, found, err = simulate(*words)
        assert code == 0
        assert "policy 'dynamic_ofa' is left out: dynamic_ofa.start: there is no level 7" in err
        assert "dynamic_ofa" not in [p["policy"] for p in found["policies"]]

    def test_a_first_level_that_is_not_there_stops_all(self, simulate):
        code, _, err = simulate("--limit", "60 ms", "--compare", "--start", "7")
        assert code == 2 and "there is no level 7: the table has 6" in err


class TestTold:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (("--limit", "60", "--accuracy", "80"), "the wish of 80 % cannot be met: the most"),
            (("--limit", "50", "--accuracy", "78 %"), "within 50 ms the table's levels reach"),
            (
                (
                    "--limit",
                    "30",
                ),
                "a limit of 30 ms is under the fastest level's 41.16 ms",
            ),
        ],
    )
    def test_what_levels_cannot_do_is_told_and_kept(self, simulate, words, said):
        code, found, err = simulate(*words, "--json")
        assert code == 0
        assert f"note: {said}" in err or said in err
        assert any(said in note for note in found["notes"])

    def test_a_wish_that_no_one_takes(self, simulate):
        _, _, err = simulate("--limit", "60", "--accuracy", "80", "--policy", "greedy")
        assert "policy 'greedy' takes no wish: --accuracy had no effect" in err

    def test_actions_without_effect_once(self, simulate):
        words = ("--policy", "hysteresis", "--set", "hysteresis.actuator=threads")
        _, _, err = simulate("--limit", "60", *words, "--set", "hysteresis.values=1,2")
        assert err.count("the policy sets threads: without effect in a simulation") == 1

    def test_limits_of_the_trace_before_the_flag(self, simulate):
        _, found, err = simulate("--limit", "60", "--trace", "limits", "--json")
        assert "the trace 'limits' sets limits, which come before --limit" in err
        assert found["limits_ms"] == [46.0, 55.0, 60.0, 65.0]
        _, found, err = simulate(
            "--limit", "60", "--trace", "limits", "--no-trace-limits", "--json"
        )
        assert found["limits_ms"] == [60.0] and "come before" not in err


class TestOthers:
    """Policies of other plugins take part by name."""

    @pytest.fixture
    def simulate(self, capsys, table, tmp_path, monkeypatch):
        """(words) -> exit code, JSON or None, stderr; with a plugin of three policies more."""

        @hookimpl
        def ofa_runtime_policies():
            yield RuntimePolicyEntry("toy", "a toy", lambda options: ToyPolicy())
            yield RuntimePolicyEntry("raising", "raises", lambda options: Wrong(lambda: 1 // 0))
            yield RuntimePolicyEntry("off", "names no level", lambda options: Wrong(lambda: 99))

        mine = ModuleType("mine")
        mine.OFA_API, mine.ofa_runtime_policies = 1, ofa_runtime_policies
        monkeypatch.chdir(tmp_path)

        def called(*words):
            given = ["run", "simulate", "--levels", str(table), "--limit", "60", *words]
            code = run(
                [*given, "--no-plot", "--json"], lambda block: Host.discover(block, {"mine": mine})
            )
            out, err = capsys.readouterr()
            return code, json.loads(out) if out else None, err

        return called

    def test_one_runs_like_any(self, simulate):
        code, found, _ = simulate("--policy", "toy")
        assert (code, found["policy"], found["start"]) == (0, "toy", 4)

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("raising", "policy 'raising': decide() raised ZeroDivisionError"),
            ("off", "policy 'off': decide() gave 99; due is the number of a level, 0 to 5"),
        ],
    )
    def test_one_that_fails_is_blamed_with_its_plugin(self, simulate, name, said):
        code, out, err = simulate("--policy", name)
        assert (code, out) == (4, None)
        assert "plugin 'mine'" in err and said in err and "Traceback" not in err

    def test_a_comparison_goes_on_without_those(self, simulate):
        code, found, err = simulate("--compare")
        assert code == 0
        assert {p["policy"] for p in found["policies"]} >= {"toy", "greedy"}
        assert "policy 'raising' is left out" in err and "policy 'off' is left out" in err


class Wrong:
    """A policy that does at each decision what it is told to."""

    def __init__(self, does):
        self.does = does

    def start(self, levels):
        return None

    def decide(self, state, observation):
        return state, self.does()


class TestBadInput:
    @pytest.mark.parametrize(
        ("words", "code", "said"),
        [
            (("--trace", "demo"), 2, "the trace 'demo' sets no limit from its start on"),
            (("--limit", "0"), 2, "--limit: expected a time, found '0'"),
            (("--limit", "60", "--trace", "dmo"), 2, "unknown trace 'dmo'; nearest known: demo"),
            (("--limit", "60", "--trace", "no.jsonl"), 5, "no trace no.jsonl"),
            (("--limit", "60", "--policy", "gredy"), 2, "nearest known: greedy"),
            (("--limit", "60", "--start", "6"), 2, "there is no level 6: the table has 6"),
            (("--limit", "60", "--accuracy", "high"), 2, "expected percent from 0 to 100"),
            (("--limit", "60", "--every", "often"), 2, "--every: expected a time"),
            (("--limit", "60", "--jitter", "-1"), 2, "'jitter' must be >= 0"),
            (("--limit", "60", "--set", "dynamic_ofa.window=0"), 2, "'window' must be >= 1"),
        ],
    )
    def test_ends_with_one_line_and_nothing_written(self, simulate, tmp_path, words, code, said):
        found, out, err = simulate(*words, "--out", tmp_path / "run")
        assert (found, out) == (code, None)
        assert said in err and "Traceback" not in err
        assert not (tmp_path / "run").exists()

    def test_a_gap_names_itself_and_the_remedy(self, simulate, tmp_path):
        path = tmp_path / "mine.jsonl"
        head = {"format": "ofa-trace", "version": 1, "name": "mine", "kind": "recorded"}
        lines = [{**head, "duration_s": 9, "interval_s": 0.5}, {"time_s": 0}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        code, _, err = simulate("--limit", "60", "--trace", path)
        assert code == 5
        assert "says nothing from 0 s to 9 s" in err and "--gaps hold" in err
        assert simulate("--limit", "60", "--trace", path, "--gaps", "hold")[0] == 0
        assert simulate("--limit", "60", "--trace", path, "--gaps", "skip")[0] == 0


class TestTimeline:
    def test_without_matplotlib_the_run_is_kept_all_the_same(self, ofa, table, tmp_path):
        words = ("run", "simulate", "--levels", table, "--limit", "60", "--out", tmp_path / "run")
        code, _, err = ofa(*words)
        assert code == 0 and (tmp_path / "run" / "result.json").exists()
        assert (tmp_path / "run" / job.TIMELINE).exists() or "no timeline: drawing needs" in err

    def test_a_run_of_very_many_is_not_drawn(self, ofa, table, monkeypatch):
        monkeypatch.setattr("dynamic_ofa.timeline.MOST", 10)
        _, _, err = ofa("run", "simulate", "--levels", table, "--limit", "60")
        assert "no timeline: more than 10 inferences" in err
