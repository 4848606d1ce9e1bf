"""A comparison holds or not, and what comparisons come to is a verdict."""

from __future__ import annotations

import json
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ofa_plugins_core import Checked, Comparison
from ofa_plugins_core.claims import lazily

FIGURES = st.floats(-1e9, 1e9)


def holds(ours, published, relation="equal", within=0.0):
    return Comparison("x", ours, published, relation=relation, within=within).holds


@pytest.mark.parametrize(
    ("ours", "published", "relation", "within", "due"),
    [
        (243, 243, "equal", 0, True),
        (242, 243, "equal", 0, False),
        (72.14, 72.13, "equal", 0.01, True),
        (72.15, 72.13, "equal", 0.01, False),
        (72.11, 72.13, "at least", 0.01, False),
        (99.0, 72.13, "at least", 0, True),
        (99.0, 72.13, "at most", 0, False),
        (72.14, 72.13, "at most", 0.02, True),
        ("V3", "V3", "equal", 0, True),
        ("V3", "V2", "equal", 0, False),
        (None, 243, "equal", 0, False),
        (243, None, "equal", 0, False),
        (None, None, "equal", 0, False),
        (1, 2, "shown", 0, None),
        (None, None, "shown", 0, None),
    ],
)
def test_ours_stands_to_the_published_figure_as_it_has_to_or_not(
    ours, published, relation, within, due
):
    assert holds(ours, published, relation, within) is due


def test_whole_numbers_are_compared_to_the_last_digit():
    assert holds(7371**5, 7371**5)
    assert not holds(7371**5, 7371**5 + 1)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("relation", ["equal", "at least", "at most"])
def test_what_is_no_finite_number_never_holds(broken, relation):
    assert holds(broken, 1.0, relation) is False


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_what_is_no_finite_number_is_kept_as_none(broken):
    row = Comparison("x", broken, broken, relation="shown", against=-broken, beside="another's")
    assert json.loads(json.dumps(row.as_json(), allow_nan=False))["ours"] is None


def test_a_number_of_an_array_is_kept_as_pythons():
    np = pytest.importorskip("numpy")
    row = Comparison("x", np.int64(3), np.float64(3.0), within=np.float32(0.5))
    assert row.holds
    assert json.loads(json.dumps(row.as_json()))["ours"] == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"ours": [3]},
        {"what": 3},
        {"within": math.inf},
        {"within": math.nan},
        {"within": -1},
        {"relation": "about"},
        {"kind": "guessed"},
    ],
)
def test_what_nobody_could_read_or_judge_is_refused_where_it_is_made(wrong):
    with pytest.raises((TypeError, ValueError)):
        Comparison(**{"what": "x", "ours": 1, "published": 1, **wrong})


@given(FIGURES, FIGURES, st.floats(0, 1e6))
def test_equal_is_at_least_and_at_most(ours, published, within):
    both = [holds(ours, published, relation, within) for relation in ("at least", "at most")]
    assert holds(ours, published, "equal", within) is all(both)


def test_a_claim_is_reproduced_where_everything_judged_holds():
    good, shown = Comparison("a", 1, 1), Comparison("b", 1, 2, relation="shown")
    assert Checked([good, shown]).verdict == "reproduced"
    assert Checked([good, shown, Comparison("c", 1, 2)]).verdict == "differs"


def test_arithmetic_on_published_figures_is_consistent_no_more():
    own = Comparison("a", 216, 216, kind="published")
    assert Checked([own]).verdict == "consistent"
    assert Checked([own, Comparison("b", 1, 1)]).verdict == "reproduced"
    assert Checked([Comparison("a", 215, 216, kind="published")]).verdict == "differs"


def test_what_hangs_on_a_choice_of_ours_is_consistent_no_more():
    good = Comparison("a", 1, 1)
    assert Checked([good], chosen="the trace is ours").verdict == "consistent"
    assert Checked([good, Comparison("b", 1, 2)], chosen="the trace is ours").verdict == "differs"


def test_what_was_never_published_is_held_to_another_figure_of_ours():
    row = Comparison("a", 3, None, relation="at least", against=2, beside="the other's")
    assert row.holds
    assert not Comparison("a", 1, None, relation="at least", against=2, beside="the other's").holds
    assert (row.as_json()["published"], row.as_json()["against"]) == (None, 2)


def test_why_is_said_unless_it_holds():
    said = [Comparison("x", ours, 1, why="known").as_json().get("why") for ours in (1, 2)]
    assert said == [None, "known"]


def test_what_checks_a_claim_is_imported_when_it_is_called(tmp_path, monkeypatch):
    (tmp_path / "late_claims.py").write_text("def double(context, files): return context, files\n")
    monkeypatch.syspath_prepend(tmp_path)
    check = lazily("late_claims:double")
    assert "late_claims" not in sys.modules
    assert check("context", {}) == ("context", {})
    del sys.modules["late_claims"]


@pytest.mark.parametrize("place", ["late_claims", ":double", "late_claims:", ""])
def test_a_place_without_module_or_function_is_refused_where_it_is_written(place):
    with pytest.raises(ValueError, match="module:function"):
        lazily(place)
