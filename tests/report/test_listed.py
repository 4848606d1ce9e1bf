"""Figures and tables that any job's result brings into its page."""

from __future__ import annotations

import json

import pytest

from ofa_plugins_core.report.embedded import Drawable
from ofa_plugins_core.report.listed import figures_of, plain_facts, tables_of
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


def test_names_and_values_are_said_records_are_not() -> None:
    assert plain_facts({"a": 1, "b": [1, 2], "c": {"d": 1}, "e": [{"f": 1}]}) == {
        "a": 1,
        "b": [1, 2],
    }
