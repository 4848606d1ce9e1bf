"""What needs several plugins at once; skipped, and said so, where one is not installed."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.cli.main import run

MISSING = [n for n in ("ofa_search", "ofa_mit", "compofa", "moofa") if find_spec(n) is None]

# the toys of exact search are importable here too
sys.path.insert(0, str(Path(__file__).parents[2] / "plugins" / "ofa_search" / "tests"))

collect_ignore_glob = ["test_*.py"] if MISSING else []


def pytest_report_header() -> str:
    """Why tests/together is left out, if it is."""
    return f"tests/together: skipped, not installed: {', '.join(MISSING)}" if MISSING else ""


@pytest.fixture(scope="module")
def host():
    """All installed plugins."""
    return Host.discover()


@pytest.fixture
def ofa(host, tmp_path, monkeypatch, capsys):
    """Runs ``ofa WORDS`` in an empty folder: its JSON, or what stderr says where it prints none."""
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OFA_FITTED", str(tmp_path / "fitted"))
    monkeypatch.setenv("OFA_REDUCED", str(tmp_path / "reduced"))
    before = torch.get_num_threads()
    torch.set_num_threads(1)

    def call(*words, code=0):
        found = run(words, lambda block: host)
        shown = capsys.readouterr()
        assert found == code, shown.err
        assert shown.out.count("\n") == 1 or not shown.out.startswith("{")
        return json.loads(shown.out) if shown.out.startswith("{") else shown.err

    yield call
    torch.set_num_threads(before)
