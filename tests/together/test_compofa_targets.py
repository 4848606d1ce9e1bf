"""CompOFA's targets beside the other jobs: the same networks as a search, and what reads them."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core.cli import run as cli
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.jobs.frontfiles import read_front
from ofa_plugins_core.tables import row_key

HEAVY = ("torch", "torchvision", "pymoo", "scipy", "matplotlib")
PAGE = Path(__file__).parents[2] / "docs" / "compofa.md"
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.splitlines()
]
SIZES = (160, 192)
BOUNDS = "8,11,14"


@pytest.fixture(scope="module")
def table(host, tmp_path_factory):
    """A folder of tables of the rows that OFA's and CompOFA's networks share."""
    folder = tmp_path_factory.mktemp("tables") / "device"
    folder.mkdir()
    supernet = host.supernet("ofa_mbv3_w1.0").at(SIZES)
    for size in SIZES:
        blocks = supernet.geometry().catalogue(size).blocks
        means = [0.05 + sum(op.macs for op in b.ops) ** 0.8 / 8e5 for b in blocks]
        rows = {
            row_key(b): {"count": 20, "mean": round(mean, 6), "std": 0.001}
            for b, mean in zip(blocks, means, strict=True)
        }
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def targets(table, host, tmp_path, monkeypatch, capsys):
    """Runs the job in an empty folder; its JSON."""
    monkeypatch.chdir(tmp_path)

    def call(supernet, *words):
        given = ("--supernet", supernet, "--lut", str(table), "--resolutions", "160,192")
        assert run(["run", "targets", *given, *words, "--json"], lambda block: host) == 0
        return json.loads(capsys.readouterr().out)

    return call


@pytest.mark.parametrize("supernet", ["compofa", "compofa_elastic", "ofa_mbv3_w1.0"])
def test_a_sweep_of_a_search_finds_the_same_networks(targets, host, table, capsys, supernet):
    found = targets(supernet, "--bounds", BOUNDS)
    words = ["run", "search", "--supernet", supernet, "--lut", str(table), "--json"]
    words += ["--resolutions", "160,192", "--constraint", "latency<=8:14", "--points", "3"]
    assert run(words, lambda block: host) == 0
    swept = json.loads(capsys.readouterr().out)
    assert [i["arch"] for i in found["front"]] == [i["arch"] for i in swept["front"]]


def test_evolution_finds_nothing_better_than_exact_search(targets):
    quick = ("--set", "evolution.population=30", "--set", "evolution.generations=10")
    evolved = targets("compofa_elastic", "--bounds", BOUNDS, "--searcher", "evolution", *quick)
    exact = targets("compofa_elastic", "--bounds", BOUNDS)
    pairs = [[item["accuracy"]["value"] for item in found["front"]] for found in (evolved, exact)]
    assert (np.subtract(*pairs) <= 1e-9).all()


def test_what_was_found_is_read_by_evaluate_and_report(targets, host, tmp_path):
    targets("compofa", "--bounds", BOUNDS, "--out", "found")
    networks = read_front(Path("found"), host.supernet("compofa"))
    assert [list(n.costs) for n in networks] == [["latency@device"]] * 3
    assert run(["report", "found"], lambda block: host) == 0
    assert (tmp_path / "found" / "report.html").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("targets", "--supernet", "compofa", "--bounds", "9,11", "--resolutions", "160"),
        ("targets", "--supernet", "compofa_elastic", "--bounds", "9", "--resolutions", "160"),
        ("population", "--help"),
    ],
)
def test_nothing_heavy_is_loaded(table, tmp_path, words):
    given = [*words, "--lut", str(table)]
    code = (
        "import sys; from ofa_plugins_core.cli.main import run; "
        f"code = run(['run', *{given!r}]); "
        f"print(code, [m for m in {HEAVY} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=tmp_path,
    )
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


@pytest.mark.parametrize("line", LINES)
def test_the_command_line_takes_every_line_of_the_page(host, monkeypatch, line):
    """Flags are structured as for a run; the job itself is not run."""
    asked = []

    def instead(entry, session, given):
        asked.append(cli.requested(entry, session.host(), given))
        return 0

    monkeypatch.setattr(cli, "run_job", instead)
    assert run(shlex.split(line)[1:], lambda block: host) == 0
    assert len(asked) == 1
