"""A table file of the published levels, a governor of a fixed plan, and the program."""

from __future__ import annotations

import json

import pytest

from dynamic_ofa.governing import Governor
from dynamic_ofa.levels.table import (
    Accuracy,
    Latency,
    LevelRow,
    LevelTable,
    WeightsOf,
    write_table,
)
from dynamic_ofa.quantities import Limits
from dynamic_ofa.simulating.conditions import conditions_of
from dynamic_ofa.traces import Moment, Trace
from ofa_plugins_core.cli.main import run


@pytest.fixture(scope="session")
def table(nets_6, tmp_path_factory):
    """A file of the published levels, without statistics: it can be simulated, not run."""
    rows = [
        LevelRow(
            arch={},
            accuracy=Accuracy(value=level.accuracy, kind="published"),
            latency=Latency(value=level.latency, kind="published"),
        )
        for level in nets_6
    ]
    path = tmp_path_factory.mktemp("tables") / "nets_6.zip"
    found = LevelTable(
        supernet="ofa_mbv3_w1.2",
        classes=1000,
        weights=WeightsOf(kind="unknown"),
        device={},
        levels=tuple(rows),
    )
    write_table(path, found)
    return path


class Planned:
    """A policy that has its levels in advance, the last one for ever."""

    def __init__(self, plan):
        self.plan = plan

    def initial(self, levels):
        return self.plan[0]

    def start(self, levels):
        return 1

    def decide(self, state, observation):
        return state + 1, self.plan[min(state, len(self.plan) - 1)]


@pytest.fixture(scope="session")
def planned():
    """(levels, numbers of levels) -> a governor that goes through them."""
    return lambda levels, plan: Governor(Planned(plan), levels, "planned")


@pytest.fixture(scope="session")
def conditions():
    """(*moments, limit, seconds, ...) -> what holds."""

    def made(*moments, limit=60.0, duration_s=1.0, interval_s=None, **more):
        trace = Trace(
            name="mine",
            kind="constructed",
            duration_s=duration_s,
            moments=moments or (Moment(time_s=0.0),),
            interval_s=interval_s,
        )
        limits = None if limit is None else Limits(((0.0, limit),))
        return conditions_of(trace, limits, **more)

    return made


@pytest.fixture
def ofa(capsys, tmp_path, monkeypatch):
    """(words) -> exit code, JSON on stdout or None, stderr; run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")  # a narrow terminal breaks reasons

    def called(*words):
        code = run([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    return called
