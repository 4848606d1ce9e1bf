"""``ofa run fit``: from measured accuracies to a file, by whatever form a plugin brings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from attrs import evolve

from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError
from ofa_plugins_core.jobs.fit_options import FitOptions
from ofa_plugins_core.jobs.fitting.accuracy import run_fit


def test_a_plugins_own_form_is_fitted_and_its_file_written(fit, measure):
    done = fit("--data", measure("m.jsonl", 200), "--out", "made")
    assert done.code == 0, done.err
    assert done.json["records"] == 200
    assert done.json["files"] == ["made/mean-toy-own.json"]
    assert (
        "--predictor mean --seed 0"
        in json.loads(Path(done.json["files"][0]).read_text())["command"]
    )


def test_out_may_be_a_file(fit, measure):
    assert fit("--data", measure("m.jsonl", 200), "--out", "mine.json").code == 0
    assert Path("mine.json").is_file()


def test_an_installed_fit_lies_under_its_triple(fit, measure):
    done = fit("--data", measure("m.jsonl", 200), "--dataset", "mine", "--install", "--out", "made")
    assert done.code == 0, done.err
    assert Path("fitted/mean-toy-mine.json").is_file()


def test_files_are_merged_and_repeated_networks_averaged(fit, measure):
    done = fit(
        "--data", measure("a.jsonl", 200), "--data", measure("b.jsonl", 250), "--out", "made"
    )
    assert done.json["records"] == 250  # the same networks, and fifty more
    assert done.json["repeated"] == 200


def test_parts_in_a_folder_are_merged(fit, measure, tmp_path):
    measure("parts/gpu0.jsonl", 150)
    measure("parts/gpu1.jsonl", 200)
    done = fit("--data", tmp_path / "parts", "--out", "made")
    assert done.json["records"] == 200
    assert "merged: gpu0.jsonl, gpu1.jsonl" in done.err


def test_an_image_size_with_few_records_is_left_out_and_said(fit, measure):
    file = measure("m.jsonl", 300)
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    large = [x for x in lines if x["arch"]["image_size"] == 64][:10]
    small = [x for x in lines if x["arch"]["image_size"] == 32]
    file.write_text("\n".join(map(json.dumps, large + small)))
    found = fit("--data", file, "--out", "made").json
    assert found["left_out"] == {"64": 10}
    assert found["resolutions"] == [32]


def test_too_few_records_are_an_error_that_says_how_many_are_needed(fit, measure):
    done = fit("--data", measure("few.jsonl", 30))
    assert done.code == 5
    assert "30 distinct networks are too few" in done.err


@pytest.mark.parametrize("given", [(), ("--data", "m.jsonl", "--from-mlp", "m.jsonl")])
def test_either_data_or_a_predictor_must_be_given(fit, measure, given):
    measure("m.jsonl", 100)
    done = fit(*given)
    assert done.code == 2
    assert "either --data FILE" in done.err


@pytest.mark.parametrize("name", ["../../elsewhere", "a\\b", "a\nb", "a" * 101])
def test_a_data_sets_name_leads_nowhere_else(fit, measure, name):
    """The file of the fit, the installed one too, is called after it."""
    done = fit("--data", measure("m.jsonl", 100), "--dataset", name, "--install", "--out", "made")
    assert done.code == 2
    assert "--dataset: expected a name" in done.err
    assert not Path("made").exists()


@pytest.mark.parametrize(
    ("top1", "reason", "advice"),
    [
        (lambda i: 0.7 + i / 1e4, "look like fractions", "76.5, not 0.765"),
        (lambda i: 70.0, "every accuracy is 70", "networks that differ"),
    ],
)
def test_accuracies_that_teach_nothing_are_refused(fit, measure, top1, reason, advice):
    done = fit("--data", measure("m.jsonl", 100, top1))
    assert done.code == 5
    assert reason in done.err
    assert advice in done.err


def test_what_cannot_be_fitted_is_refused_with_what_can(fit, measure):
    done = fit("--data", measure("m.jsonl", 100), predictor="additive")
    assert done.code == 2
    assert "additive cannot be fitted" in done.err
    assert "mean" in done.err


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interruption_leaves_what_was_there(
    mean, measure, tmp_path, monkeypatch, failure
):
    context = JobContext(mean, out=tmp_path / "mine.json")
    options = FitOptions("toy", data=(measure("m.jsonl", 200),), predictor="mean")
    file = run_fit(context, options).files[0]
    before = file.read_bytes()

    def fails(self, target):
        raise failure

    monkeypatch.setattr("pathlib.Path.replace", fails)
    with pytest.raises(InputError if isinstance(failure, OSError) else KeyboardInterrupt):
        run_fit(context, evolve(options, dataset="another"))
    assert file.read_bytes() == before
    assert sorted(f.name for f in tmp_path.iterdir()) == ["m.jsonl", "mine.json"]


def test_for_a_smaller_space_the_whole_supernets_predictor_is_fitted(fit, measure, tmp_path):
    small = tmp_path / "small.yaml"
    small.write_text('base: toy\nreduction: {name: small, drop: [{"block": {"k": 5, "e": 2}}]}\n')

    done = fit("--data", measure("m.jsonl", 200), "--out", "made", "--supernet", str(small))

    assert done.code == 0, done.err
    assert done.json["files"] == ["made/mean-toy-own.json"]
    assert "fitted for toy: its predictor serves toy+small, too" in " ".join(done.err.split())


def test_a_csv_is_of_latencies(fit, label):
    done = fit("--data", label())
    assert done.code == 2
    assert "a CSV of latencies is fitted to by --kind latency" in done.err
