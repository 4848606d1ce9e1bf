"""CompOFA's claims that need no published file: they run, hold or differ, and could fail."""

from __future__ import annotations

import json
import sys
from subprocess import run
from types import SimpleNamespace

import numpy as np
import pytest

from compofa.claims import entries, population, search, space, training
from compofa.population.comparing import Cloud
from ofa_plugins_core.entries import JobContext

CLAIMS = {entry.name.removeprefix("compofa_"): entry for entry in entries()}


@pytest.fixture
def checked(host):
    """Name -> what checking the claim comes to."""
    return lambda name: CLAIMS[name].check(JobContext(host), {})


def figures(checked):
    return [(c.ours, c.published) for c in checked.comparisons]


def test_the_spaces_count_the_networks_that_were_published(checked):
    found = checked("networks")
    assert found.verdict == "reproduced"
    assert figures(found)[:4] == [
        (243, 243),
        (1_215, 1_215),
        (21_924_480_357, 21_924_480_357),
        (21_758_655_492_572_485_851, 21_758_655_492_572_485_851),
    ]


def test_half_the_hours_lie_between_what_the_plans_bound(checked):
    found = checked("training_hours")
    assert found.verdict == "consistent"
    assert "no hours were measured" in found.chosen
    # 145 of 410 epochs, 580 of 990 epochs times subnets, 760 of 1,170 with the teacher's
    ours = [c.ours for c in found.comparisons]
    assert ours == [0.5044, round(145 / 410, 4), round(580 / 990, 4), round(760 / 1170, 4)]


def test_one_price_an_hour_gives_both_amounts(checked):
    found = checked("training_dollars")
    assert found.verdict == "consistent"
    assert figures(found)[0] == (1_210.7, 1_200)


def test_no_emission_an_hour_gives_both_weights(checked):
    found = checked("training_co2")
    assert found.verdict == "differs"
    (judged,) = [c for c in found.comparisons if c.holds is not None]
    assert (judged.ours, judged.published) == (139.7, 128)
    assert "0.259 and 0.283 lb" in judged.why


@pytest.mark.parametrize(
    ("name", "module", "figure", "wrong"),
    [
        ("networks", space, "OFA", 7371**5 + 1),
        ("networks", space, "FIXED", 242),
        ("training_hours", training, "HOURS", (600.0, 978.3)),
        ("training_hours", training, "HOURS", (293.5, 978.3)),
        ("training_dollars", training, "DOLLARS", (1_300, 2_400)),
    ],
)
def test_with_another_published_figure_it_differs(
    checked, monkeypatch, name, module, figure, wrong
):
    monkeypatch.setattr(module, figure, wrong)
    assert checked(name).verdict == "differs"


def test_the_search_is_said_to_be_216_times_as_fast():
    assert search.SECONDS[1] / search.SECONDS[0] == search.TIMES


def test_a_front_is_above_another_by_the_best_that_is_no_slower():
    ours = Cloud(np.array([10.0, 20.0]), np.array([70.0, 73.0]), np.array([160, 160]))
    theirs = Cloud(
        np.array([9.0, 10.0, 15.0, 16.0, 20.0, 40.0]),
        np.array([60.0, 69.0, 72.0, 71.0, 72.5, 90.0]),  # 71.0 is not on the front, 40 ms is beyond
        np.full(6, 160),
    )
    assert population.front_gaps(ours, theirs, 10, 30).tolist() == [1.0, -2.0, 0.5]


def records(ours, theirs):
    """A comparison under one bound, 15 ms, of measured accuracies; None: nobody was measured."""
    rows = [None if top1 is None else 0 for top1 in (ours, theirs)]
    populations = [SimpleNamespace(top1=np.array([top1 or 0.0])) for top1 in (ours, theirs)]
    best = [SimpleNamespace(bound=15.0, rows=rows)]
    return SimpleNamespace(ours=populations[0], theirs=populations[1], best=best)


@pytest.mark.parametrize(
    ("ours", "theirs", "due", "said"),
    [
        (72.0, 71.0, "reproduced", "ahead under 1 of 1 bounds"),
        (70.5, 71.0, "reproduced", "under 1 neither is"),
        (70.0, 71.0, "differs", "behind under 1;"),
        (None, 71.0, "differs", "ahead under 0 of 0 bounds"),
        (71.0, None, "differs", "ahead under 0 of 0 bounds"),
    ],
)
def test_the_best_are_held_to_each_other_within_what_labels_grant(
    monkeypatch, ours, theirs, due, said
):
    monkeypatch.setattr(population, "_compared", lambda *given: records(ours, theirs))
    found = population.best(None, {})
    assert found.verdict == due
    assert said in found.note
    (row,) = found.comparisons
    assert (row.published, row.beside) == (None, "Once-for-All's")


def test_where_no_record_was_measured_it_is_said_and_can_be_kept(monkeypatch):
    monkeypatch.setattr(population, "_compared", lambda *given: records(None, None))
    (row,) = population.best(None, {}).comparisons
    assert json.loads(json.dumps(row.as_json(), allow_nan=False))["why"] == (
        "CompOFA and Once-for-All: no record under 15 ms"
    )


@pytest.mark.parametrize(("ours", "due"), [(1_000, "consistent"), (2_000, "differs")])
def test_networks_scored_alone_are_held_to_the_published_ratio(monkeypatch, ours, due):
    """Seconds, however they turn out, judge nothing."""
    found = {
        "compofa": effort(ours, seconds=50.0, whole=60.0),
        "ofa_mbv3_w1.0": effort(300_000, seconds=1.0, whole=2.0),
    }
    monkeypatch.setattr(search, "_searched", lambda context, table, supernet, how: found[supernet])
    checked = search.search(None, {"note10_tables": None})
    assert checked.verdict == due
    assert [c.holds is None for c in checked.comparisons] == [False, True, True]


def effort(evaluations, seconds, whole):
    return SimpleNamespace(
        found=SimpleNamespace(evaluations=evaluations, seconds=seconds), seconds=whole
    )


@pytest.mark.parametrize("name", sorted(n for n, c in CLAIMS.items() if c.needs))
def test_what_it_needs_can_be_got(name):
    for needed in CLAIMS[name].needs:
        assert "https://" in needed.how


def test_offering_claims_loads_nothing_that_checks_them():
    code = "import sys, compofa.plugin as p; list(p.ofa_claims()); print(*sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [m for m in loaded if m.startswith("compofa.claims.")]
    assert "compofa.population.jobs" not in loaded
