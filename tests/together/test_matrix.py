"""A small slice of the matrix on published networks, by two processes."""

from __future__ import annotations

import json
from collections import Counter

import pytest

SLICE = (
    ("--supernet", "compofa"),
    ("--supernet", "compofa+cpu"),
    ("--cost", "peak_memory"),
    ("--cost", "latency@table"),
    ("--cost", "energy"),
    ("--predictor", "additive"),
    ("--searcher", "exact"),
    ("--searcher", "exhaustive"),
    ("--searcher", "evolution"),
)


@pytest.fixture
def names():
    pytest.importorskip("block_profile")
    pytest.importorskip("devices_jetson")
    pytest.importorskip("dynamic_ofa")
    return [word for pair in SLICE for word in pair]


def test_two_processes_find_what_one_finds_and_nothing_is_broken(ofa, names, tmp_path):
    alone = ofa("plugins", "matrix", *names, "--json")
    words = ("--parallel", "2", "--out", "kept", "--markdown", "page.md", "--json")
    both = ofa("plugins", "matrix", *names, *words)

    assert both["counts"] == {"works": 12, "refused": 6, "broken": 0, "works_given": 6}
    assert [found(cell) for cell in both["cells"]] == [found(cell) for cell in alone["cells"]]
    assert json.loads((tmp_path / "kept" / "matrix.json").read_text()) == both
    assert "### compofa, compofa+cpu" in (tmp_path / "page.md").read_text()

    cells = {(c["supernet"], c["cost"], c["searcher"]): c for c in both["cells"]}
    exact, listed = (cells["compofa", "peak_memory", s]["answers"] for s in ("exact", "exhaustive"))
    assert exact["best"]["value"] == pytest.approx(listed["best"]["value"])
    assert exact["front"]["networks"] == listed["front"]["networks"] > 1
    board = cells["compofa", "energy", "exact"]["answers"]["given"]
    assert board["reason"] == "energy is only had by measuring it"
    policies = cells["compofa", "latency@table", "exact"]["policies"]
    assert Counter(a["outcome"] for a in policies.values()) == {"works": 3}


def found(cell):
    """A cell without the time that it took."""
    return {k: v for k, v in cell.items() if k != "seconds"}
