"""Latency predictors, all together: light to use, and the page holds what its maker makes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from ofa_plugins_core.cli.main import run

DOCS = Path(__file__).parents[2] / "docs"
LUT = Path(__file__).parents[3] / "shared" / "data" / "lut" / "note10"
needs_table = pytest.mark.skipif(
    not LUT.is_dir(), reason=f"{LUT} is not there: published tables are not redistributed"
)


def test_the_table_of_the_page_is_made_by_its_maker():
    spec = importlib.util.spec_from_file_location("maker", DOCS / "make_latency_predictor.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    kept = maker.PAGE.read_text(encoding="utf-8")
    assert kept == maker.page(kept), "run: python docs/make_latency_predictor.py - --steps none"


def test_what_was_fitted_is_used_without_torch_and_scikit_learn():
    code = (
        "import sys, block_profile.latency.sequence, block_profile.latency.boosting;"
        "sys.exit(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@needs_table
def test_published_latencies_are_learnt_and_searched_with(tmp_path, monkeypatch, capsys):
    pytest.importorskip("sklearn")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OFA_TABLES", str(tmp_path / "tables"))
    supernet = ("--supernet", "ofa_mbv3_w1.2")
    words = ("--n", "300", "--lut", f"note10={LUT}", "--resolutions", "224", "--out", "x.csv")
    assert run(["run", "label", *supernet, *words]) == 0
    fit = ("run", "fit", "--kind", "latency", *supernet, "--data", "x.csv", "--name", "phone")
    assert run([*fit, "--predictor", "boosting", "--install", "--out", "fitted"]) == 0
    fewer = ("--set", "evolution.generations=10", "--json")
    capsys.readouterr()
    words = ("--cost", "latency@phone", "--constraint", "latency@phone<=40", *fewer)
    assert run(["run", "search", *supernet, *words]) == 0
    out = capsys.readouterr().out
    assert '"searcher": "evolution"' in out
    assert '"kind": "predicted"' in out
