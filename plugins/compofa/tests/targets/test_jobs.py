"""``ofa run targets``: a list of latencies, and the best network under each."""

from __future__ import annotations

import csv
import json
from types import ModuleType

import numpy as np
import pytest

from compofa.targets.asking import asked, latency_of, target_of
from compofa.targets.options import TargetsOptions
from compofa.targets.presets import EVOLUTION, TARGETS
from ofa_plugins_core import CostModelEntry, Host, InputError, hookimpl
from ofa_search.exact.searcher import Exact

BOUNDS = "8,10,12,14"
NETWORKS = 1215


def options(**given):
    return TargetsOptions(supernet="compofa", **given)


def archs(found):
    return [item.get("arch") for item in found["front"]]


# ------------------------------------------------------------------------------- one enumeration


def test_all_targets_come_from_one_enumeration_of_the_networks_with_fixed_kernels(ofa, table):
    code, found, _ = ofa("targets", "--supernet", "compofa", "--lut", table, "--bounds", BOUNDS)
    assert code == 0
    assert (found["searcher"], found["optimal"]) == ("exhaustive", True)
    assert found["evaluations"] == found["effort"]["networks"] == NETWORKS
    assert [item["bound"] for item in found["front"]] == [8, 10, 12, 14]
    assert all(i["costs"]["latency@device"]["value"] <= i["bound"] for i in found["front"])


def test_exact_search_of_the_tables_finds_the_same(ofa, table):
    words = ("targets", "--supernet", "compofa", "--lut", table, "--bounds", "2,7,8,9,11,13,30")
    _, enumerated, _ = ofa(*words)
    _, exact, _ = ofa(*words, "--searcher", "exact")
    assert exact["evaluations"] == 0
    assert exact["front"] == enumerated["front"]


def test_what_it_took_is_held_against_the_published_evolution(ofa, table):
    _, found, _ = ofa("targets", "--supernet", "compofa", "--lut", table, "--bounds", BOUNDS)
    effort = found["effort"]
    published = effort["published_evolution"]
    assert (published["kind"], published["a_target"]) == ("published", [67_000, 147_000])
    assert published["evaluations"] == [4 * n for n in EVOLUTION]
    assert effort["ratio"] == pytest.approx([4 * n / NETWORKS for n in EVOLUTION], abs=0.05)


def test_the_published_lists_are_data():
    assert {name: t.bounds for name, t in TARGETS.items()} == {
        "note10": (15, 20, 25, 30),
        "gpu": (15, 25, 35, 45),
        "cpu": (12, 15, 18, 21),
    }
    assert {name: t.batch for name, t in TARGETS.items()} == {"note10": 1, "gpu": 64, "cpu": 1}


def test_the_four_note10_targets_as_published(ofa, shared):
    words = ("--target", "note10", "--lut-as", "ofa_mbv3_w1.2")
    lut = f"note10={shared / 'lut' / 'note10'}"
    code, found, _ = ofa("targets", "--supernet", "compofa", *words, "--lut", lut)
    assert code == 0
    assert found["evaluations"] == NETWORKS
    assert found["effort"]["ratio"] == [220.6, 484.0]
    costs = [item["costs"]["latency@note10"] for item in found["front"]]
    assert all(c["source"].startswith("published convention") for c in costs)
    _, swept, _ = ofa(
        *("search", "--supernet", "compofa", "--constraint", "latency<=15:30", "--points", "4"),
        *("--lut", lut, "--lut-as", "ofa_mbv3_w1.2"),
    )
    assert archs(found) == archs(swept)


# ------------------------------------------------------------------------------- other searches


def test_free_kernels_are_searched_exactly(ofa, table):
    code, found, _ = ofa(
        "targets", "--supernet", "compofa_elastic", "--lut", table, "--bounds", BOUNDS
    )
    assert (code, found["searcher"], found["optimal"]) == (0, "exact", True)
    assert found["evaluations"] == 0
    assert found["effort"]["ratio"] is None


def test_the_published_search_is_there_with_its_settings(ofa, table):
    words = ("--lut", table, "--bounds", "10,12", "--searcher", "evolution")
    small = ("--set", "evolution.population=20", "--set", "evolution.generations=3")
    code, found, _ = ofa("targets", "--supernet", "compofa_elastic", *words, *small)
    assert (code, found["searcher"], found["optimal"]) == (0, "evolution", False)
    evaluations = found["evaluations"]
    assert evaluations >= 2 * 20
    assert found["effort"]["ratio"][0] == pytest.approx(2 * EVOLUTION[0] / evaluations, abs=0.05)


def test_a_larger_space_is_enumerated_only_where_that_is_asked_for(ofa, table):
    words = ("targets", "--supernet", "compofa_elastic", "--lut", table, "--bounds", BOUNDS)
    code, _, told = ofa(*words, "--searcher", "exhaustive")
    assert code == 2
    assert "more than the limit of 2,000,000" in told


def test_any_supernet_is_searched(ofa, table):
    code, found, _ = ofa(
        "targets", "--supernet", "ofa_mbv3_w1.0", "--lut", table, "--bounds", "10", "--resolutions",
        "160,192",
    )  # fmt: skip
    assert (code, found["supernet"], len(found["front"])) == (0, "ofa_mbv3_w1.0", 1)


def test_other_costs_stand_beside(ofa, table):
    _, found, _ = ofa(
        "targets", "--supernet", "compofa", "--lut", table, "--bounds", "10", "--cost", "flops"
    )
    assert list(found["front"][0]["costs"]) == ["latency@device", "flops"]


# ------------------------------------------------------------------------------- infeasible


@pytest.mark.parametrize("searcher", ["auto", "exact"])
def test_a_target_that_nothing_meets_is_an_item(ofa, table, searcher):
    words = ("targets", "--supernet", "compofa", "--lut", table, "--searcher", searcher)
    code, found, _ = ofa(*words, "--bounds", "1,12")
    first, second = found["front"]
    assert (code, first["infeasible"], first["bound"]) == (0, True, 1)
    assert first["smallest"] == first["reachable"]["latency@device"] > 1
    assert "arch" in second


def test_only_where_no_target_is_met_the_command_fails(ofa, table):
    words = ("targets", "--supernet", "compofa", "--lut", table)
    code, found, _ = ofa(*words, "--bounds", "1,2")
    assert code == 3
    assert all(item["infeasible"] for item in found["front"])


# ------------------------------------------------------------------------------- files


def test_the_published_table_is_written_a_row_a_target_that_is_met(ofa, table, tmp_path):
    words = ("targets", "--supernet", "compofa", "--lut", table, "--bounds", "1,10,12")
    _, found, _ = ofa(*words, "--out", "kept")
    with (tmp_path / "kept" / "targets.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["model", "accuracy", "latency"]
    met = found["front"][1:]
    assert [json.loads(row["model"]) for row in rows] == [item["arch"] for item in met]
    assert [float(row["accuracy"]) for row in rows] == [i["accuracy"]["value"] for i in met]
    costs = [item["costs"]["latency@device"]["value"] for item in met]
    assert [float(row["latency"]) for row in rows] == costs


def test_without_a_network_the_table_has_its_heading(ofa, table, tmp_path):
    words = ("targets", "--supernet", "compofa", "--lut", table, "--bounds", "1")
    ofa(*words, "--out", "kept")
    assert (tmp_path / "kept" / "targets.csv").read_text() == "model,accuracy,latency\n"


def test_what_was_found_is_drawn_where_asked_for(ofa, table, tmp_path):
    pytest.importorskip("matplotlib")
    words = ("targets", "--supernet", "compofa", "--lut", table, "--bounds", "1,10,12")
    ofa(*words, "--plot", "--out", "kept")
    assert "no network fits" in (tmp_path / "kept" / "front.svg").read_text()


def test_a_plot_that_cannot_be_drawn_is_refused_before_the_search(ofa, table, monkeypatch):
    monkeypatch.setattr("compofa.targets.jobs.can_draw", lambda: False)
    code, _, told = ofa("targets", "--supernet", "compofa", "--plot", "--lut", table)
    assert code == 2
    assert "[plot]" in told


def test_where_the_table_cannot_be_written_the_result_is_shown_all_the_same(
    ofa, table, monkeypatch
):
    def refuse(path, content, lasting=False):
        raise InputError(f"cannot write {path}: no space")

    monkeypatch.setattr("ofa_plugins_core.runs.write", refuse)
    words = ("targets", "--supernet", "compofa", "--lut", table, "--bounds", "10")
    _, found, told = ofa(*words)
    assert len(found["front"]) == 1
    assert "targets.csv: no space" in told


# ------------------------------------------------------------------------------- going on


def test_a_search_a_bound_goes_on_where_it_was_stopped(ofa, table, monkeypatch):
    words = ("targets", "--supernet", "compofa_elastic", "--lut", table, "--bounds", BOUNDS)
    _, whole, _ = ofa(*words)
    searched, search = [], Exact.search

    def stopping(self, problem, generator, listener):
        searched.append(problem.constraints[0].bound)
        if len(searched) == 3:
            raise KeyboardInterrupt
        return search(self, problem, generator, listener)

    monkeypatch.setattr(Exact, "search", stopping)
    code, part, _ = ofa(*words, "--out", "kept")
    assert (code, part["interrupted"], len(part["front"])) == (130, True, 2)
    code, found, _ = ofa(*words, "--out", "kept", "--resume")
    assert code == 0
    assert searched == [8, 10, 12, 12, 14]
    assert found["front"] == whole["front"]


class Slow:
    """A cost that is no table, and is interrupted once."""

    name, unit, kind, source = "slow", "s", "measured", "a toy"
    asked = 0
    stop_after = 100

    def __init__(self, supernet):
        self.supernet = supernet

    def evaluate(self, archs):
        if Slow.asked >= Slow.stop_after:
            Slow.stop_after = 10**9
            raise KeyboardInterrupt
        Slow.asked += len(archs)
        return np.ones(len(archs))


def slow_plugin():
    module = ModuleType("slow_plugin")
    module.OFA_API = 1

    def ofa_cost_models():
        yield CostModelEntry("slow", "a toy", "s", lambda supernet, options: Slow(supernet))

    module.ofa_cost_models = hookimpl(ofa_cost_models)
    return module


def test_an_enumeration_goes_on_where_it_was_stopped(ofa, table):
    host = Host.discover(extra={"slow": slow_plugin()})
    words = ("targets", "--supernet", "compofa", "--lut", table, "--bounds", BOUNDS)
    words = (*words, "--cost", "slow", "--out", "kept")
    code, part, _ = ofa(*words, host=host)
    assert (code, part["interrupted"], part["optimal"]) == (130, True, False)
    assert part["evaluations"] < NETWORKS
    assert f"of {NETWORKS:,} networks" in part["note"]
    before = Slow.asked
    code, found, _ = ofa(*words, "--resume", host=host)
    assert (code, found["evaluations"], found["optimal"]) == (0, NETWORKS, True)
    again = len(found["front"]) + len(part["front"])  # those that are shown are priced once more
    assert Slow.asked - before <= NETWORKS - part["evaluations"] + again
    _, whole, _ = ofa(*words[:-4])
    assert archs(found) == archs(whole)


# ------------------------------------------------------------------------------- what is asked


def test_ones_own_bounds_are_sorted_and_told_apart_from_the_published_list():
    assert target_of(options(bounds=(20, 10, 20))).bounds == (10, 20)
    own = target_of(options(target="gpu", bounds=(50,)))
    assert (own.name, own.bounds, own.batch) == (None, (50,), 64)


def test_measuring_takes_the_device_and_the_batch_of_the_list():
    target = TARGETS["gpu"]
    found = asked(options(target="gpu", measure=True), target, "latency")
    assert (found.device, found.batch, found.measure) == ("cuda", 64, True)
    found = asked(options(target="gpu", measure=True, device="x", batch=8), target, "latency")
    assert (found.device, found.batch) == ("x", 8)
    found = asked(options(target="gpu"), target, "latency@gpu")
    assert (found.device, found.batch) == (None, None)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"target": "note10", "lut": ("a/folder",)}, "latency@folder"),
        ({"target": "note10", "lut": ("note10=a", "other=b")}, "latency@note10"),
        ({"target": "note10", "lut": ("a", "b"), "cost": ("flops", "latency@b")}, "latency@b"),
        ({"target": "gpu", "measure": True}, "latency@cuda"),
        ({"target": "gpu", "measure": True, "device": "other"}, "latency@other"),
        ({"target": "note10", "measure": True}, "latency"),
        ({"target": "gpu", "measure": True, "lut": ("gpu=a",)}, "latency@gpu"),
        ({"target": "cpu", "cost": ("latency@mine",)}, "latency@mine"),
    ],
)
def test_the_latency_that_is_bounded_is_the_one_that_is_meant(given, name):
    assert latency_of(options(**given), TARGETS[given["target"]]) == name


def test_an_installed_table_of_the_targets_name_is_taken(ofa, own_table, monkeypatch):
    monkeypatch.setenv("OFA_TABLES", str(own_table(batch=1).parent))
    code, found, _ = ofa("targets", "--supernet", "compofa", "--target", "cpu")
    assert (code, found["swept"]) == (0, "latency@cpu")


def test_a_table_of_other_batches_than_the_list_is_refused(ofa, own_table):
    words = ("targets", "--supernet", "compofa", "--lut", f"gpu={own_table(batch=1)}")
    code, _, told = ofa(*words, "--target", "gpu")
    assert code == 2
    assert "ofa run lut --batch 64" in told
    assert ofa(*words, "--bounds", "10")[0] == 0  # one's own bounds are of one's own table


def test_of_several_tables_the_one_with_the_targets_name_counts(ofa, table):
    both = ("--lut", f"cpu={table}", "--lut", f"other={table}")
    _, found, _ = ofa("targets", "--supernet", "compofa", *both, "--target", "cpu")
    assert found["swept"] == "latency@cpu"
    code, _, told = ofa("targets", "--supernet", "compofa", *both, "--bounds", "10")
    assert code == 2
    assert "which latency? latency@cpu and latency@other are given" in told


def test_a_table_for_batches_is_asked_for_where_the_list_is_of_batches(ofa, table):
    words = ("targets", "--supernet", "compofa", "--lut", f"gpu={table}", "--target", "gpu")
    _, _, told = ofa(*words)
    assert "the table of latency@gpu has to be of such, too" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--bounds", "10"), "nothing says what a network takes"),
        (("--lut", "LUT"), "--target note10|gpu|cpu"),
        (("--lut", "LUT", "--bounds", "0"), "expected milliseconds above 0, found 0"),
        (("--lut", "LUT", "--bounds", "nan"), "targets.bounds[0]"),
        (("--lut", "LUT", "--target", "note9"), "note10"),
        (("--lut", "LUT", "--bounds", "10", "--out", "found.csv"), "kept in a folder"),
        (("--lut", "LUT", "--bounds", "10", "--searcher", "exakt"), "exact"),
        (("--lut", "LUT", "--target", "cpu", "--dataset", "mine"), "mine"),
    ],
)
def test_a_mistake_gets_one_clear_line(ofa, table, words, said):
    given = [str(table) if w == "LUT" else w for w in words]
    code, found, told = ofa("targets", "--supernet", "compofa", *given)
    assert (code, found) == (2, None)
    assert said in told
    assert "Traceback" not in told


def test_a_supernet_without_a_predictor_is_told_what_to_do(ofa, table):
    code, _, told = ofa(
        "targets", "--supernet", "ofa_proxyless_w1.3", "--lut", table, "--bounds", "10"
    )
    assert code == 2
    assert "ofa run fit --supernet ofa_proxyless_w1.3" in told
