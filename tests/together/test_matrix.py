"""A small slice of the matrix on published networks, by two processes."""

from __future__ import annotations

from collections import Counter

import pytest

from ofa_plugins_core.composing.axes import Asked, axes_of
from ofa_plugins_core.composing.matrix import matrix_of
from ofa_plugins_core.composing.page import markdown
from ofa_plugins_core.composing.working import try_all

SLICE = Asked(
    supernets=("compofa", "compofa+cpu"),
    costs=("peak_memory", "latency@table", "energy"),
    predictors=("additive",),
    searchers=("exact", "exhaustive"),
)


@pytest.fixture
def slice_of(host, tmp_path, monkeypatch):
    """Number of processes -> the matrix of the slice."""
    pytest.importorskip("block_profile")
    pytest.importorskip("devices_jetson")
    pytest.importorskip("dynamic_ofa")
    for kind in ("CACHE", "FITTED", "REDUCED", "TABLES"):
        monkeypatch.setenv(f"OFA_{kind}", str(tmp_path / kind.lower()))

    def tried(processes):
        axes = axes_of(host, SLICE)
        known = try_all(host, axes, processes=processes)
        return matrix_of(axes, known.cells, known.pairs)

    return tried


def test_two_processes_find_what_one_finds_and_nothing_is_broken(slice_of):
    alone, both = slice_of(1), slice_of(2)
    assert both.counts == {"works": 8, "refused": 4, "broken": 0, "works_given": 4}
    assert [found(cell) for cell in both.cells] == [found(cell) for cell in alone.cells]
    assert "### compofa, compofa+cpu" in markdown(both)

    cells = {(c.supernet, c.cost, c.searcher): c for c in both.cells}
    exact, listed = (cells["compofa", "peak_memory", s].answers for s in ("exact", "exhaustive"))
    assert exact["best"].value == pytest.approx(listed["best"].value)
    assert exact["front"].networks == listed["front"].networks > 1
    board = cells["compofa", "energy", "exact"].answers["given"]
    assert board.reason == "energy is only had by measuring it"
    policies = cells["compofa", "latency@table", "exact"].policies
    assert Counter(a.outcome for a in policies.values()) == {"works": 3}


def found(cell):
    """A cell without the time that it took."""
    return cell.answers, cell.policies, cell.needs
