"""``ofa run dataset``, ``ofa run fit`` on it, and the search that then uses the fit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

from ofa_plugins_core import Host  # noqa: E402
from ofa_plugins_core.cli import main  # noqa: E402
from ofa_plugins_core.jobs.measuring import Bench  # noqa: E402

NETWORK = ("--supernet", "moofa_v3", "--weights", "synthetic", "--data", "digits")
QUICK = ("--images", "20", "--calibrate", "20", "--calibrate-batch", "10", "--resolutions", "32")
DATASET = ("run", "dataset", *NETWORK, *QUICK)


def lines(folder):
    return [json.loads(x) for x in Path(folder, "dataset.jsonl").read_text().splitlines()]


def test_ranges_of_memory_hold_the_same_number_and_each_record_says_what_was_measured(ofa, host):
    found = ofa(*DATASET, "--n", "8", "--ranges", "4", "--out", "a", "--json")
    ranges = found["balanced"]["ranges"]
    assert (found["balanced"]["cost"], found["balanced"]["unit"]) == ("peak_memory", "items")
    assert [r["measured"] for r in ranges] == [r["networks"] for r in ranges]
    assert [r["networks"] for r in ranges] == [3, 3, 2, 0]  # nothing reaches beyond 591,744 items
    records = lines("a")
    assert [r["number"] for r in records] == list(range(1, 9))
    order = [r["range"] for r in records]
    assert order != sorted(order)  # an interrupted run is balanced as well
    supernet = host.supernet("moofa_v3").at([32])
    peak = host.cost_model("peak_memory").build(supernet)
    for record in records:
        assert record["images"] == record["calibrated"] == 20
        assert 0 <= record["top1"] <= record["top5"] <= 100
        assert record["costs"]["peak_memory"] == peak.evaluate([record["arch"]])[0]
        place = ranges[record["range"] - 1]
        assert place["low"] <= record["costs"]["peak_memory"] <= place["high"]
    assert not Path("a", "parts").exists()
    assert json.loads(Path("a", "result.json").read_text()) == found


def test_a_record_is_what_evaluate_measures(ofa):
    ofa(*DATASET, "--n", "2", "--sampler", "uniform", "--out", "a", "--json")
    archs = Path("archs.jsonl")
    archs.write_text("".join(json.dumps(r["arch"]) + "\n" for r in lines("a")))
    words = [w for w in QUICK if w not in ("--resolutions", "32")]
    found = ofa(
        "run", "evaluate", *NETWORK, *words, "--repeats", "0", "--archs", "archs.jsonl", "--json"
    )
    assert [n["top1"]["value"] for n in found["networks"]] == [r["top1"] for r in lines("a")]
    ofa(*DATASET[:-2], "--archs", "archs.jsonl", "--out", "b", "--json")
    for one, two in zip(lines("a"), lines("b"), strict=True):
        assert one == two


def test_an_interrupted_run_goes_on_where_it_was(ofa, monkeypatch):
    measure, calls = Bench.measure, []

    def stops(self, arch, label):
        calls.append(label)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure(self, arch, label)

    monkeypatch.setattr(Bench, "measure", stops)
    words = (*DATASET, "--n", "4", "--sampler", "uniform", "--json")
    first = ofa(*words, "--out", "a", code=130)
    assert (first["interrupted"], first["evaluations"], first["networks"]) == (True, 2, 4)
    assert len(lines("a")) == 2
    again = ofa("run", "dataset", "--resume", "--out", "a", "--json")
    assert again["evaluations"] == 4
    assert len(calls) == 5  # three networks were measured twice by no one
    ofa(*words, "--out", "b")
    assert lines("a") == lines("b")
    other = ofa(*words[:-1], "--images", "30", "--resume", "--out", "a", code=2)
    assert "images was 20" in other


def in_processes(folder, count, words):
    """The command in processes of its own, started by torchrun."""
    script = folder / "ofa.py"
    script.write_text("import sys; from ofa_plugins_core.program import main; sys.exit(main())")
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}", "--"]
    return subprocess.Popen(
        [sys.executable, *(launch if count > 1 else ()), str(script), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_two_workers_go_on_after_one_was_killed_and_merge_what_all_wrote(ofa, tmp_path):
    words = [*DATASET, "--n", "8", "--sampler", "uniform", "--out", "both", "--json"]
    part = tmp_path / "both" / "parts" / "0.jsonl"
    alone = in_processes(tmp_path, 1, words)
    while alone.poll() is None and not (part.exists() and part.read_bytes().count(b"\n") >= 2):
        time.sleep(0.02)
    alone.kill()
    _, err = alone.communicate()
    assert part.exists(), err
    part.write_bytes(part.read_bytes() + b'{"number": 7, "ar')
    two = in_processes(tmp_path, 2, [*words, "--resume"])
    out, err = two.communicate(timeout=300)
    assert two.returncode == 0, err
    found = json.loads(out)  # one process alone has printed
    assert (found["processes"], found["evaluations"]) == (2, 8)
    assert not (tmp_path / "both" / "parts").exists()
    ofa(*[w if w != "both" else "alone" for w in words])
    assert lines("both") == lines("alone")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--sampler", "uniform", "--low", "3"), "fills no ranges"),
        (("--archs", "x.jsonl", "--n", "3"), "--n has nothing to draw"),
        (("--n", "0"), "--n: expected 1"),
        (("--ranges", "0"), "expected 1 to 1000 ranges, found 0"),
        (("--low", "much"), "--low"),
        (("--balance", "no_such_cost"), "no_such_cost"),
    ],
)
def test_what_does_not_fit_together_is_refused(ofa, words, said):
    assert said in ofa(*DATASET, *words, code=2)


def test_own_ends_are_taken_and_told_where_moofas_are_not_reached(ofa):
    words = ("run", "dataset", "--supernet", "moofa_v2", *NETWORK[2:], *QUICK)
    said = ofa(*words, "--n", "2", "--ranges", "2")
    assert "its own least and most are the ends of the ranges" in said


# ------------------------------------------------------------------------------- fit and search


def measured(host, file, supernet="moofa_v3", size=32, n=80):
    """Accuracies that grow with depth and kernels."""
    space = host.supernet(supernet).at([size]).space
    genes = space.canonical(space.sample(n, np.random.default_rng(2)))
    scores = genes[:, 1:].astype(float).sum(axis=1)
    top1 = 60 + 20 * (1 - np.exp(-scores / 30))
    text = [
        json.dumps({"arch": a.as_dict(), "top1": float(t)})
        for a, t in zip(space.decode(genes), top1, strict=True)
    ]
    file.write_text("\n".join(text) + "\n")


@pytest.mark.parametrize("form", ["additive", "mlp"])
def test_an_installed_fit_is_what_search_uses(ofa, host, tmp_path, form):
    run_folder = tmp_path / "run"
    run_folder.mkdir()
    measured(host, run_folder / "dataset.jsonl")
    words = ("run", "fit", "--supernet", "moofa_v3", "--data", str(run_folder))
    fitted = ofa(*words, "--predictor", form, "--dataset", "mine", "--install", "--json")
    assert fitted["predictor"] == form
    assert fitted["held_out"]["networks"] == 16
    assert fitted["held_out"]["tau"] > 0.4
    assert -1 <= fitted["held_out"]["pearson"] <= 1
    archs = tmp_path / "one.jsonl"
    archs.write_text((run_folder / "dataset.jsonl").read_text().splitlines()[0] + "\n")
    assert f"{form} on mine" in ofa(
        "run", "predict", "--supernet", "moofa_v3", "--archs", str(archs)
    )
    found = (
        ofa(
            "run",
            "search",
            "--supernet",
            "moofa_v3",
            "--cost",
            "peak_memory",
            "--constraint",
            "peak_memory<=600k",
            "--set",
            "evolution.generations=2",
            "--json",
        )
        if form == "mlp"
        else ofa(
            "run",
            "search",
            "--supernet",
            "moofa_v3",
            "--cost",
            "peak_memory",
            "--constraint",
            "peak_memory<=600k",
            "--json",
        )
    )
    assert found["predictor"] == form
    assert found["front"][0]["arch"]["image_size"] == 32
    accuracy = found["front"][0]["accuracy"]
    assert 0 < accuracy["low"] < accuracy["value"] < accuracy["high"] < 100


THIRD = """
import numpy as np
from attrs import evolve
from ofa_plugins_core import PredictorEntry, hookimpl
from ofa_plugins_core.measured import FittedFile, HeldOut, SizeSummary
OFA_API = 1

def fit(task):
    top1 = task.records.top1
    sizes = tuple(SizeSummary(r, 80, 1.0, 2.0) for r in task.supernet.resolutions)
    return FittedFile(b"{}", ".mine", HeldOut(top1, top1, top1), sizes, details={"kind": "mean"})

def entry(name, **changes):
    fitted = lambda task: evolve(fit(task), **changes)
    return PredictorEntry(name, "one", lambda *given: None, fit=fitted)

@hookimpl
def ofa_predictors():
    yield entry("mean_good")
    yield entry("mean_outside", ending="/../../evil")
    yield entry("mean_hijack", details={"supernet": "another"})
    yield entry("mean_object", details={"a": object()})
"""


def test_a_fit_that_cannot_be_kept_names_its_plugin_and_leaves_nothing(
    host, ofa_install, tmp_path, monkeypatch, capsys
):
    measured(host, tmp_path / "records.jsonl")
    ofa_install("third", THIRD)
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "fitted"))
    third = Host.discover()
    words = ("run", "fit", "--supernet", "moofa_v3", "--data", str(tmp_path / "records.jsonl"))
    for name in ("mean_outside", "mean_hijack", "mean_object"):
        out = ("--out", str(tmp_path / "made" / "fit"), "--install")
        assert main.run([*words, "--predictor", name, *out], lambda block: third) == 4
        (said,) = capsys.readouterr().err.strip().splitlines()
        assert said.startswith("ofa: plugin 'third' 1.0: predictor 'mean_")
    assert not (tmp_path / "made").exists()
    assert not (tmp_path / "fitted").exists()
    assert main.run([*words, "--predictor", "mean_good", *out], lambda block: third) == 0
    assert (tmp_path / "fitted" / "mean_good-moofa_v3-own.mine").read_bytes() == b"{}"
