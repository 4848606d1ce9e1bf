"""What a simulation says: to programs with unit and kind, to people in tables."""

from __future__ import annotations

import pytest

from dynamic_ofa.ledger import scored
from dynamic_ofa.simulating.optimum import optimum_of
from dynamic_ofa.simulating.result import Comparison, Run, Setting, SimulateResult
from dynamic_ofa.simulating.simulator import Pace, play
from ofa_plugins_core.interfaces import Level

LEVELS = (Level(70.0, 100.0, 40.0), Level(75.0, 200.0, 90.0))
SETTING = Setting(
    run=None,
    about={"trace": {"name": "mine", "kind": "constructed", "duration_s": 1.0}},
    levels=LEVELS,
)


@pytest.fixture(scope="module")
def run(planned, conditions):
    """(plan, levels) -> a simulated run under a limit of 150 ms."""

    def made(plan, levels=LEVELS):
        played = play(planned(levels, plan), conditions(limit=150.0, duration_s=1.95), Pace())
        best = optimum_of(played, levels)
        return Run(
            policy="planned",
            start=plan[0],
            played=played,
            scores=scored(played.inferences, levels),
            optimum=best,
            possible=scored(best.inferences, levels),
        )

    return made


def test_the_sequence_has_a_level_as_often_as_it_was_switched_to(run):
    assert run([0, 0, 1, 1, 0]).sequence == [0, 1, 0]


def test_energy_is_said_where_every_level_s_is_known(run):
    found = run([0, 1, 0])
    count = found.scores.inferences
    mean = (40.0 * (count - 1) + 90.0) / count
    assert found.as_json()["scores"]["energy_mj"]["value"] == pytest.approx(mean)
    assert found.as_json()["scores"]["energy_mj"]["unit"] == "mJ"
    rows = SimulateResult(SETTING, found).as_tables()[0][2]
    assert rows[-1][0] == "mean energy (mJ)"

    bare = run([0, 1, 0], (LEVELS[0], Level(75.0, 200.0)))
    assert bare.as_json()["scores"]["energy_mj"] is None
    assert SimulateResult(SETTING, bare).as_tables()[0][2][-1][0] == "switches"


def test_rows_have_the_level_that_would_have_been_best(run):
    rows = SimulateResult(SETTING, run([1, 1, 0])).as_rows()
    assert [(r["level"], r["late"], r["best_level"]) for r in rows[:3]] == [
        (1, True, 0),
        (1, True, 0),
        (0, False, 0),
    ]


def test_a_comparison_lists_the_best_first(run):
    (_, _, rows) = Comparison(SETTING, [run([1]), run([0])]).as_tables()[0]
    assert [row[1] for row in rows] == ["70.00", "0.00"]


def test_a_long_way_is_shortened(run):
    (_, _, rows) = Comparison(SETTING, [run([0, 1] * 9)]).as_tables()[0]
    assert rows[0][-1].startswith("0 1 0 1 0 … ")


def test_without_a_switch_there_is_no_table_of_them(run):
    assert len(SimulateResult(SETTING, run([0])).as_tables()) == 2
    assert len(SimulateResult(SETTING, run([0, 1])).as_tables()) == 3
