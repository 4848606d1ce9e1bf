"""``ofa report RUN``."""

import json
import sys
from pathlib import Path

import pytest

from ofa_plugins_core import Host, JobEntry, SupernetEntry
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.errors import installable
from ofa_plugins_core.testing import everything, in_process, toy_supernet

LINE = f"pip install {installable('ofa-plugins-core', 'plot')}"


@pytest.fixture(scope="module")
def host() -> Host:
    entry = SupernetEntry("toy", "two small stages", toy_supernet)
    return Host.discover(extra={"toys": in_process("toys", ofa_supernets=[entry])})


@pytest.fixture
def ofa(host, capsys):
    """Words -> (exit code, stdout, stderr)."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(words, lambda block: host)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def written(folder: Path, host: Host, swept: bool = True) -> Path:
    """A run of two networks of the toy."""
    supernet = host.supernet("toy")
    archs = [a.as_dict() for a in supernet.space.decode(everything(supernet.space)[[0, 399]])]
    peaks = host.cost_model("peak_memory").build(supernet).evaluate(archs)
    front = [
        {
            **({"bound": int(peak) + 5} if swept else {}),
            "arch": arch,
            "accuracy": {"value": value, "unit": "%", "kind": "predicted"},
            "costs": {"peak_memory": {"value": int(peak), "unit": "items", "kind": "computed"}},
        }
        for arch, peak, value in zip(archs, peaks, (60.5, 70.5), strict=True)
    ]
    result = {"supernet": "toy", "searcher": "exact", "optimal": True, "front": front}
    if swept:
        result["swept"] = "peak_memory"
    folder.mkdir()
    (folder / "config.yaml").write_text("job: search\nsupernet: toy\n")
    (folder / "run.json").write_text('{"command": ["ofa", "run", "search"]}')
    (folder / "result.json").write_text(json.dumps(result))
    return folder


@pytest.fixture
def a_run(tmp_path, host) -> Path:
    return written(tmp_path / "a-run", host)


def test_the_page_and_its_plots(ofa, a_run):
    pytest.importorskip("matplotlib")
    code, out, err = ofa("report", str(a_run))
    assert (code, out) == (0, "")
    text = (a_run / "report.html").read_text()
    assert text.startswith("<!DOCTYPE html>")
    assert text.count("<figure") == 3
    assert sorted(p.name for p in (a_run / "plots").iterdir()) == [
        "front.svg",
        "memory-1.svg",
        "network-1.svg",
    ]
    assert "70.50" in err
    assert "report.html" in err


def test_json_alone_on_stdout(ofa, a_run):
    pytest.importorskip("matplotlib")
    code, out, _ = ofa("report", str(a_run), "--json", "--networks", "0")
    assert code == 0
    found = json.loads(out)
    assert found["page"] == str(a_run / "report.html")
    assert found["plots"] == [str(a_run / "plots" / "front.svg")]


def test_it_can_be_made_again(ofa, a_run):
    pytest.importorskip("matplotlib")
    assert ofa("report", str(a_run))[0] == 0
    before = (a_run / "report.html").read_bytes()
    assert ofa("report", str(a_run))[0] == 0
    assert (a_run / "report.html").read_bytes() == before


def test_several_sweeps_with_published_points(ofa, a_run, tmp_path, host):
    pytest.importorskip("matplotlib")
    other = written(tmp_path / "other", host)
    points = {"source": "A paper", "series": [{"supernet": "toy", "label": "Toy", "points": []}]}
    (tmp_path / "p.json").write_text(json.dumps(points))
    words = (
        "--beside",
        str(other),
        "--published",
        str(tmp_path / "p.json"),
        "--limit",
        "5k",
        "--png",
    )
    code, _, err = ofa("report", str(a_run), *words)
    assert code == 0, err
    names = {p.name for p in (a_run / "plots").iterdir()}
    assert {"sweeps.svg", "sweeps-near.svg", "sweeps.png", "sweeps-near.png"} <= names


def test_without_matplotlib_the_page_has_tables_and_the_install_line_is_said(
    ofa, a_run, monkeypatch
):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, _, err = ofa("report", str(a_run))
    assert code == 0
    assert f"note: No plots: drawing plots needs the extra [plot]; install it with: {LINE}" in err
    text = (a_run / "report.html").read_text()
    assert "70.50" in text
    assert "needs the extra [plot]" in text
    assert ofa("report", str(a_run), "--no-plots")[0] == 0
    for asked in ("--png", "--plots"):
        code, _, err = ofa("report", str(a_run), asked)
        assert (code, LINE in err) == (2, True)


def test_a_supernet_that_is_gone_costs_only_its_pictures(ofa, a_run):
    pytest.importorskip("matplotlib")
    (a_run / "config.yaml").write_text("job: search\nsupernet: gone\n")
    code, _, err = ofa("report", str(a_run))
    assert code == 0
    assert "No picture of the network: unknown supernet 'gone'" in err
    assert (a_run / "report.html").read_text().count("<figure") == 1


@pytest.mark.parametrize("name", ["result.json", "run.json", "config.yaml"])
def test_a_broken_or_foreign_folder_is_one_line_and_code_5(ofa, a_run, name):
    (a_run / name).write_bytes(b"{\xff")
    code, out, err = ofa("report", str(a_run))
    assert (code, out) == (5, "")
    assert len(err.strip().splitlines()) == 1
    assert name in err
    (a_run / name).unlink()
    assert ofa("report", str(a_run))[0] == 5
    assert not (a_run / "report.html").exists()


@pytest.mark.parametrize("result", ["[1, 2]", "null", '"done"', "{}", '{"front": "abc"}', "[]"])
def test_what_is_no_result_of_a_search_makes_no_page(ofa, a_run, result):
    (a_run / "result.json").write_text(result)
    code, out, err = ofa("report", str(a_run))
    assert (code, out) == (5, "")
    assert f"{a_run / 'result.json'}: " in err
    assert "expected" in err
    assert not (a_run / "report.html").exists()


@pytest.mark.parametrize("name", ["run.json", "config.yaml"])
def test_a_folder_that_is_not_whole_says_what_it_lacks_and_what_to_do(ofa, a_run, name):
    (a_run / name).unlink()
    code, _, err = ofa("report", str(a_run))
    assert code == 5
    assert f"{a_run} holds no {name}" in err
    assert "copy the whole folder" in err


def test_a_long_table_is_shortened_on_the_terminal_and_says_where_the_rest_is(ofa, a_run):
    result = json.loads((a_run / "result.json").read_text())
    result["front"] *= 40
    (a_run / "result.json").write_text(json.dumps(result))
    _, _, err = ofa("report", str(a_run), "--no-plots")
    assert "80 rows, 21 of them here; more on the page" in err
    assert "--json" not in err
    assert len(err.splitlines()) < 32
    (a_run / "front.csv").write_text("")
    assert f"all in {a_run / 'front.csv'}" in ofa("report", str(a_run), "--no-plots")[2]


def test_no_folder_at_all(ofa, tmp_path):
    code, out, err = ofa("report", str(tmp_path / "nowhere"))
    assert (code, out) == (5, "")
    assert "is not a run's folder" in err


def test_an_architecture_of_another_space_costs_only_its_picture(ofa, a_run):
    pytest.importorskip("matplotlib")
    result = json.loads((a_run / "result.json").read_text())
    for entry in result["front"]:
        entry["arch"]["ks"] = [3]
    (a_run / "result.json").write_text(json.dumps(result))
    code, _, err = ofa("report", str(a_run))
    assert code == 0
    assert "'ks' must be a list of 4" in err


def test_a_front_has_no_sweep_to_compare(ofa, tmp_path, host):
    pytest.importorskip("matplotlib")
    front = written(tmp_path / "front", host, swept=False)
    code, _, err = ofa("report", str(front), "--beside", str(front))
    assert code == 2
    assert "no sweep" in err


@pytest.mark.parametrize("limit", ["much", "1k:2k"])
def test_a_limit_is_one_bound(ofa, a_run, limit):
    assert ofa("report", str(a_run), "--limit", limit)[0] == 2


def test_a_plugins_job_draws_its_own_runs(tmp_path, capsys):
    folder = tmp_path / "counted"
    folder.mkdir()
    (folder / "config.yaml").write_text("job: count\n")
    (folder / "run.json").write_text('{"command": ["ofa", "run", "count"]}')
    (folder / "result.json").write_text('{"found": 3}')

    def draw(place: Path):
        (place / "bars.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><g/></svg>')
        yield "bars.svg", "Three of them."
        yield "../elsewhere.svg", "Not of this run."

    entry = JobEntry("count", "counts", lambda *_: None, example="ofa run count", draw=draw)
    host = Host.discover(extra={"counting": in_process("counting", ofa_jobs=[entry])})

    assert run(["report", str(folder), "--json"], lambda block: host) == 0
    assert json.loads(capsys.readouterr().out)["plots"] == [str(folder / "bars.svg")]
    page = (folder / "report.html").read_text()
    assert "Three of them." in page
    assert "Not of this run" not in page


def test_a_job_that_cannot_draw_is_blamed(tmp_path, capsys):
    folder = tmp_path / "counted"
    folder.mkdir()
    (folder / "config.yaml").write_text("job: count\n")
    (folder / "run.json").write_text("{}")
    (folder / "result.json").write_text('{"found": 3}')

    def draw(_: Path):
        raise ValueError("no ink")

    entry = JobEntry("count", "counts", lambda *_: None, example="ofa run count", draw=draw)
    host = Host.discover(extra={"counting": in_process("counting", ofa_jobs=[entry])})

    assert run(["report", str(folder)], lambda block: host) == 4
    assert "counting" in (said := capsys.readouterr().err)
    assert "no ink" in said


class TestSeveralRuns:
    def test_one_page_of_all_in_the_present_folder(self, ofa, a_run, tmp_path, host, monkeypatch):
        other = written(tmp_path / "other", host, swept=False)
        monkeypatch.chdir(tmp_path)
        code, out, err = ofa("report", str(a_run), str(other), "--no-plots", "--json")
        assert code == 0, err
        said = json.loads(out)
        assert (said["page"], said["runs"]) == ("report.html", [str(a_run), str(other)])
        text = (tmp_path / "report.html").read_text()
        assert said["bytes"] == len(text.encode())
        assert "2 runs compared" in text
        assert "Run 2: other (ofa search, toy)" in text
        assert text.count("How it was made") == 2
        assert not (a_run / "report.html").exists()

    def test_a_file_of_ones_own_choice_which_is_written_again(self, ofa, a_run, tmp_path):
        file = tmp_path / "pages" / "mine.html"
        file.parent.mkdir()
        for _ in range(2):
            assert ofa("report", str(a_run), "--no-plots", "--out", str(file))[0] == 0
        assert "ofa search: toy" in file.read_text()

    def test_a_strangers_file_is_not_written_over(self, ofa, a_run, tmp_path):
        file = tmp_path / "thesis.html"
        file.write_text("<p>mine</p>")
        code, _, err = ofa("report", str(a_run), "--no-plots", "--out", str(file))
        assert (code, "is no page of ofa report" in err) == (2, True)
        assert file.read_text() == "<p>mine</p>"

    def test_a_folder_is_no_place_for_a_page(self, ofa, a_run, tmp_path):
        code, _, err = ofa("report", str(a_run), "--no-plots", "--out", str(tmp_path))
        assert (code, "is a folder" in err) == (5, True)

    def test_a_folder_that_is_not_there_is_named_and_not_made(self, ofa, a_run, tmp_path):
        file = tmp_path / "paegs" / "mine.html"
        code, _, err = ofa("report", str(a_run), "--no-plots", "--out", str(file))
        assert (code, f"there is no folder {file.parent}" in err) == (5, True)
        assert not file.parent.exists()

    def test_an_empty_front_has_nothing_to_compare(self, ofa, a_run, tmp_path, host):
        empty = written(tmp_path / "empty", host)
        (empty / "result.json").write_text('{"supernet": "toy", "front": []}')
        code, _, err = ofa("report", str(a_run), str(empty))
        assert (code, "it has no networks to compare" in err) == (2, True)
        code, _, err = ofa("report", str(empty), "--no-plots")
        assert (code, "The front is empty: this run found no networks." in err) == (0, True)
        assert "The front is empty" in (empty / "report.html").read_text()

    def test_the_terminal_has_a_line_for_each_run(self, ofa, a_run, tmp_path, host):
        other = written(tmp_path / "other", host, swept=False)
        file = tmp_path / "p.html"
        _, _, err = ofa("report", str(a_run), str(other), "--no-plots", "--out", str(file))
        title, _, first, second, page = err.splitlines()
        assert (title, page) == ("2 runs compared", f"page: {file}")
        assert first.split() == ["a-run", "search", "toy", "2", "70.50", "%,", "predicted"]
        assert second.startswith("other")

    def test_a_run_without_networks_is_reported_by_itself(self, ofa, a_run, tmp_path):
        folder = tmp_path / "fitted"
        folder.mkdir()
        (folder / "config.yaml").write_text("job: fit\n")
        (folder / "run.json").write_text("{}")
        (folder / "result.json").write_text('{"records": 3}')
        code, _, err = ofa("report", str(a_run), str(folder))
        assert code == 2
        assert "it has no networks to compare" in err
        assert ofa("report", str(folder), "--no-plots")[0] == 0

    def test_the_same_run_twice(self, ofa, a_run):
        code, _, err = ofa("report", str(a_run), str(a_run))
        assert (code, "named twice" in err) == (2, True)

    def test_accuracies_of_different_data_sets_are_warned_of(self, ofa, a_run, tmp_path, host):
        other = written(tmp_path / "other", host)
        for folder, data in ((a_run, "imagenet"), (other, "cifar10")):
            result = json.loads((folder / "result.json").read_text())
            (folder / "result.json").write_text(json.dumps({**result, "dataset": data}))
        file = tmp_path / "p.html"
        assert ofa("report", str(a_run), str(other), "--no-plots", "--out", str(file))[0] == 0
        assert "Accuracies are of different data sets: imagenet, cifar10." in file.read_text()

    def test_predictions_without_a_measured_accuracy_behind_them_are_marked(
        self, ofa, a_run, tmp_path, host
    ):
        other = written(tmp_path / "other", host)
        result = json.loads((other / "result.json").read_text())
        for entry in result["front"]:
            entry["support"] = 0
        (other / "result.json").write_text(json.dumps(result))
        file = tmp_path / "p.html"
        words = ("report", str(a_run), str(other), "--no-plots", "--out", str(file))
        _, _, err = ofa(*words)
        assert "other: no measured accuracy stands behind these predictions" in file.read_text()
        lines = {line.split()[0]: line for line in err.splitlines() if line.split()}
        marked = {run: "no measured one behind it" in lines[run] for run in ("a-run", "other")}
        assert marked == {"a-run": False, "other": True}
