"""``ofa run label``: distinct networks with their latencies, as the published CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from block_profile.latency.drawing import distinct_networks
from block_profile.latency.label import run_label
from block_profile.latency.options import LabelOptions
from ofa_plugins_core import DeviceEntry
from ofa_plugins_core.entries import JobContext
from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.host import Host
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.jobs.latency_records import read_latencies
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.tables import row_key
from ofa_plugins_core.testing import ToyDevice, in_process, toy_supernet
from ofa_plugins_core.values import RESOLUTION

TOY = toy_supernet()


@pytest.fixture
def table(tmp_path):
    """A folder of tables of the toy, in the published form, with a row a block."""
    folder = tmp_path / "phone"
    folder.mkdir()
    for size in TOY.resolutions:
        rows = {
            row_key(b): {"count": 9, "mean": 0.1 + 1e-6 * sum(o.macs for o in b.ops), "std": 0.001}
            for b in TOY.geometry().catalogue(size).blocks
        }
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


def test_a_tables_sums_are_written_with_distinct_networks(ofa, table):
    words = ("run", "label", "--supernet", "toy", "--n", 300, "--lut", table)
    code, out, err = ofa(*words, "--out", "x.csv", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["networks"], found["device"], found["file"]) == (300, "phone", "x.csv")
    data = read_latencies([Path("x.csv")], TOY)
    assert (len(data.found.genes), data.repeated, data.device) == (300, 0, "phone")


def test_what_is_read_back_is_what_the_table_says(ofa, table, host):
    ofa("run", "label", "--supernet", "toy", "--n", 50, "--lut", table, "--out", "x.csv")
    data = read_latencies([Path("x.csv")], TOY)
    Path("a.jsonl").write_text(
        "\n".join(json.dumps(a.as_dict()) for a in TOY.space.decode(data.found.genes))
    )
    words = ("run", "cost", "--supernet", "toy", "--archs", "a.jsonl", "--json")
    _, out, _ = ofa(*words, "--cost", "latency", "--lut", table)
    priced = [json.loads(line)["latency"] for line in out.splitlines()]
    assert data.found.latency == pytest.approx(priced)


def test_the_same_seed_draws_the_same_networks(ofa, table):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        words = ("--lut", table, "--seed", seed, "--out", f"{name}.csv")
        ofa("run", "label", "--supernet", "toy", "--n", 20, *words)
    one, two, other = (Path(f"{n}.csv").read_text() for n in "abc")
    assert one == two != other


def test_a_folder_keeps_the_run(ofa, table):
    ofa("run", "label", "--supernet", "toy", "--n", 20, "--lut", table, "--out", "run")
    assert {"latencies.csv", "result.json", "config.yaml"} <= {
        f.name for f in Path("run").iterdir()
    }


def test_what_was_labelled_is_fitted_and_searched_with(ofa, table):
    ofa("run", "label", "--supernet", "toy", "--n", 300, "--lut", table, "--out", "x.csv")
    words = ("run", "fit", "--kind", "latency", "--supernet", "toy", "--data", "x.csv")
    code, out, err = ofa(*words, "--predictor", "linear", "--lut", table, "--out", "f", "--json")
    assert code == 0, err
    found = json.loads(out)
    assert found["held_out"]["mape"] < 1
    assert found["beside"]["the latency table"]["mape"] < 1e-6
    assert "right by construction" in found["verdict"]
    words = ("run", "search", "--supernet", "toy", "--cost", "latency@f", "--lut", "f")
    code, _, err = ofa(*words, "--minimize", "latency@f", "--searcher", "random")
    assert code == 0, err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "where do latencies come from?"),
        (("--cost", "params"), 2, "params is in count: a latency is due, in ms"),
        (("--cost", "params", "--cost", "flops"), 2, "which latency? params and flops"),
        (("--lut", "none"), 5, "none"),
        (("--lut", "phone", "--n", "9999"), 2, "toy has 800 networks"),
        (("--lut", "phone", "--out", "x.json"), 2, "are written as FILE.csv"),
        (("--lut", "phone", "--sampler", "unifrm"), 2, "unknown sampler"),
    ],
)
def test_wrong_use_is_one_clear_line(ofa, table, words, code, said):
    found, _, err = ofa("run", "label", "--supernet", "toy", *words)
    assert found == code
    assert said in err


# ------------------------------------------------------------------------------- measured


@pytest.fixture
def bench(toy_plugin, tmp_path, monkeypatch):
    """(listener, resume, out, device's settings) -> the context of a job on a host with a bench."""
    for name in ("TABLES", "CACHE"):
        monkeypatch.setenv(f"OFA_{name}", str(tmp_path / name))

    def context(listener=lambda event: None, resume=False, out="x.csv", **device):
        entry = DeviceEntry("bench", "a toy", lambda options: ToyDevice(**device))
        toys = {"toys": toy_plugin, "bench": in_process("bench", ofa_devices=[entry])}
        host = Host.discover(extra=toys)
        settings = {"latency": {"memo": False}}
        return JobContext(host, listener, out=tmp_path / out, resume=resume, settings=settings)

    return context


MEASURED = LabelOptions(supernet="toy", n=12, device="bench", measure=True)
DRIFTING = evolve(MEASURED, n=24)


def stop_at(count):
    """A listener that interrupts when so many networks are labelled."""

    def stop(event):
        if getattr(event, "done", 0) == count:
            raise KeyboardInterrupt

    return stop


def true_times(file):
    """What the networks of a CSV take where nothing drifts, (n,) ms, in its order."""
    rows = list(csv.DictReader(file.open()))
    genes = np.stack([Spelling.of(TOY.geometry()).read(row["net_str"]) for row in rows])
    genes[:, RESOLUTION] = [TOY.resolutions.index(int(row["resolution"])) for row in rows]
    archs = TOY.space.decode(genes)
    return np.array([ToyDevice().true_time(Work(TOY.geometry().blocks(a))) for a in archs])


def off(latency, true):
    """How far ratios of latencies are from the true ones at the worst: 0.1 is 10 %."""
    ratio = latency / true
    return ratio.max() / ratio.min() - 1


def raw_latencies(journal):
    """What a journal holds: (n,) ms as measured, (n,) ms of the reference."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    return np.array([x["ms"] for x in lines]), np.array([x["reference"] for x in lines])


def test_networks_are_measured(bench, tmp_path):
    found = run_label(bench(), MEASURED)
    assert (found.cost.kind, found.device, len(found.latency)) == ("measured", "bench", 12)
    assert len(list(csv.reader((tmp_path / "x.csv").open()))) == 13


def test_an_interruption_keeps_what_was_measured_and_resume_goes_on(bench, tmp_path):
    """Whole groups of eight."""
    stopped = run_label(bench(stop_at(8)), MEASURED)
    assert (stopped.exit_code, len(stopped.latency)) == (130, 8)
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 9
    said = []
    found = run_label(bench(said.append, resume=True), MEASURED)
    assert (found.exit_code, len(found.latency)) == (0, 12)
    assert any("8 networks of 12 are there" in getattr(e, "message", "") for e in said)
    assert np.array_equal(found.latency[:8], stopped.latency)


@pytest.mark.parametrize("stopped", [None, 16])
def test_drift_is_taken_out_over_an_interruption_too(bench, tmp_path, stopped):
    """The device becomes almost twice as slow; after an interruption it starts afresh."""
    if stopped:
        assert run_label(bench(stop_at(stopped), drift=2e-3), DRIFTING).interrupted
    found = run_label(bench(resume=bool(stopped), drift=2e-3), DRIFTING)
    raw, beside = raw_latencies(tmp_path / "x.labels.jsonl")
    true = true_times(tmp_path / "x.csv")
    assert off(raw, true) > 0.25
    assert off(found.latency, true) < 0.04
    assert found.latency == pytest.approx(raw * np.median(beside) / beside)


def test_the_result_and_a_file_beside_the_csv_say_that_it_was_corrected(bench, tmp_path):
    found = run_label(bench(drift=2e-3), DRIFTING)
    _, beside = raw_latencies(tmp_path / "x.labels.jsonl")
    said = json.loads((tmp_path / "x.labels.json").read_text())
    assert said == found.as_json()
    assert (said["kind"], said["networks"]) == ("measured", 24)
    ends = {"median": np.median(beside), "least": beside.min(), "most": beside.max()}
    assert said["corrected"]["reference"] == pytest.approx(ends)
    largest = np.abs(np.median(beside) / beside - 1).max()
    assert said["corrected"]["largest"] == pytest.approx(largest)
    (_, _, rows) = found.as_tables()[0]
    assert "over the run; by" in dict(rows)["corrected"]


def test_a_folder_holds_raw_times_and_no_file_beside(bench, tmp_path):
    run_label(bench(out="run"), MEASURED)
    assert {f.name for f in (tmp_path / "run").iterdir()} == {"latencies.csv", "labels.jsonl"}


def test_the_reference_takes_its_turns_with_every_group(bench):
    ran = []
    run_label(bench(before=ran.append), MEASURED)
    assert len(ran) == 2 * (12 + 2) + 10 * (12 + 2 * 4)  # warm-up, then the least passes


def test_a_line_without_its_reference_is_not_gone_on_with(bench, tmp_path):
    run_label(bench(), MEASURED)
    journal = tmp_path / "x.labels.jsonl"
    lines = journal.read_text().splitlines()
    lines[3] = json.dumps({"net": 2, "ms": 1.0})
    journal.write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="line 4: not what was written there"):
        run_label(bench(resume=True), MEASURED)


def test_a_device_that_times_nothing_is_refused(bench):
    with pytest.raises(InputError, match="timed no pass of the"):
        run_label(bench(passes=100), MEASURED)


def test_another_draw_is_not_gone_on_with(bench):
    run_label(bench(), MEASURED)
    with pytest.raises(UsageError, match="is of another measurement"):
        run_label(bench(resume=True), evolve(MEASURED, n=13))


@pytest.mark.parametrize("out", ["x.csv", "run"])
def test_measured_latencies_are_not_given_to_networks_of_another_draw(bench, monkeypatch, out):
    """The same sampler, number and seed, where the sampler's options or its code differ."""
    run_label(bench(stop_at(8), out=out), MEASURED)
    monkeypatch.setattr(
        "block_profile.latency.label.distinct_networks",
        lambda *given: distinct_networks(*given)[::-1].copy(),
    )
    with pytest.raises(UsageError, match="is of another measurement: drawn was"):
        run_label(bench(resume=True, out=out), MEASURED)


def test_other_settings_are_not_gone_on_with(bench):
    run_label(bench(stop_at(8)), MEASURED)
    resumed = bench(resume=True)
    resumed = evolve(resumed, settings={**resumed.settings, "uniform": {"over": "options"}})
    with pytest.raises(UsageError, match="is of another measurement: set"):
        run_label(resumed, MEASURED)


# ------------------------------------------------------------------------------- drawing


class Few:
    """A sampler that knows three networks."""

    def sample(self, n, generator):
        rows = TOY.space.canonical(TOY.space.sample(3, np.random.default_rng(0)))
        return rows[generator.integers(0, 3, n)]


def test_a_sampler_that_knows_too_few_is_given_up(host):
    entry = host.sampler("uniform")
    with pytest.raises(UsageError, match="found only 3 distinct networks"):
        distinct_networks(entry, Few(), TOY.space, 4, 0)
