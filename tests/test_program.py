"""The script's own entry point, and what it is told to install."""

from __future__ import annotations

import json
from importlib import metadata

import pytest

from ofa_plugins_core import program
from ofa_plugins_core.cli import main
from ofa_plugins_core.errors import MissingExtraError, installable


def test_an_interruption_at_the_start_is_one_line_and_130(monkeypatch, capsys):
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "run", interrupted)
    assert program.main() == 130
    assert capsys.readouterr().err == "ofa: interrupted\n"


@pytest.mark.parametrize("editable", [True, False])
def test_what_was_installed_from_a_folder_is_installed_from_it_again(
    monkeypatch, tmp_path, editable
):
    folder = tmp_path / "a b"
    folder.mkdir()

    class Here:
        def read_text(self, name):
            return json.dumps({"url": folder.as_uri(), "dir_info": {"editable": editable}})

    monkeypatch.setattr(metadata, "distribution", lambda name: Here())
    assert installable("x", "plot") == f'{"-e " if editable else ""}"{folder}[plot]"'
    folder.rmdir()
    assert installable("x", "plot") == '"x[plot]"'


@pytest.mark.parametrize("content", [None, "", "[]", "{", '{"url": "https://x/y.whl"}'])
def test_anything_else_is_installed_by_name(monkeypatch, content):
    class There:
        def read_text(self, name):
            return content

    monkeypatch.setattr(metadata, "distribution", lambda name: There())
    assert MissingExtraError("it", "x", "plot").advice == 'install it with: pip install "x[plot]"'
