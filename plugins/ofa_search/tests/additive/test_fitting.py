"""``ofa run fit``: from measured accuracies, or another predictor's, to a file."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.entries import NoOptions
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.fit_flaws import RESERVED
from ofa_plugins_core.fits import user_fits
from ofa_plugins_core.interfaces import Predictions
from ofa_plugins_core.measured import FittedFile, HeldOut, SizeSummary
from ofa_search.additive.fitfile import loads
from ofa_search.additive.loading import load_additive
from ofa_search.fit_options import FitOptions
from ofa_search.fitting import run_fit


class Teacher:
    """Another predictor, which can write itself."""

    name, source, resolutions = "mlp", "invented", (64, 96)

    def __init__(self, space, truth):
        self.space, self.truth = space, truth

    def predict(self, archs):
        genes = archs if isinstance(archs, np.ndarray) else self.space.encode(archs)
        value = self.truth(self.space, genes)
        return Predictions(value, value, value, np.zeros(len(value), bool))

    def save(self, file):
        file.write_text("network")


@pytest.fixture
def fit(context, records):
    def run(**options):
        return run_fit(context, FitOptions("toy", data=(records,), **options))

    return run


def test_it_reports_how_it_does_on_unseen_networks(fit):
    found = fit(dataset="imagenet").as_json()
    assert found["records"] == 300
    assert found["held_out"]["networks"] == 60
    assert found["held_out"]["tau"] > 0.8
    assert found["held_out"]["rmse"] < 0.4
    assert found["held_out"]["pearson"] > 0.9
    assert set(found["tail"]) == {"networks", "tau", "rmse", "coverage", "bias", "pearson"}
    json.dumps(found)


def test_its_tables_are_text(fit):
    for _, columns, rows in fit().as_tables():
        assert all(len(row) == len(columns) for row in rows)
        assert all(isinstance(cell, str) for row in rows for cell in row)


def test_the_file_says_how_to_make_it_again(fit, records):
    found = json.loads(fit(dataset="imagenet", origin="ours").files[0].read_text())
    assert found["command"] == (
        f"ofa run fit --supernet toy --data {records} --dataset imagenet --origin ours"
    )
    assert found["origin"] == "ours"


def test_the_same_command_makes_the_same_file(fit):
    first = fit().files[0].read_bytes()
    assert fit().files[0].read_bytes() == first


def test_out_may_be_a_file(context, records, tmp_path):
    options = FitOptions("toy", data=(records,))
    named = run_fit(evolve(context, out=tmp_path / "mine.json"), options)
    assert named.files == (tmp_path / "mine.json",)


def test_an_out_of_another_ending_is_refused_before_the_fit(context, plugins, records, tmp_path):
    shipped = SimpleNamespace(predictor="additive", file=tmp_path / "additive-toy-x.json")
    plugins.shipped.append(shipped)
    plugins.predictors["additive"] = SimpleNamespace(name="additive", fit=pytest.fail)
    with pytest.raises(UsageError, match=r"mine\.npz: this predictor's file ends in \.json"):
        run_fit(evolve(context, out=tmp_path / "mine.npz"), FitOptions("toy", data=(records,)))


def test_what_a_form_says_of_itself_may_not_stand_for_what_the_job_says(fit):
    found = fit()
    own = set(found.as_json()) - set(found.fit.details) - set(found.fit.judged)
    assert own <= RESERVED


def test_an_installed_fit_is_found_later(fit, toy, tmp_path, monkeypatch):
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "own"))
    fit(install=True, dataset="mine")
    (own,) = user_fits("additive", "toy")
    assert load_additive(toy, None, own).dataset == "mine"


def test_files_are_merged(context, toy, records, measure, tmp_path):
    more = measure(toy.space, tmp_path / "more.jsonl", 350)
    found = run_fit(context, FitOptions("toy", data=(records, more)))
    assert found.records == 350  # the same networks, and fifty more
    assert found.repeated == 300


def test_costs_that_are_offered_are_counted(context, plugins, records, toy):
    class Cost:
        name = "peak_memory"

        def evaluate(self, genes):
            return genes.sum(axis=1)

    entry = SimpleNamespace(options=NoOptions, build=lambda supernet, options: Cost())
    plugins.costs["peak_memory"] = entry
    made = run_fit(context, FitOptions("toy", data=(records,)))
    fit = loads(made.files[0].read_bytes(), "made")
    assert fit.sizes[0].counts["peak_memory"].at_most(1e9) == fit.sizes[0].records


def test_an_image_size_with_few_records_is_left_out_and_said(context, records):
    lines = [json.loads(x) for x in records.read_text().splitlines()]
    few = [r for r in lines if r["arch"]["image_size"] == 96][:10]
    rest = [r for r in lines if r["arch"]["image_size"] == 64]
    records.write_text("\n".join(json.dumps(r) for r in few + rest))
    found = run_fit(context, FitOptions("toy", data=(records,)))
    assert found.left_out == {96: 10}
    assert [s.image_size for s in found.fit.sizes] == [64]


def test_too_few_records_are_an_error_that_says_how_many_are_needed(
    context, toy, measure, tmp_path
):
    few = measure(toy.space, tmp_path / "few.jsonl", 30)
    with pytest.raises(InputError, match="30 distinct networks are too few"):
        run_fit(context, FitOptions("toy", data=(few,)))


def test_another_predictor_is_distilled_and_marked(context, plugins, toy, truth, tmp_path):
    teacher = Teacher(toy.space, truth)
    plugins.predictors["mlp"] = SimpleNamespace(load=lambda supernet, file, entry: teacher)
    found = run_fit(context, FitOptions("toy", from_mlp=tmp_path / "published.pth"))
    assert found.labels == "predicted"
    assert "no measured accuracy" in loads(found.files[0].read_bytes(), "made").origin
    assert [f.name for f in found.files] == ["additive-toy-own.json", "mlp-toy.npz"]
    distilled = load_additive(toy, found.files[0], None)
    assert "answers of another predictor" in distilled.source
    assert distilled.support(64, []) == 0


@pytest.mark.parametrize("both", [True, False])
def test_either_data_or_a_predictor_must_be_given(context, records, both):
    options = FitOptions("toy", data=(records,), from_mlp=records) if both else FitOptions("toy")
    with pytest.raises(UsageError, match="either --data FILE"):
        run_fit(context, options)


@pytest.mark.parametrize("name", ["", "../../elsewhere", "a\\b", "a\nb", "a" * 101])
def test_a_data_sets_name_leads_nowhere_else(fit, tmp_path, name):
    """The file of the fit, the installed one too, is called after it."""
    with pytest.raises(UsageError, match="--dataset: expected a name"):
        fit(dataset=name, install=True)
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_written_is_an_error(context, records, tmp_path):
    (tmp_path / "out").write_text("a file is in the way")
    with pytest.raises(InputError, match="cannot write"):
        run_fit(context, FitOptions("toy", data=(records,)))


@pytest.mark.parametrize("failure", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_a_full_disk_or_an_interruption_leaves_what_was_there(fit, monkeypatch, failure):
    file = fit().files[0]
    before = file.read_bytes()

    def fails(self, target):
        raise failure

    monkeypatch.setattr("pathlib.Path.replace", fails)
    expected = InputError if isinstance(failure, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        fit(origin="another")
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("top1", [50.0, 100.0])
def test_records_that_are_nearly_all_alike_are_fitted_too(context, toy, records, top1):
    lines = [json.loads(x) for x in records.read_text().splitlines()]
    alike = [{**r, "top1": top1 - 0.1 * (i == 0)} for i, r in enumerate(lines)]
    records.write_text("\n".join(map(json.dumps, alike)))
    made = run_fit(context, FitOptions("toy", data=(records,)))
    found = load_additive(toy, made.files[0], None).predict([lines[0]["arch"]])
    assert found.value[0] == pytest.approx(top1, abs=0.6)
    assert found.high[0] <= 100


@pytest.mark.parametrize(
    ("top1", "reason", "advice"),
    [
        (lambda i: 0.7 + i / 1e4, "look like fractions", "76.5, not 0.765"),
        (lambda i: 70.0, "every accuracy is 70", "networks that differ"),
    ],
)
def test_accuracies_that_teach_nothing_are_refused(context, records, top1, reason, advice):
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    records.write_text("\n".join(json.dumps({**x, "top1": top1(i)}) for i, x in enumerate(lines)))
    with pytest.raises(InputError, match=reason) as caught:
        run_fit(context, FitOptions("toy", data=(records,)))
    assert advice in (caught.value.advice or "")


def test_parts_in_a_folder_are_merged(context, records, tmp_path):
    lines = records.read_text().splitlines()
    folder = tmp_path / "parts_of_it"
    folder.mkdir()
    for part in range(3):
        (folder / f"gpu{part}.jsonl").write_text("\n".join(lines[part::3]))
    assert run_fit(context, FitOptions("toy", data=(folder,))).records == 300


def test_what_cannot_be_fitted_is_refused_with_what_can(context, plugins, records):
    plugins.predictors["mlp"] = SimpleNamespace(name="mlp", fit=None)
    with pytest.raises(UsageError, match="mlp cannot be fitted") as caught:
        run_fit(context, FitOptions("toy", data=(records,), predictor="mlp"))
    assert "additive" in (caught.value.advice or "")


def test_a_plugins_own_form_is_fitted_by_the_same_command(context, plugins, records):
    tasks = []

    def own(task):
        tasks.append(task)
        values = task.records.top1[:10]
        held_out = HeldOut(values, values, values)
        sizes = (SizeSummary(64, 300, 1.0, 70.0),)
        return FittedFile(b"mean", ".txt", held_out, sizes, details={"mean": 1})

    plugins.predictors["mean"] = SimpleNamespace(name="mean", fit=own)
    found = run_fit(context, FitOptions("toy", data=(records,), predictor="mean"))
    assert found.files[0].name == "mean-toy-own.txt"
    assert found.files[0].read_bytes() == b"mean"
    assert found.as_json()["mean"] == 1
    assert "--predictor mean --seed 0" in tasks[0].command
    assert len(tasks[0].records.genes) == 300


def test_the_held_out_fifth_is_drawn(fit, context):
    pytest.importorskip("matplotlib")
    fit(plot=True)
    assert "Pearson" in (context.out / "held-out.svg").read_text()


def test_a_small_set_of_one_image_size_is_fitted_and_judged(context, toy, measure, tmp_path):
    few = measure(toy.at([64]).space, tmp_path / "few.jsonl", 200)
    found = run_fit(context, FitOptions("toy", data=(few,))).as_json()
    assert found["resolutions"] == [64]
    assert found["held_out"]["tau"] > 0.7
