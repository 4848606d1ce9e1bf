"""``ofa plugins matrix`` on the command line."""

from __future__ import annotations

import json

NARROW = ("--supernet", "toy", "--cost", "params", "--searcher", "random")


def test_grids_and_a_summary_on_stderr(ofa):
    done = ofa("plugins", "matrix", *NARROW)
    assert done.code == 0
    assert done.out == ""
    assert "2 combinations tried: 2 work, 0 are refused, 0 are broken" in done.err
    assert "params  none" in done.err


def test_json_alone_on_stdout(ofa):
    done = ofa("plugins", "matrix", *NARROW, "--json")
    assert done.json["counts"]["works"] == 2
    assert done.json["about"]["command"][:3] == ["ofa", "plugins", "matrix"]


def test_out_keeps_it_and_is_not_overwritten(ofa, tmp_path):
    assert ofa("plugins", "matrix", *NARROW, "--out", "kept").code == 0
    kept = json.loads((tmp_path / "kept" / "matrix.json").read_text())
    assert len(kept["cells"]) == 2
    again = ofa("plugins", "matrix", *NARROW, "--out", "kept")
    assert (again.code, "--resume" in again.err) == (2, True)
    assert ofa("plugins", "matrix", *NARROW, "--out", "kept", "--resume").code == 0


def test_the_page_is_written(ofa, tmp_path):
    ofa("plugins", "matrix", *NARROW, "--markdown", "page.md")
    assert "### toy" in (tmp_path / "page.md").read_text()


def test_a_plugin_that_fails_ends_it_with_its_name(ofa, host_with):
    host = host_with(
        "from ofa_plugins_core import CostModelEntry, hookimpl\n"
        "class Bad:\n"
        "    name, unit, kind, source = 'bad', 's', 'computed', None\n"
        "    def evaluate(self, archs): raise ValueError('oh')\n"
        "@hookimpl\n"
        "def ofa_cost_models(): yield CostModelEntry('bad', 'x', 's', lambda s, o: Bad())\n"
    )
    done = ofa("plugins", "matrix", "--supernet", "toy", "--cost", "bad", host=host)
    assert done.code == 4
    assert "ValueError: oh" in done.err
    assert "✗" in done.err


def test_an_unknown_name_and_a_lonely_resume_are_wrong_use(ofa):
    assert ofa("plugins", "matrix", "--supernet", "nope").code == 2
    assert ofa("plugins", "matrix", "--resume").code == 2
