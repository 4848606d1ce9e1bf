"""Figures and tables that any job's result brings into its page."""

from __future__ import annotations

import json

import pytest

from ofa_plugins_core.report.embedded import Drawable
from ofa_plugins_core.report.listed import (
    Listed,
    figures_of,
    overview_first,
    plain_facts,
    tables_of,
    verdicts_of,
)
from ofa_plugins_core.report.page import Chapter, page
from ofa_plugins_core.report.results import read_run
from ofa_plugins_core.report.summary import summary

TABLE = {"title": "what it does", "columns": ["block", "mean\nms"], "rows": [["k<7", "1.5"]]}


@pytest.fixture
def run_of(tmp_path):
    """A run's folder with a result and one picture."""

    def made(result):
        (tmp_path / "plots").mkdir(exist_ok=True)
        (tmp_path / "plots" / "heat.svg").write_text("<?xml?><svg>drawn</svg>")
        (tmp_path / "config.yaml").write_text("job: profile\n")
        (tmp_path / "run.json").write_text("{}")
        (tmp_path / "result.json").write_text(json.dumps(result))
        return read_run(tmp_path)

    return made


def test_a_result_brings_its_figures_and_tables_into_the_page(run_of) -> None:
    figure = {"file": "plots/heat.svg", "caption": "what a block costs"}
    run = run_of({"rule": "strict", "rows": [{"a": 1}], "figures": [figure], "tables": [TABLE]})
    text = page([Chapter(Drawable(run, ()))])

    assert "drawn" in text and "what a block costs" in text
    assert "what it does" in text and "k&lt;7" in text and "<small>ms</small>" in text
    assert "strict" in text and '"a"' not in text


def test_the_terminal_shows_the_same_tables(run_of) -> None:
    _, found = summary(run_of({"tables": [TABLE]}))

    assert found == ("what it does", ("block", "mean\nms"), (("k<7", "1.5"),))


@pytest.mark.parametrize(
    "file",
    ["../heat.svg", "/etc/heat.svg", "plots/../../heat.svg", "plots/gone.svg", "config.yaml", 3],
)
def test_nothing_but_a_picture_of_the_folder_is_shown(run_of, file) -> None:
    assert figures_of(run_of({"figures": [{"file": file}]})) == []


def test_a_link_out_of_the_folder_is_not_followed(run_of, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "heat.svg"
    outside.write_text("<svg/>")
    run = run_of({"figures": [{"file": "plots/link.svg"}]})
    (run.folder / "plots" / "link.svg").symlink_to(outside)

    assert figures_of(run) == []


@pytest.mark.parametrize("tables", [None, 3, [3], [{"columns": ["a"]}], [{"rows": []}]])
def test_what_is_no_table_is_left_out(tables) -> None:
    assert tables_of({"tables": tables}) == []


def test_a_row_of_another_width_is_left_out() -> None:
    (found,) = tables_of({"tables": [{"title": "", "columns": ["a"], "rows": [["1"], ["1", "2"]]}]})

    assert found.rows == (("1",),)


CLAIMS = {
    "verdicts": {"holds": 1, "differs": 2, "needs": 0},
    "tables": [
        {"title": "speed: differs\nIt is <fast>.\nA paper, §3", "columns": ["a"], "rows": [["1"]]},
        {"title": "the clock was slow\n\nand late", "columns": [], "rows": []},
        {"title": "size: needs\nIt is small.", "columns": [], "rows": []},
        {"title": "3 claims", "columns": ["claim", "verdict"], "rows": [["speed", "differs"]] * 30},
    ],
}


def test_a_table_without_columns_is_text() -> None:
    _, text, *_ = tables_of(CLAIMS)

    assert (text.title, text.columns, text.rows) == ("the clock was slow\n\nand late", (), ())


def test_verdicts_are_counted_at_the_top_and_every_reason_is_on_the_page(run_of) -> None:
    text = page([Chapter(Drawable(run_of(CLAIMS), ()))])
    order = [
        "<dt>differs</dt>\n<dd>2</dd>",
        "3 claims</caption>",
        '<h3 class="claim">speed: \n<strong class="verdict">differs</strong></h3>',
        "<p>It is &lt;fast&gt;.</p>",
        "<p>A paper, §3</p>",
        "<p>the clock was slow</p>",
        "<p>and late</p>",
        '<strong class="verdict">needs</strong></h3>',
        "<p>It is small.</p>",
    ]
    places = [text.index(part) for part in order]

    assert places == sorted(places)
    assert "<p></p>" not in text


def test_the_terminal_has_all_verdicts_and_leaves_the_rest_to_the_page(run_of) -> None:
    _, (title, _, rows) = summary(run_of(CLAIMS))

    assert (title, len(rows)) == ("3 claims", 30)


def test_the_verdict_stands_beside_the_name_where_a_narrow_window_shows_it() -> None:
    table = Listed("3 claims", ("claim", "work", "verdict"), (("speed", "A", "differs"),))

    (found,) = overview_first([table])

    assert found.columns == ("claim", "verdict", "work")
    assert found.rows == (("speed", "differs", "A"),)


@pytest.mark.parametrize("verdicts", [None, 3, [], {"holds": "many"}, {"holds": True}])
def test_what_counts_no_verdicts_is_no_count(verdicts) -> None:
    assert verdicts_of({"verdicts": verdicts}) == {}


def test_a_title_of_several_lines_is_a_caption_and_text(run_of) -> None:
    table = {**TABLE, "title": "what it does\nmeasured twice"}
    text = page([Chapter(Drawable(run_of({"tables": [table]}), ()))])

    assert "<caption>what it does</caption>" in text
    assert "<p>measured twice</p>" in text


def test_words_stand_to_the_left_and_figures_to_the_right(run_of) -> None:
    rows = [["a", "≥ 1.5", "–"], ["b", "-3", "slow"], ["so long " * 6, "", ""]]
    result = {"tables": [{"title": "t", "columns": ["x", "y", "z"], "rows": rows}]}
    text = page([Chapter(Drawable(run_of(result), ()))])

    assert "<td>≥ 1.5</td>" in text
    assert '<td class="words">slow</td>' in text
    assert '<td class="words long">b</td>' in text


def test_names_and_values_are_said_records_are_not() -> None:
    assert plain_facts({"a": 1, "b": [1, 2], "c": {"d": 1}, "e": [{"f": 1}]}) == {
        "a": 1,
        "b": [1, 2],
    }
