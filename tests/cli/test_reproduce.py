"""``ofa reproduce``: verdicts for people and for programs."""

from __future__ import annotations

import json

import pytest

PAPER = """
from ofa_plugins_core import Checked, ClaimEntry, Comparison, InputError, Material, hookimpl

TABLE = Material("table", "lut/table", "a table", "https://example.org/table")

def counted(context, files):
    space = context.host.supernet("toy").space
    return Checked([Comparison("networks", space.count(), 243)], "By counting.")

def broken(context, files):
    raise InputError("table: no JSON", advice="copy it anew")

@hookimpl
def ofa_claims():
    yield ClaimEntry("paper_networks", "it holds 243", "Paper", "Table 1", counted)
    yield ClaimEntry("paper_table", "it has rows", "Paper", "Table 2", broken, (TABLE,))
"""


@pytest.fixture
def paper(host_with):
    """A host with a plugin that offers two claims, one of which needs a file."""
    return host_with(PAPER)


def test_a_program_gets_verdicts_and_figures(ofa, paper):
    found = ofa("reproduce", "paper", "--json", host=paper)
    assert found.code == 0
    assert found.json["verdicts"] == {
        "reproduced": 0,
        "consistent": 0,
        "differs": 1,
        "needs": 1,
        "failed": 0,
    }
    first, second = found.json["claims"]
    assert (first["verdict"], first["rows"][0]["published"]) == ("differs", 243)
    assert second["reason"] == "needs table: a table; https://example.org/table"


def test_people_get_a_table_a_claim_and_all_verdicts_at_the_end(ofa, paper, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    found = ofa("reproduce", host=paper)
    assert found.out == ""
    lines = [line.rstrip() for line in found.err.splitlines()]
    assert lines[:3] == ["paper_networks: differs", "it holds 243", "Table 1"]
    assert max(map(len, lines)) <= 100
    assert "2 claims: 1 differs, 1 needs" in lines
    *words, seconds = lines[-2].split()
    assert words == ["paper_networks", "Paper", "differs"]
    assert float(seconds) >= 0
    assert lines[-1].split() == ["paper_table", "Paper", "needs"]


def test_a_file_that_is_broken_is_told_with_its_exit_code_and_the_rest_is_shown(
    ofa, paper, tmp_path
):
    (tmp_path / "copy").write_text("x")
    found = ofa("reproduce", "--given", f"table={tmp_path / 'copy'}", host=paper)
    assert found.code == 5
    assert "table: no JSON; copy it anew" in found.err
    assert "paper_networks: differs" in found.err
    assert "Traceback" not in found.err


def test_shown_is_what_each_claim_needs(ofa, paper):
    found = ofa("reproduce", "--show", "--json", host=paper)
    assert [len(claim["needs"]) for claim in found.lines] == [0, 1]
    shown = ofa("reproduce", "--show", host=paper).err
    assert "FOLDER/lut/table" in shown
    assert "--given table=PATH" in shown


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nothing",), 2, "unknown claim or work 'nothing'"),
        (("--material", "nowhere"), 5, "nowhere is no folder"),
        (("--given", "table"), 2, "write --given NAME=PATH"),
        (("--given", "tabel=x"), 2, "unknown published file 'tabel'"),
    ],
)
def test_what_the_user_got_wrong_is_one_clear_line(ofa, paper, words, code, said):
    found = ofa("reproduce", *words, host=paper)
    assert (found.code, found.out) == (code, "")
    assert said in found.err
    assert "Traceback" not in found.err


def test_its_run_is_kept_and_can_be_gone_on_with(ofa, paper, tmp_path):
    out = tmp_path / "run"
    assert ofa("reproduce", "--out", str(out), host=paper).code == 0
    kept = json.loads((out / "result.json").read_text())
    assert [next(iter(t["columns"]), None) for t in kept["tables"]] == ["claim", "figure", None]
    assert ofa("reproduce", "--out", str(out), host=paper).code == 2
    (tmp_path / "copy").write_text("x")
    again = ("--resume", "--given", f"table={tmp_path / 'copy'}")
    assert ofa("reproduce", "--out", str(out), *again, host=paper).code == 5


def test_it_is_the_job_of_that_name(ofa, paper):
    short, long = (
        ofa(*words, "paper_networks", "--json", host=paper).json["claims"][0]
        for words in (("reproduce",), ("run", "reproduce", "--claims"))
    )
    assert {**short, "seconds": 0} == {**long, "seconds": 0}


@pytest.mark.parametrize(("style", "due"), [("xterm-256color", True), ("dumb", False)])
def test_verdicts_are_coloured_where_the_terminal_can(monkeypatch, capsys, style, due):
    from ofa_plugins_core.cli import output

    monkeypatch.setenv("TERM", style)
    monkeypatch.setenv("FORCE_COLOR" if due else "NO_COLOR", "1")
    styles = {"differs": "yellow"}
    output.write_tables([("a: differs\nit differs so", ("",), [("differs",)])], styles=styles)
    assert capsys.readouterr().err.count("\x1b[33mdiffers") == 2 * due
