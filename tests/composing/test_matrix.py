"""What cells say together: contradictions, grids, reasons, pages."""

from __future__ import annotations

import json

from attrs import evolve

from ofa_plugins_core.composing.axes import Axes
from ofa_plugins_core.composing.cells import Answer, Cell
from ofa_plugins_core.composing.folding import (
    BROKEN,
    PARTLY,
    PROVEN,
    REFUSED,
    WORKS,
    folded,
    needed,
)
from ofa_plugins_core.composing.matrix import Pair, contradicted, matrix_of
from ofa_plugins_core.composing.page import markdown, summary, tables

AXES = Axes(
    supernets=("big", "large", "tiny"),
    costs=("flops", "params"),
    predictors=("none", "form"),
    searchers=("quick", "sure"),
    policies=("calm",),
)
GOOD = Answer(outcome="works", networks=3, value=70.0)
SURE = Answer(outcome="works", networks=3, value=70.0, optimal=True)


def refusal(reason):
    return Answer(outcome="refused", reason=reason)


def cell(supernet="big", cost="flops", predictor="form", searcher="quick", best=GOOD, **more):
    return Cell(
        supernet=supernet,
        cost=cost,
        predictor=predictor,
        searcher=searcher,
        answers={"front": more.pop("front", best), "best": best},
        policies={"calm": Answer(outcome="works", networks=3)},
        **more,
    )


def cells(change=lambda combination: {}):
    """A cell for each combination."""
    found = {}
    for number, one in enumerate(AXES.combinations()):
        found[number] = cell(one.supernet, one.cost, one.predictor, one.searcher, **change(one))
    return found


class TestContradicted:
    def test_nobody_finds_better_than_the_best(self):
        told, better = (
            cell(searcher="sure", best=SURE),
            cell(best=Answer(outcome="works", value=71.0)),
        )
        sure, quick = contradicted([told, better])
        assert quick.outcome == "works"
        assert sure.outcome == "broken"
        assert sure.reasons["best"] == "called optimal: 70, where another finds 71"

    def test_of_a_cost_less_is_better(self):
        sure, quick = (
            Answer(outcome="works", value=5.0, optimal=True),
            Answer(outcome="works", value=4.0),
        )
        made = [
            Cell(supernet="s", cost="c", predictor="none", searcher=n, answers={"least": a})
            for n, a in (("sure", sure), ("quick", quick))
        ]
        assert [c.outcome for c in contradicted(made)] == ["broken", "works"]
        assert [c.outcome for c in contradicted(made[:1])] == ["works"]

    def test_the_last_digits_do_not_count(self):
        near = cell(best=Answer(outcome="works", value=70.0 + 1e-9))
        assert contradicted([cell(searcher="sure", best=SURE), near])[0].outcome == "works"

    def test_other_questions_are_other_questions(self):
        other = cell("tiny", best=Answer(outcome="works", value=80.0))
        assert contradicted([cell(searcher="sure", best=SURE), other])[0].outcome == "works"


class TestFolded:
    def test_what_is_equal_is_told_once(self):
        (grid,) = folded(matrix_of(AXES, cells())).grids
        assert grid.supernets == ("big", "large", "tiny")
        (row,) = grid.rows
        assert (row.costs, row.predictors) == (("flops", "params"), ("none", "form"))
        assert [m.sign for m in row.marks] == [WORKS, WORKS, WORKS]

    def test_a_supernet_that_differs_has_a_grid_of_its_own(self):
        def change(one):
            return {"best": SURE} if (one.supernet, one.searcher) == ("tiny", "sure") else {}

        first, second = folded(matrix_of(AXES, cells(change))).grids
        assert (first.supernets, second.supernets) == (("big", "large"), ("tiny",))
        assert second.rows[0].marks[1].sign == PROVEN

    def test_sentences_that_differ_in_names_and_numbers_are_one_reason(self):
        sizes = {"big": "87,034,621", "large": "65,275,966"}

        def change(one):
            if one.supernet == "tiny" or one.searcher == "quick":
                return {}
            return {"best": refusal(f"{one.supernet}: {sizes[one.supernet]} networks are too many")}

        told = folded(matrix_of(AXES, cells(change)))
        assert [g.supernets for g in told.grids] == [("big", "large"), ("tiny",)]
        assert str(told.grids[0].rows[0].marks[1]) == f"{REFUSED} 1"
        (reason,) = told.reasons
        assert reason.varies
        assert len(reason.seen) == 2 * 2 * 2
        assert reason.text == "big: 87,034,621 networks are too many"
        assert reason.instead == ("quick",)

    def test_one_question_of_two_is_partly(self):
        changed = cells(
            lambda one: {"front": refusal("no fronts")} if one.searcher == "quick" else {}
        )
        told = folded(matrix_of(AXES, changed))
        assert str(told.grids[0].rows[0].marks[0]) == f"{PARTLY} 1"
        assert told.reasons[0].instead == ("sure",)

    def test_a_policy_that_fails_on_one_network_is_told_of_the_row(self):
        made = cells()
        wrong = {"calm": Answer(outcome="broken", reason="level 9 of 3")}
        made[0] = evolve(made[0], policies=wrong)
        told = folded(matrix_of(AXES, made))
        assert told.grids[0].rows[0].marks[-1].sign == BROKEN

    def test_many_costs_that_never_differ_share_a_letter(self):
        names = ("a", "b", "c", "odd")
        axes = evolve(AXES, supernets=("big",), costs=names, predictors=("form",))
        made = {
            n: cell("big", one.cost, "form", one.searcher, SURE if one.cost == "odd" else GOOD)
            for n, one in enumerate(axes.combinations())
        }
        told = folded(matrix_of(axes, made))
        assert told.groups == {"A": ("a", "b", "c")}
        assert [told.named(row.costs) for row in told.grids[0].rows] == ["A", "odd"]
        assert told.named(("a", "odd")) == "a, odd"

    def test_rows_that_are_refused_come_last(self):
        made = cells(lambda one: {"best": refusal("no")} if one.cost == "flops" else {})
        rows = folded(matrix_of(AXES, made)).grids[0].rows
        assert [row.costs for row in rows] == [("params",), ("flops",)]

    def test_what_was_not_reached_is_not_tried(self):
        one = {0: cells()[0]}
        (grid,) = folded(matrix_of(AXES, one, interrupted=True)).grids
        assert [str(m) for m in grid.rows[0].marks] == [WORKS, "·", WORKS]


class TestNeeded:
    def test_what_came_to_no_question_says_nothing_of_what_ships(self):
        ours = cell("big", needs={"predictor": "no fit"})
        theirs = cell("tiny")
        stuck = evolve(cell("big", cost="energy"), answers={"given": refusal("no board")})
        told = needed([ours, theirs, stuck], "predictor")
        assert told == {"form": {"big": "no fit", "tiny": ""}}


class TestMatrix:
    def test_json_has_every_cell_with_its_outcome(self):
        changed = cells(lambda one: {"best": refusal("no")} if one.searcher == "sure" else {})
        changed[0] = cell(*vars_of(0), needs={"cost": "a table"})
        told = json.loads(json.dumps(matrix_of(AXES, changed).as_json()))
        assert told["counts"] == {"works": 12, "refused": 12, "broken": 0, "works_given": 1}
        assert told["cells"][1]["outcome"] == "refused"
        assert told["cells"][0]["needs"] == {"cost": "a table"}
        assert told["axes"]["searchers"] == ["quick", "sure"]

    def test_the_summary_counts(self):
        assert summary(matrix_of(AXES, cells())) == (
            "24 combinations tried: 24 work, 0 are refused, 0 are broken"
        )
        part = summary(matrix_of(AXES, {0: cells()[0]}))
        assert part.startswith("1 combination of 24 tried: 1 work")

    def test_the_page_has_grids_reasons_and_what_is_broken(self):
        def change(one):
            if one.searcher == "sure":
                return {"best": refusal("not a sum | of tables"), "front": GOOD}
            return {"best": Answer(outcome="broken", reason="oh")} if one.supernet == "tiny" else {}

        pairs = [Pair(kind="samplers", name="even", supernet="big", answer=refusal("too big"))]
        about = {"command": ["ofa", "plugins", "matrix"]}
        page = markdown(matrix_of(AXES, cells(change), pairs, about))
        assert "### big, large" in page
        assert f"| flops, params | none, form | {WORKS} | {PARTLY} 1 | {WORKS} |" in page
        assert "| 1 | not a sum \\| of tables | 12 |  |" in page
        assert "- 8 places with supernet tiny, searcher quick, for example tiny × flops" in page
        assert "| big | – 1 |" in page
        assert "- `ofa plugins matrix`" in page

    def test_the_terminal_gets_the_same_grids(self):
        titles = [title for title, _, _ in tables(matrix_of(AXES, cells()))]
        assert titles[0] == "big, large, tiny:"


def vars_of(number):
    one = AXES.combinations()[number]
    return one.supernet, one.cost, one.predictor, one.searcher
