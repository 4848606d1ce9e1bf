"""Broken plugins, all of them at once: each is named with what it did, and stops nothing else."""

from __future__ import annotations

import re
from importlib.util import find_spec

import pytest

from ofa_plugins_core.hookspecs import HOOKS

mixes = pytest.mark.skipif(find_spec("moofa") is None, reason="moofa is not installed")

BLAME = {
    "broken_import": (
        "failed",
        "plugin 'broken_import' 1.2: import raised RuntimeError: the stars are not right",
    ),
    "broken_dependency": (
        "failed",
        "plugin 'broken_dependency' 1.2: import raised ModuleNotFoundError: No module named "
        "'frobnicate'; install what is missing: pip install \"PLACE[frob]\"",
    ),
    "broken_spelling": (
        "failed",
        "plugin 'broken_spelling' 1.2: unknown hook 'ofa_cost_modles'; "
        "nearest known: ofa_cost_models, ofa_samplers, ofa_supernet_families",
    ),
    "broken_api": (
        "incompatible",
        "plugin 'broken_api' 1.2: states OFA_API = 99, this core speaks 1; "
        "install matching versions",
    ),
    "twin_one": (
        "conflict",
        "the cost 'twin' is offered by plugin 'twin_one' 1.2 and plugin 'twin_two' 1.2: "
        "neither offer is taken",
    ),
    "same_name": (
        "conflict",
        "several plugins are named 'same_name', of ofa-broken-name-first 1.2 and "
        "ofa-broken-name-second 1.2: none is taken; uninstall or block one of these distributions",
    ),
    "broken_build": ("loaded", None),
    "outside": ("loaded", None),
    "builtin": ("loaded", None),
}


@pytest.fixture(scope="module")
def states(broken):
    return broken.states()


@pytest.mark.parametrize("name", BLAME)
def test_each_is_listed_with_its_state_and_blame(states, name):
    found = re.sub(r'install "[^"\[]+\[', 'install "PLACE[', states[name]["error"] or "")
    assert (states[name]["state"], found or None) == BLAME[name]


def test_a_missing_dependency_is_advised_from_where_the_plugin_came(states):
    advice = states["broken_dependency"]["error"].rpartition("pip install ")[2]
    assert advice.endswith(('ofa-broken-dependency[frob]"', 'missing_dependency[frob]"'))


@pytest.mark.parametrize("hook", HOOKS)
def test_a_plugin_that_raises_in_a_hook_is_blamed(states, hook):
    kind = hook.removeprefix("ofa_")
    plugin = states[f"raises_in_{kind}"]
    assert plugin["state"] == "failed"
    assert plugin["error"] == (
        f"plugin 'raises_in_{kind}' 1.2: {hook}() raised ValueError: no luck in {kind}"
    )
    assert not any(plugin["offers"].values())


def test_both_plugins_of_one_name_are_listed(broken):
    twins = [p for p in broken.json("plugins", "list") if p["name"] == "same_name"]
    assert [p["state"] for p in twins] == ["conflict", "conflict"]


def test_the_table_for_people_says_why(broken):
    shown = broken("plugins", "list").stdout
    assert "the stars are not right" in shown
    assert "incompatible" in shown


def test_what_is_not_contested_stays(states):
    assert states["twin_one"]["offers"]["cost_models"] == ["only_one"]
    assert states["twin_two"]["offers"]["cost_models"] == ["only_two"]


def test_checking_a_failed_plugin_says_what_it_did(broken):
    done = broken("plugins", "check", "broken_import", code=4)
    assert "the stars are not right" in done.stderr


def test_checking_finds_what_is_broken_later(broken):
    found = broken.json("plugins", "check", "broken_build", code=4)
    assert not found["passed"]
    broken_offers = {f["name"] for f in found["findings"] if f["outcome"] == "broken"}
    assert {"unbuildable", "moody"} <= broken_offers


def test_a_blocked_one_is_not_imported(broken):
    plugin = broken.states("--block", "broken_import")["broken_import"]
    assert (plugin["state"], plugin["error"]) == ("blocked", "blocked on request")


def test_blocking_one_of_two_names_the_other_one_free(broken):
    states = broken.states("--block", "twin_two")
    assert states["twin_one"]["state"] == "loaded"
    assert states["twin_one"]["offers"]["cost_models"] == ["twin", "only_one"]


@mixes
class TestCommandsBesideThem:
    def cost(self, broken, archs, name, *before, code=0):
        words = ("run", "cost", "--supernet", "moofa_v3", "--cost", name, "--archs", archs)
        return broken(*before, *words, "--json", code=code)

    def test_what_needs_none_of_them_works(self, broken, archs):
        assert self.cost(broken, archs, "peak_memory").stdout.count("peak_memory") == 2

    def test_who_asks_for_the_contested_name_is_stopped(self, broken, archs):
        done = self.cost(broken, archs, "twin", code=4)
        assert "'twin' is offered by plugin 'twin_one' 1.2 and plugin 'twin_two' 1.2" in done.stderr
        assert "--block twin_one or --block twin_two" in done.stderr

    def test_blocking_one_of_the_two_goes_on(self, broken, archs):
        done = self.cost(broken, archs, "twin", "--block", "twin_one")
        assert done.stdout.count("twin") == 2

    def test_who_asks_for_what_a_failed_one_would_offer_is_stopped(self, broken, archs):
        done = self.cost(broken, archs, "lost_cost", code=4)
        assert "plugin 'raises_in_cost_models' 1.2: ofa_cost_models() raised" in done.stderr

    def test_a_build_that_raises_is_blamed(self, broken, archs):
        done = self.cost(broken, archs, "unbuildable", code=4)
        assert "plugin 'broken_build' 1.2: cost 'unbuildable' raised KeyError" in done.stderr

    def test_what_raises_when_it_is_used_is_blamed(self, broken, archs):
        done = self.cost(broken, archs, "moody", code=4)
        assert "plugin 'broken_build' 1.2" in done.stderr
        assert "ZeroDivisionError: not today" in done.stderr


def test_a_job_that_raises_is_blamed(broken):
    done = broken("run", "stumble", code=4)
    assert "plugin 'broken_build' 1.2: job 'stumble' raised IndexError" in done.stderr
