"""CompOFA's claims that need no published file: they run, hold or differ, and could fail."""

from __future__ import annotations

import sys
from subprocess import run

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
    assert found.verdict == "reproduced"
    # 145 of 410 epochs, 580 of 990 epochs times subnets, 760 of 1,170 with the teacher's
    ours = [c.ours for c in found.comparisons]
    assert ours == [0.5044, round(145 / 410, 4), round(580 / 990, 4), round(760 / 1170, 4)]


def test_one_price_an_hour_gives_both_amounts(checked):
    found = checked("training_dollars")
    assert found.verdict == "reproduced"
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


@pytest.mark.parametrize("name", sorted(n for n, c in CLAIMS.items() if c.needs))
def test_what_it_needs_can_be_got(name):
    for needed in CLAIMS[name].needs:
        assert "MOOFA" in needed.how or "https://" in needed.how


def test_offering_claims_loads_nothing_that_checks_them():
    code = "import sys, compofa.plugin as p; list(p.ofa_claims()); print(*sys.modules)"
    done = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [m for m in loaded if m.startswith("compofa.claims.")]
    assert "compofa.population.jobs" not in loaded
