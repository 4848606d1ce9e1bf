"""What is broken is told by its cause, not place by place."""

from __future__ import annotations

import pytest
from attrs import evolve

from ofa_plugins_core.composing.axes import Axes
from ofa_plugins_core.composing.cells import Answer, Cell
from ofa_plugins_core.composing.faults import MOST, faults, kind_of, told
from ofa_plugins_core.composing.folding import folded
from ofa_plugins_core.composing.matrix import Pair, matrix_of
from ofa_plugins_core.composing.page import markdown, tables

AXES = Axes(
    supernets=("big", "tiny", "tiny+cpu"),
    costs=("flops", "params", "noisy"),
    predictors=("none", "form"),
    searchers=("auto", "quick", "sure", "wild", "wrong"),
    policies=("calm",),
)
GOOD = Answer(outcome="works", networks=3)


@pytest.fixture
def matrix_with():
    """(function of a number and a combination -> sentence or None, pairs) -> a matrix."""

    def make(fault, pairs=()):
        found = {}
        for number, one in enumerate(AXES.combinations()):
            text = fault(number, one)
            answer = Answer(outcome="broken", reason=text) if text else GOOD
            found[number] = Cell(
                supernet=one.supernet,
                cost=one.cost,
                predictor=one.predictor,
                searcher=one.searcher,
                answers={"best": answer},
                policies={"calm": GOOD},
            )
        return matrix_of(AXES, found, pairs)

    return make


def noisy(number, one):
    """A cost that is another one alone, and two searchers that leave the space."""
    if one.cost == "noisy":
        return f"a network's {one.cost} is 1{number}.25e+07 among others and {number} alone"
    if one.searcher in ("wild", "wrong"):
        return f"{number} networks outside the space {one.supernet}"
    return None


def test_a_cost_and_two_searchers_are_three_faults(matrix_with):
    found = faults(matrix_with(noisy))
    assert [(f.common, f.count) for f in found] == [
        ("cost noisy", 30),
        ("searcher wild", 12),
        ("searcher wrong", 12),
    ]
    assert found[1].example == "big × flops × none × wild, best"
    assert found[1].text == "3 networks outside the space big"


def test_they_are_few_lines_everywhere(matrix_with):
    matrix = matrix_with(noisy)
    title, _, rows = tables(matrix)[-1]
    assert (title, len(rows)) == ("broken:", 3)
    assert rows[0][0].startswith("30 places with cost noisy, for example big × noisy × ")
    assert len(folded(matrix).reasons) == 2
    assert markdown(matrix).partition("## Broken")[2].partition("##")[0].count("\n- ") == 3


def test_all_that_they_share_is_told(matrix_with):
    def one_pair(number, one):
        return "oh" if (one.supernet, one.cost) == ("tiny", "flops") else None

    (found,) = faults(matrix_with(one_pair))
    assert found.common == "supernet tiny, cost flops"


def test_what_is_broken_everywhere_shares_nothing(matrix_with):
    (found,) = faults(matrix_with(lambda number, one: f"failed after {number} steps"))
    assert (found.common, found.count) == ("", 90)
    assert found.where == "90 places, for example big × flops × none × auto, best"


def test_one_place_is_named_alone(matrix_with):
    (found,) = faults(matrix_with(lambda number, one: "oh" if number == 4 else None))
    assert found.where == "big × flops × none × wrong, best"


def test_policies_and_pairs_are_broken_too(matrix_with):
    matrix = matrix_with(
        lambda number, one: None,
        [
            Pair(
                kind="samplers",
                name=name,
                supernet=supernet,
                answer=Answer(outcome="broken", reason="oh") if name == "even" else GOOD,
            )
            for name in ("even", "odd")
            for supernet in AXES.supernets
        ],
    )
    bad = {"calm": Answer(outcome="broken", reason="level 9 of 3")}
    matrix = evolve(matrix, cells=[evolve(cell, policies=bad) for cell in matrix.cells])
    policy, sampler = faults(matrix)
    assert (policy.count, policy.text) == (90, "level 9 of 3")
    assert (sampler.common, sampler.count) == ("samplers even", 3)


def test_more_than_a_few_are_counted(matrix_with):
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven"]
    lines = told(faults(matrix_with(lambda n, one: words[n] if n < len(words) else None)))
    assert len(lines) == MOST + 1
    assert lines[-1] == ("3 more faults", "--json, and matrix.json in --out, have every place")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("optimal: 1.25e+07, where another finds 3", "optimal: -7, where another finds nan"),
        ("a of a+cpu has (3, 12)", "a of a has (144, 1,728)"),
    ],
)
def test_numbers_and_names_make_no_kind(one, other):
    assert kind_of(one, ["a+cpu"]) == kind_of(other, ["a+cpu"])


def test_a_name_inside_a_word_is_none():
    assert kind_of("flatten", ["flat"]) == "flatten"
    assert kind_of("3 of kernel_3x3", []) == "# of kernel_3x3"
