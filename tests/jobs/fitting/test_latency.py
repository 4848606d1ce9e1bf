"""``ofa run fit --kind latency``: a file that is a cost, judged beside simpler ways."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.jobs.lut.table import write_table
from ofa_plugins_core.latency_models import as_bytes, read_model


def test_it_is_judged_on_networks_that_no_fit_has_seen(fit_latency, label, linear):
    done = fit_latency("--data", label(noise=0.01), "--out", "made")
    assert done.code == 0, done.err
    assert done.json["networks"] == {"train": 112, "dev": 16, "held_out": 32}
    assert set(done.json["held_out"]) == {
        "networks", "mae", "mape", "spearman", "overlap", "low", "high"
    }  # fmt: skip
    assert done.json["held_out"]["mape"] < 2
    (task,) = linear.plugin("other").module.TASKS[-1:]
    assert (len(task.train.latency), len(task.dev.latency)) == (112, 16)


def test_baselines_stand_beside_it_and_a_missing_extra_takes_only_its_own(fit_latency, label):
    done = fit_latency("--data", label(noise=0.01), "--out", "made")
    assert list(done.json["beside"]) == ["mean"]
    assert done.json["beside"]["mean"]["mape"] > done.json["held_out"]["mape"]
    assert "not compared with trees" in done.err
    assert done.json["verdict"].startswith("linear earns its weight: off by")


def test_a_baseline_that_fails_takes_only_its_own_and_is_blamed(fit_latency, label):
    done = fit_latency("--data", label(), "--out", "made")
    assert done.code == 0
    assert "not compared with odd: plugin" in done.err
    assert "ValueError: no roots" in done.err


def test_a_baselines_wrong_option_is_told_before_anything_is_fitted(fit_latency, label, linear):
    tasks = linear.plugin("other").module.TASKS
    done = fit_latency("--data", label(), "--set", "mean.trees=3", "--out", "made")
    assert done.code == 2
    assert "trees" in done.err
    assert not tasks


def test_a_form_that_is_worse_does_not_earn_its_weight(fit_latency, label):
    done = fit_latency("--data", label(noise=0.01), "--out", "made", form="mean")
    assert done.json["verdict"].startswith("nothing to hold mean against: --lut TABLE")


def test_the_sum_of_a_table_is_judged_on_the_same_networks(fit_latency, label, own_table, tmp_path):
    write_table(tmp_path / "mine", own_table())
    done = fit_latency("--data", label(), "--lut", "mine", "--out", "made")
    assert done.json["beside"]["the latency table"]["networks"] == 32


def test_the_same_command_makes_the_same_file(fit_latency, label):
    file = label(noise=0.01)
    for out in ("one", "two"):
        assert fit_latency("--data", file, "--out", out).code == 0
    assert Path("one/latency.zip").read_bytes() == Path("two/latency.zip").read_bytes()


def test_what_is_fitted_is_a_cost_by_its_place(fit_latency, label, ofa, linear, archs):
    done = fit_latency("--data", label(), "--out", "made")
    words = ("run", "cost", "--supernet", "toy", "--archs", "two.jsonl", "--json")
    lines = archs.read_text().splitlines()
    Path("two.jsonl").write_text("\n".join(lines[:2]))
    place = done.json["files"][0]
    for lut in (f"made={place}", "made", place):
        found = ofa(*words, "--cost", "latency@made", "--lut", lut, host=linear)
        assert found.code == 0, found.err
        assert all(line["latency@made"] > 0 for line in found.lines)
    plain = ofa(*words, "--cost", "latency", "--lut", f"any={place}", host=linear)
    assert plain.code == 0, plain.err


def test_it_is_searched_with_its_interval(fit_latency, label, ofa, linear):
    fit_latency("--data", label(noise=0.02), "--out", "made")
    words = ("run", "search", "--supernet", "toy", "--cost", "latency@x", "--lut", "x=made")
    found = ofa(*words, "--minimize", "latency@x", "--json", host=linear)
    assert found.code == 0, found.err
    cost = found.json["front"][0]["costs"]["latency@x"]
    assert cost["kind"] == "predicted"
    assert cost["low"] < cost["value"] < cost["high"]
    assert found.json["searcher"] == "evolution"


def test_installed_it_needs_no_flag(fit_latency, label, ofa, linear, archs):
    done = fit_latency("--data", label(), "--install", "--out", "made")
    assert done.json["cost"] == "latency@bench"
    Path("two.jsonl").write_text("\n".join(archs.read_text().splitlines()[:2]))
    words = ("run", "cost", "--supernet", "toy", "--archs", "two.jsonl", "--json")
    found = ofa(*words, "--cost", "latency@bench", host=linear)
    assert found.code == 0, found.err


def test_a_name_is_made_of_the_device_whatever_that_is_called(fit_latency, label):
    done = fit_latency("--data", label(device="../../my phone"), "--out", "made")
    assert done.json["cost"] == "latency@my_phone", done.err


def test_a_device_that_gives_no_name_is_told_and_not_an_option(fit_latency, label):
    done = fit_latency("--data", label(device="../.."), "--out", "made")
    assert done.code == 2
    assert "the data's device, '../..', gives the cost no name" in done.err
    assert "--name NAME" in done.err


def test_a_name_that_a_table_has_is_refused(fit_latency, label):
    Path("tables/bench").mkdir(parents=True)
    Path("tables/bench/table.json").write_text("{}")
    done = fit_latency("--data", label(), "--install", "--out", "made")
    assert done.code == 2
    assert "latency@bench is an installed table" in done.err


def test_another_image_size_is_refused_with_those_it_knows(fit_latency, label, ofa, linear, archs):
    fit_latency("--data", label(), "--out", "made")
    words = ("run", "cost", "--supernet", "toy", "--archs", str(archs), "--json")
    found = ofa(*words, "--cost", "latency@x", "--lut", "x=made", host=linear)
    assert found.code == 5
    assert "was fitted at 32,64 pixels, not at 48" in found.err


def test_another_supernets_file_is_refused(fit_latency, label, ofa, linear):
    fit_latency("--data", label(), "--out", "made")
    words = ("run", "search", "--supernet", "bare", "--minimize", "latency@x", "--lut", "x=made")
    found = ofa(*words, "--cost", "latency@x", host=linear)
    assert found.code == 2
    assert "was fitted for toy, not for bare" in found.err


def test_a_fit_is_not_priced_with_another_supernets_rows(fit_latency, label, ofa, linear):
    fit_latency("--data", label(), "--out", "made")
    words = ("--supernet", "toy", "--cost", "latency@x", "--lut", "x=made", "--lut-as", "toy")
    found = ofa("run", "search", *words, host=linear)
    assert found.code == 2
    assert "it has no rows to price toy with" in found.err


def test_image_sizes_that_the_supernet_cannot_have_are_the_files(fit_latency, label, ofa, linear):
    fit_latency("--data", label(), "--out", "made")
    model = read_model(Path("made/latency.zip"))
    header = evolve(model.header, resolutions=[7])
    Path("made/latency.zip").write_bytes(as_bytes(header, model.arrays))
    words = ("--supernet", "toy", "--cost", "latency@x", "--lut", "x=made")
    found = ofa("run", "search", *words, host=linear)
    assert found.code == 5
    assert "latency.zip: resolutions:" in found.err


def test_a_search_leaves_out_the_sizes_that_were_not_fitted(fit_latency, label, ofa, linear):
    data = label(n=60, among=lambda arch: arch.as_dict()["image_size"] == 64)
    assert fit_latency("--data", data, "--supernet", "bare", "--out", "made").code == 0
    words = ("--supernet", "bare", "--cost", "latency@x", "--lut", "x=made", "--json")
    found = ofa("run", "search", *words, host=linear)
    assert found.code == 0, found.err
    assert "latency@x was not fitted at 32: left out" in found.err


def test_a_file_of_a_form_that_is_not_there_says_so(fit_latency, label, ofa, archs):
    fit_latency("--data", label(), "--out", "made")
    words = ("run", "cost", "--supernet", "toy", "--archs", str(archs))
    found = ofa(*words, "--cost", "latency@x", "--lut", "x=made")
    assert found.code == 2
    assert "of the form linear, which no plugin offers" in found.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "which latencies? give --data FILE.csv"),
        (("--data", "none.csv"), 5, "cannot read none.csv"),
        (("--data", "bench.csv", "--dataset", "flowers"), 2, "are of accuracies"),
        (("--data", "bench.csv", "--name", "a b"), 2, "--name: letters"),
        (("--data", "bench.csv", "--out", "fit.json"), 2, "is kept in a folder"),
        (("--data", "few.csv"), 5, "30 distinct networks are too few"),
        (("--data", "bench.csv", "--data", "other.csv"), 5, "latencies of 2 devices"),
    ],
)
def test_wrong_use_is_one_clear_line(fit_latency, label, words, code, said):
    label()
    label("few.csv", n=30)
    label("other.csv", device="other")
    done = fit_latency(*words)
    assert done.code == code
    assert said in done.err


def test_an_unknown_form_is_named_with_those_that_are_known(fit_latency, label):
    done = fit_latency("--data", label(), form="lineal")
    assert done.code == 2
    assert "unknown latency predictor 'lineal'; nearest known: linear" in done.err


def test_names_and_tables_are_of_latencies_alone(fit, measure):
    done = fit("--data", measure("m.jsonl", 100), "--name", "x")
    assert done.code == 2
    assert "--name and --lut are of latencies" in done.err


def test_what_the_file_says_of_itself(fit_latency, label):
    fit_latency("--data", label(noise=0.01), "--seed", "3", "--out", "made")
    header = read_model(Path("made/latency.zip")).header
    assert (header.form, header.supernet, header.device) == ("linear", "toy", "bench")
    assert (header.unit, header.seed, header.resolutions) == ("ms", 3, [32, 64])
    assert header.command.startswith("ofa run fit --kind latency --supernet toy --data ")
    assert header.origin == "latencies of bench.csv"
    assert header.quality.networks == 32


def test_held_out_networks_are_drawn(fit_latency, label):
    pytest.importorskip("matplotlib")
    fit_latency("--data", label(noise=0.01), "--out", "made")
    text = Path("made/held-out.svg").read_text()
    assert "linear: off by" in text
    assert "mean: off by" in text


def test_results_are_json_without_numbers_that_are_none(fit_latency, label):
    done = fit_latency("--data", label(noise=0.01), "--out", "made")
    json.dumps(done.json, allow_nan=False)
    assert np.isfinite(done.json["held_out"]["mae"])


def costs(ofa, linear, supernet, archs):
    """Latencies of architectures by the fit in the folder ``made``."""
    Path("some.jsonl").write_text("\n".join(map(json.dumps, archs)))
    words = ("--archs", "some.jsonl", "--cost", "latency@x", "--lut", "x=made", "--json")
    found = ofa("run", "cost", "--supernet", supernet, *words, host=linear)
    assert found.code == 0, found.err
    return [line["latency@x"] for line in found.lines]


@pytest.mark.parametrize(("space", "kernel"), [("small", 3), ("wide", 5)])
def test_on_a_smaller_space_it_says_what_it_says_on_the_whole(
    fit_latency, label, ofa, linear, space, kernel
):
    fit_latency("--data", label(), "--out", "made")
    archs = [
        {"ks": [kernel] * 4, "e": [2, 3, 2, 3], "d": [2, depth], "image_size": size}
        for depth, size in ((1, 64), (2, 32))
    ]
    found = [costs(ofa, linear, s, archs) for s in ("toy", f"toy+{space}")]
    assert found[0] == found[1]


def test_a_fit_of_a_smaller_space_is_a_cost_of_it_and_of_what_is_smaller_still(
    fit_latency, label, ofa, linear
):
    data = label(among=lambda arch: 5 not in arch.as_dict()["ks"])
    done = fit_latency("--data", data, "--supernet", "toy+small", "--out", "made")
    assert done.code == 0, done.err
    assert done.json["supernet"] == "toy+small"
    archs = [{"ks": [3] * 4, "e": [2, 3, 2, 3], "d": [2, 2], "image_size": 64}]
    found = [costs(ofa, linear, s, archs) for s in ("toy+small", "toy+small+deep")]
    assert found[0] == found[1]


def test_a_fit_of_the_whole_is_a_cost_of_a_space_made_smaller_twice(
    fit_latency, label, ofa, linear
):
    fit_latency("--data", label(), "--out", "made")
    archs = [{"ks": [5] * 4, "e": [2, 3, 2, 3], "d": [2, 2], "image_size": 64}]
    found = [costs(ofa, linear, s, archs) for s in ("toy", "toy+wide+deep")]
    assert found[0] == found[1]


def test_a_fit_of_a_smaller_space_does_not_know_the_whole_one(fit_latency, label, ofa, linear):
    data = label(among=lambda arch: 5 not in arch.as_dict()["ks"])
    fit_latency("--data", data, "--supernet", "toy+small", "--out", "made")
    words = ("--supernet", "toy", "--cost", "latency@x", "--lut", "x=made")
    found = ofa("run", "search", *words, host=linear)
    assert found.code == 2
    assert "was fitted for toy+small, not for toy" in found.err
