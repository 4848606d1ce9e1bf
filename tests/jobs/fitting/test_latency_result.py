"""Whether a form earns its weight: said only where the held-out networks show it."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.jobs.fitting.latency_result import Judged, verdict

KNOWN = np.linspace(10, 20, 50)
RNG = np.random.default_rng(0)


def off_by(percent):
    """Predictions that are wrong by so much, either way."""
    return Judged(KNOWN * (1 + percent / 100 * RNG.normal(size=50)), KNOWN)


@pytest.mark.parametrize(
    ("asked", "other", "said"),
    [
        (1, 4, "gru earns its weight: off by"),
        (4, 1, "gru does not earn its weight: off by"),
        (2, 2, "no difference on 50 networks"),
    ],
)
def test_it_is_held_against_the_best_other(asked, other, said):
    beside = {"trees": off_by(other), "worse": off_by(20)}
    found = verdict("gru", off_by(asked), beside, None)
    assert said in found
    assert "trees by" in found


def test_a_table_that_the_labels_are_sums_of_is_right_by_construction():
    found = verdict("gru", off_by(1), {"table": Judged(KNOWN, KNOWN)}, "table")
    assert "right by construction" in found


def test_alone_it_cannot_be_judged():
    assert "nothing to hold gru against" in verdict("gru", off_by(1), {}, None)
