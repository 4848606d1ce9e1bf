"""``ofa run fit`` of the additive form: from accuracies, or another predictor, to a file."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from attrs import evolve

from ofa_plugins_core.builtin.fit_job import entry
from ofa_plugins_core.entries import NoOptions
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.fit_flaws import RESERVED
from ofa_plugins_core.fits import user_fits
from ofa_plugins_core.interfaces import Predictions
from ofa_plugins_core.jobs.fit_options import FitOptions
from ofa_plugins_core.jobs.fitting.accuracy import run_fit
from ofa_search.additive.fitfile import loads
from ofa_search.additive.loading import load_additive


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


@pytest.mark.parametrize("top1", [50.0, 100.0])
def test_records_that_are_nearly_all_alike_are_fitted_too(context, toy, records, top1):
    lines = [json.loads(x) for x in records.read_text().splitlines()]
    alike = [{**r, "top1": top1 - 0.1 * (i == 0)} for i, r in enumerate(lines)]
    records.write_text("\n".join(map(json.dumps, alike)))
    made = run_fit(context, FitOptions("toy", data=(records,)))
    found = load_additive(toy, made.files[0], None).predict([lines[0]["arch"]])
    assert found.value[0] == pytest.approx(top1, abs=0.6)
    assert found.high[0] <= 100


def test_a_small_set_of_one_image_size_is_fitted_and_judged(context, toy, measure, tmp_path):
    few = measure(toy.at([64]).space, tmp_path / "few.jsonl", 200)
    found = run_fit(context, FitOptions("toy", data=(few,))).as_json()
    assert found["resolutions"] == [64]
    assert found["held_out"]["tau"] > 0.7


def test_the_held_out_fifth_is_drawn(context, records):
    pytest.importorskip("matplotlib")
    entry().run(context, FitOptions("toy", data=(records,), plot=True))
    assert "Pearson" in (context.out / "held-out.svg").read_text()
