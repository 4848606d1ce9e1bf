"""The suite for a whole plugin: an offer is made once; a misspelt plugin fails that suite alone."""

from __future__ import annotations

import sys

import pytest

pytest_plugins = ["pytester"]

SUITE = """
from ofa_plugins_core.testing import PluginSuite


class TestPlugin(PluginSuite):
    plugin = "{name}"


def test_beside_it():
    pass
"""
COUNTED = """
from ofa_plugins_core import CostModelEntry, hookimpl
from ofa_plugins_core.testing import toy_cost

OFA_API = 1
MADE = []


def build(supernet, options):
    MADE.append(1)
    assert len(MADE) == 1, "made again"
    return toy_cost("params", supernet)


@hookimpl
def ofa_cost_models():
    yield CostModelEntry("counted", "a toy", "count", build)
"""


def ran(pytester, name):
    pytester.makepyfile(SUITE.format(name=name))
    return pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider")


def test_a_misspelt_plugin_fails_and_stops_nothing_else(pytester):
    done = ran(pytester, "bultin")
    done.assert_outcomes(failed=1, passed=1, skipped=1)
    done.stdout.fnmatch_lines(["*unknown plugin 'bultin'; nearest known: builtin*"])


def test_an_offer_is_made_once_for_all_its_laws(pytester, tmp_path, monkeypatch):
    from ofa_plugins_core.testing import installed

    monkeypatch.setenv("PYTHONPATH", str(installed(tmp_path / "site", "counted", COUNTED)))
    outcomes = ran(pytester, "counted").parseoutcomes()
    assert "failed" not in outcomes
    assert outcomes["passed"] > 15


@pytest.mark.parametrize("missing", ["hypothesis", "pytest"])
def test_a_suite_without_what_it_needs_says_how_to_get_it(monkeypatch, missing):
    from ofa_plugins_core import testing

    for room in ("suites", "whole"):
        monkeypatch.delitem(sys.modules, f"ofa_plugins_core.testing.{room}", raising=False)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"needs the extra \[testing\]: pip install"):
        testing.CostModelSuite  # noqa: B018
