"""``ofa run search``: what the contract says of its JSON, bounds, sweeps and exit codes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core.jobs.results import reached
from ofa_plugins_core.testing.toys import everything, toy_supernet

SEARCH = ("run", "search", "--supernet", "toy", "--cost", "peak_memory")


def search(ofa, *words, **more):
    done = ofa(*SEARCH, *words, "--json", **more)
    assert done.code == 0, done.err
    return done.json


def test_the_json_has_what_the_contract_says(ofa):
    found = search(ofa)
    assert {
        *("run", "supernet", "searcher", "predictor", "optimal", "evaluations", "seconds", "front")
    } <= set(found)
    assert (found["supernet"], found["searcher"], found["predictor"]) == (
        "toy",
        "exact",
        "additive",
    )
    assert found["optimal"] is True
    assert found["evaluations"] == 0
    item = found["front"][0]
    assert set(item["arch"]) == {"ks", "e", "d", "image_size"}
    assert set(item["accuracy"]) == {"value", "low", "high", "unit", "kind"}
    assert item["accuracy"]["unit"] == "%"
    assert item["accuracy"]["kind"] == "predicted"
    assert item["costs"]["peak_memory"]["unit"] == "items"
    assert item["costs"]["peak_memory"]["kind"] == "computed"
    assert item["extrapolated"] is False
    assert item["support"] == 7


def test_without_a_bound_it_is_the_front_sorted_by_cost(ofa):
    front = search(ofa)["front"]
    costs = [i["costs"]["peak_memory"]["value"] for i in front]
    accuracies = [i["accuracy"]["value"] for i in front]
    assert len(front) > 1
    assert costs == sorted(set(costs))
    assert accuracies == sorted(set(accuracies))


def test_several_costs_make_one_front_sorted_by_the_first(ofa):
    front = search(ofa, "--cost", "params")["front"]
    assert list(front[0]["costs"]) == ["peak_memory", "params"]
    costs = [i["costs"]["peak_memory"]["value"] for i in front]
    assert costs == sorted(costs)


def test_under_a_bound_it_is_the_best(ofa, toy_host):
    (item,) = search(ofa, "--constraint", "peak_memory<=7k")["front"]
    assert item["costs"]["peak_memory"]["value"] <= 7000
    model = toy_host.cost_model("peak_memory").build(toy_supernet())
    genes = everything(toy_supernet(resolutions=(32,)).space)
    entry = toy_host.predictor("additive")
    predictor = entry.load(
        toy_supernet(resolutions=(32,)), None, toy_host.fitted("additive", "toy")[0]
    )
    fits = model.evaluate(toy_supernet(resolutions=(32,)).space.decode(genes)) <= 7000
    assert item["accuracy"]["value"] == pytest.approx(predictor.predict(genes).value[fits].max())


def test_a_bounded_cost_that_was_not_asked_for_takes_part(ofa):
    (item,) = search(ofa, "--constraint", "params<=3k")["front"]
    assert item["costs"]["params"]["value"] <= 3000


def test_a_floor_on_accuracy_alone_leaves_the_front(ofa):
    front = search(ofa, "--constraint", "accuracy>=75")["front"]
    assert len(front) > 1
    assert all(i["accuracy"]["value"] >= 75 for i in front)


def test_minimize_gives_the_least_cost_for_an_accuracy(ofa):
    whole = search(ofa)["front"]
    (item,) = search(ofa, "--minimize", "peak_memory", "--constraint", "accuracy>=75")["front"]
    least = min(i["costs"]["peak_memory"]["value"] for i in whole if i["accuracy"]["value"] >= 75)
    assert item["costs"]["peak_memory"]["value"] == least


def test_the_image_sizes_are_those_of_the_fit_unless_others_are_named(ofa):
    assert {i["arch"]["image_size"] for i in search(ofa)["front"]} == {32}
    bound = ("--constraint", "peak_memory<=1M")
    (item,) = search(ofa, *bound, "--resolutions", "all")["front"]
    assert item["arch"]["image_size"] == 64
    (item,) = search(ofa, *bound, "--resolutions", "48,40")["front"]
    assert item["arch"]["image_size"] == 48


@pytest.mark.parametrize("bounds", ["10k:5k", "5k:10k"])
def test_a_sweep_has_one_result_a_bound_in_either_order(ofa, bounds):
    found = search(ofa, "--constraint", f"peak_memory<={bounds}", "--points", "6")
    assert [i["bound"] for i in found["front"]] == [5000, 6000, 7000, 8000, 9000, 10000]
    for item in found["front"]:
        if item.get("infeasible"):
            assert item["smallest"] > item["bound"]
            assert item["binds"] == "the stem"
        else:
            assert item["costs"]["peak_memory"]["value"] <= item["bound"]
    assert any(i.get("infeasible") for i in found["front"])


def test_a_sweep_has_21_bounds_by_default(ofa):
    assert len(search(ofa, "--constraint", "peak_memory<=7k:14k")["front"]) == 21


def test_a_sweep_of_accuracies_searches_the_least_cost(ofa):
    found = search(ofa, "--constraint", "accuracy>=75:60", "--points", "3")
    assert [i["bound"] for i in found["front"]] == [60, 67.5, 75]
    costs = [i["costs"]["peak_memory"]["value"] for i in found["front"]]
    assert costs == sorted(costs)


def test_only_a_sweep_without_any_result_is_code_3(ofa):
    done = ofa(*SEARCH, "--constraint", "peak_memory<=1:2", "--points", "2", "--json")
    assert done.code == 3
    assert [i["infeasible"] for i in done.json["front"]] == [True, True]
    assert done.json["optimal"] is True
    assert "no bound on peak_memory can be met" in done.err


def test_an_infeasible_bound_is_code_3_and_says_what_can_be_reached(ofa, tmp_path):
    done = ofa(*SEARCH, "--constraint", "peak_memory<=1", "--json")
    assert done.code == 3
    assert done.json["infeasible"] is True
    assert done.json["smallest"]["peak_memory"] > 1
    assert isinstance(done.json["smallest"]["peak_memory"], int)
    assert done.json["binds"] == "the stem"
    assert "nothing meets peak_memory<=1" in done.err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--constraint", "peak_memroy<=1k"), 2, "nearest known: peak_memory"),
        (("--constraint", "acuracy>=7"), 2, "accuracy"),
        (("--constraint", "peak_memory<1k"), 2, "cannot read the constraint"),
        (("--constraint", "peak_memory<=1q"), 2, "suffix 'q'"),
        (("--constraint", "peak_memory<=big"), 2, "cannot read"),
        (("--constraint", "peak_memory<=1KiB"), 2, "--dtype"),
        (("--constraint", "peak_memory<=1k:2k", "--constraint", "params<=1:2"), 2, "several"),
        (("--constraint", "peak_memory<=1k:2k", "--points", "0"), 2, "--points"),
        (("--points", "-1"), 2, "--points"),
        (("--searcher", "exat"), 2, "nearest known: exact"),
        (("--predictor", "aditive"), 2, "nearest known: additive"),
        (("--dataset", "imagnet"), 2, "nearest known: imagenet"),
        (("--cost", "parms"), 2, "nearest known: params"),
        (("--cost", "params@x"), 2, "takes no @x"),
        (("--minimize", "accuracy"), 2, "--maximize accuracy"),
        (("--minimize", "params", "--maximize", "accuracy"), 2, "cannot both"),
        (("--resolutions", "8"), 2, "32 to"),
        (("--resolutions", "big"), 2, "search.resolutions"),
        (("--dtype", "int7"), 2, "int8, fp16"),
        (("--set", "exact.shuffel=1"), 2, "unknown key 'shuffel'; nearest known: shuffle"),
        (("--set", "exact.most=few"), 2, "exact.most: expected a whole number, found 'few'"),
    ],
)
def test_wrong_use_says_what_is_wrong(ofa, words, code, said):
    done = ofa(*SEARCH, *words)
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err


def test_unknown_supernets_name_the_nearest(ofa):
    done = ofa("run", "search", "--supernet", "toi", "--cost", "params")
    assert done.code == 2
    assert "nearest known: toy" in done.err


def test_a_search_needs_a_cost(ofa):
    done = ofa("run", "search", "--supernet", "toy")
    assert done.code == 2
    assert "--cost peak_memory" in done.err


def test_an_alias_works(ofa):
    done = ofa("run", "search", "--supernet", "toy_alias", "--cost", "params", "--json")
    assert done.json["supernet"] == "toy"


def test_bytes_become_items_by_the_data_type(ofa):
    words = ("--constraint", "peak_memory<=14KB", "--dtype", "fp16")
    (item,) = search(ofa, *words)["front"]
    (same,) = search(ofa, "--constraint", "peak_memory<=7k")["front"]
    assert item == same


def test_bytes_of_weights_need_no_data_type_and_take_the_one_given(ofa):
    words = ("--constraint", "weight_bytes<=12KB")
    (wide,) = search(ofa, *words)["front"]
    (narrow,) = search(ofa, *words, "--dtype", "int8")["front"]
    assert wide["costs"]["weight_bytes"]["value"] <= 12000
    assert narrow["accuracy"]["value"] >= wide["accuracy"]["value"]


def test_without_a_fit_costs_are_searched_and_accuracy_is_null(ofa):
    done = ofa("run", "search", "--supernet", "bare", "--cost", "params", "--json")
    assert done.code == 0
    assert done.json["predictor"] is None
    (item,) = done.json["front"]
    assert item["accuracy"] is None
    assert "ofa run fit makes one" in done.err


def test_without_a_fit_all_image_sizes_of_the_supernet_are_searched(ofa):
    words = ("--supernet", "bare", "--cost", "params", "--cost", "peak_memory")
    done = ofa("run", "search", *words, "--json")
    assert done.code == 0
    assert "extrapolated" not in done.json["front"][0]


def test_accuracy_cannot_be_bounded_without_a_predictor(ofa):
    words = ("--supernet", "bare", "--cost", "params", "--constraint", "accuracy>=7")
    done = ofa("run", "search", *words)
    assert done.code == 2
    assert "without a predictor" in done.err


def test_imagenet_is_the_default_data_set_and_is_named(ofa):
    assert search(ofa)["dataset"] == "imagenet"
    assert search(ofa, "--dataset", "mine")["dataset"] == "mine"


def test_several_data_sets_without_imagenet_have_to_be_chosen_from(ofa):
    done = ofa("run", "search", "--supernet", "torn", "--cost", "params", "--dataset", "c")
    assert done.code == 2
    asked = ofa(
        "run", "search", "--supernet", "torn", "--cost", "params", "--predictor", "additive"
    )
    assert asked.code == 2
    assert "a, b" in asked.err


def test_what_is_not_separable_is_searched_by_evolution_and_said(ofa):
    done = ofa(*SEARCH, "--cost", "rough", "--json")
    assert done.code == 0
    assert done.json["searcher"] == "evolution"
    assert done.json["optimal"] is False
    assert done.json["evaluations"] > 0
    assert "exact: not separable: rough" in done.json["searcher_reason"]
    assert "searched by evolution" in done.err


def test_a_searcher_that_was_named_and_refuses_is_wrong_use(ofa):
    done = ofa(*SEARCH, "--cost", "rough", "--searcher", "exact")
    assert done.code == 2
    assert "exact cannot take this: not separable: rough" in done.err


def test_options_that_have_no_effect_are_mentioned(ofa):
    done = ofa(*SEARCH, "--set", "evolution.most=5")
    assert done.code == 0
    assert "the options of evolution had no effect" in done.err


def test_counts_of_networks_that_fit(ofa):
    found = search(ofa, "--constraint", "peak_memory<=7k", "--count")
    space = toy_supernet(resolutions=(32,)).space
    assert 0 < found["counts"]["32"] < space.count()
    swept = search(ofa, "--constraint", "peak_memory<=7k:8k", "--points", "2", "--count")
    assert swept["front"][0]["counts"] == found["counts"]


def test_the_front_as_csv(ofa):
    found = search(ofa)
    with (Path(found["run"]) / "front.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(r["peak_memory"]) for r in rows] == [
        i["costs"]["peak_memory"]["value"] for i in found["front"]
    ]
    assert [json.loads(r["arch"]) for r in rows] == [i["arch"] for i in found["front"]]


def test_the_same_seed_finds_the_same(ofa):
    words = ("--searcher", "evolution", "--seed", "5")
    assert search(ofa, *words)["front"] == search(ofa, *words)["front"]


def test_the_table_has_units_kinds_intervals_and_support(ofa):
    shown = ofa(*SEARCH).err
    for text in (
        "proven optimal",
        "items",
        "computed",
        "predicted",
        "80 %",
        "records",
        "separable",
    ):
        assert text in shown


FAILING = """
import numpy as np
from ofa_plugins_core import CostModelEntry, SearcherEntry, hookimpl

class Model:
    name, unit, kind, source = "bad", "s", "measured", None
    def evaluate(self, archs):
        raise ZeroDivisionError("no such board")

def build(supernet, options):
    raise ValueError("cannot be built")

class Stops:
    seen = []
    def refuses(self, problem):
        return None
    def search(self, problem, generator, listener=None):
        from ofa_plugins_core.interfaces import Found
        Stops.seen.append(problem.constraints[-1].bound)
        if len(Stops.seen) == 3:
            raise KeyboardInterrupt
        genes = problem.supernet.space.sample(1, generator)
        return Found(genes, False, 1)

@hookimpl
def ofa_cost_models():
    yield CostModelEntry("bad", "raises", "s", lambda s, o: Model())
    yield CostModelEntry("unbuildable", "raises", "s", build)

@hookimpl
def ofa_searchers():
    yield SearcherEntry("stops", "is interrupted at the third bound", lambda o: Stops())
"""


def test_a_cost_that_raises_is_blamed(ofa, host_with):
    host = host_with(FAILING)
    for cost, said in (("bad", "ZeroDivisionError: no such board"), ("unbuildable", "ValueError")):
        done = ofa(*SEARCH, "--cost", cost, host=host)
        assert done.code == 4
        assert "plugin 'other'" in done.err
        assert said in done.err


def test_an_interrupted_sweep_keeps_what_it_has_and_goes_on(ofa, host_with):
    host = host_with(FAILING)
    words = ("--searcher", "stops", "--constraint", "peak_memory<=1M:2M", "--points", "5")
    first = ofa(*SEARCH, *words, "--out", "kept", "--json", host=host)
    assert first.code == 130
    assert (first.json["interrupted"], first.json["optimal"]) == (True, False)
    assert len(first.json["front"]) == 2
    kept = json.loads(Path("kept/result.json").read_text())
    assert kept["front"] == first.json["front"]
    on = ofa("run", "search", "--resume", "--out", "kept", "--json", host=host)
    assert on.code == 0, on.err
    assert [i["bound"] for i in on.json["front"]] == list(np.linspace(1e6, 2e6, 5))
    assert on.json["front"][:2] == first.json["front"]
    assert not Path("kept/progress.json").exists()


PARTIAL = """
from ofa_plugins_core import SearcherEntry, hookimpl
from ofa_plugins_core.interfaces import Found

class Partial:
    def refuses(self, problem):
        return None
    def search(self, problem, generator, listener=None):
        genes = problem.supernet.space.sample(1, generator)
        return Found(genes, False, 1, note="interrupted after 1 draw", interrupted=True)

@hookimpl
def ofa_searchers():
    yield SearcherEntry("partial", "keeps what it has", lambda o: Partial())
"""


@pytest.mark.parametrize("words", [(), ("--constraint", "peak_memory<=1M:2M")])
def test_what_an_interrupted_searcher_had_is_kept(ofa, host_with, words):
    done = ofa(*SEARCH, "--searcher", "partial", *words, "--json", host=host_with(PARTIAL))
    assert done.code == 130
    assert len(done.json["front"]) == 1
    assert done.json["note"].startswith("interrupted")
    assert (Path(done.json["run"]) / "result.json").is_file()


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ({"interrupted": True, "evaluations": 5}, "it came to 5 evaluations, this one to 1"),
        ({"evaluations": 5}, "it is of a finished run"),
    ],
)
def test_an_interrupted_result_replaces_no_better_one(ofa, host_with, before, said):
    words = (*SEARCH, "--searcher", "partial", "--out", "kept")
    assert ofa(*words, host=host_with(PARTIAL)).code == 130
    Path("kept/result.json").write_text(json.dumps(before))
    done = ofa(*words, "--resume", "--json", host=host_with(PARTIAL))
    assert (done.code, done.json["run"]) == (130, None)
    assert f"kept keeps the result that it has: {said}" in done.err
    assert json.loads(Path("kept/result.json").read_text()) == before


def test_a_fraction_as_accuracy_is_told_to_be_percent(ofa):
    done = ofa(*SEARCH, "--constraint", "accuracy>=0.75")
    assert "accuracy is in percent: 0.75 is 0.75 %; did you mean 75?" in done.err


@pytest.mark.parametrize(
    ("value", "relation", "said"),
    [(77.59952896, ">=", "77.5995"), (77.59952896, "<=", "77.5996"), (1234.0, "<=", "1,234")],
)
def test_what_is_reached_is_rounded_to_what_can_be_reached(value, relation, said):
    assert reached(value, relation) == said


def test_optimal_is_for_the_predictor_only_where_it_took_part(ofa):
    assert "proven optimal for the predictor" in ofa(*SEARCH).err
    done = ofa(*SEARCH, "--minimize", "peak_memory")
    assert "proven optimal" in done.err
    assert "for the predictor" not in done.err


def test_another_request_cannot_resume(ofa, host_with):
    host = host_with(FAILING)
    words = ("--searcher", "stops", "--constraint", "peak_memory<=1M:2M", "--points", "5")
    assert ofa(*SEARCH, *words, "--out", "kept", host=host).code == 130
    other = ofa(*SEARCH, *words, "--seed", "9", "--out", "kept", "--resume", host=host)
    assert other.code == 2
    assert "seed was 0, is 9" in other.err
