"""Latency tables for CompOFA's networks, and the program run on all plugins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.tables import row_key

SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.fixture(scope="session")
def host():
    """All installed plugins."""
    return Host.discover()


@pytest.fixture(scope="session")
def shared():
    """The material beside the repository."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there: the shared material lies beside the repository")
    return SHARED


def milliseconds(block):
    """A latency that grows with a block's work, and not quite in proportion to it."""
    return round(0.05 + sum(op.macs for op in block.ops) ** 0.8 / 8e5, 6)


@pytest.fixture(scope="session")
def table(host, tmp_path_factory):
    """A folder of tables of ofa_mbv3_w1.0's rows, which are those of CompOFA's networks."""
    folder = tmp_path_factory.mktemp("tables") / "device"
    folder.mkdir()
    supernet = host.supernet("ofa_mbv3_w1.0").at((160, 176, 192, 208, 224))
    for size in supernet.resolutions:
        blocks = supernet.geometry().catalogue(size).blocks
        rows = {row_key(b): {"count": 20, "mean": milliseconds(b), "std": 0.001} for b in blocks}
        (folder / f"{size}_lookup_table.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def own_table(table, tmp_path):
    """(batch) -> a folder ``cpu`` with the same rows as a table of ours."""

    def make(batch):
        rows = {
            file.name.partition("_")[0]: json.loads(file.read_text())
            for file in table.glob("*_lookup_table.json")
        }
        found = {
            "format": "ofa-latency-table",
            "version": 1,
            "supernet": "compofa",
            "device": {"device": "cpu"},
            "batch": batch,
            "effort": {},
            "rows": rows,
        }
        folder = tmp_path / "tables" / "cpu"
        folder.mkdir(parents=True)
        (folder / "table.json").write_text(json.dumps(found))
        return folder

    return make


@pytest.fixture
def ofa(host, tmp_path, monkeypatch, capsys):
    """Runs ``ofa run WORDS --json`` in an empty folder: its exit code, its JSON, what it told."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "fitted"))
    monkeypatch.setenv("OFA_TABLES", str(tmp_path / "installed"))

    def call(*words, host=host):
        code = run(["run", *map(str, words), "--json"], lambda block: host)
        shown = capsys.readouterr()
        return code, json.loads(shown.out) if shown.out else None, shown.err

    return call
