"""The host: every plugin by itself, blame for what it does wrong, names that are asked for."""

from __future__ import annotations

import pickle
import sys

import pytest

from ofa_plugins_core import (
    CostModelEntry,
    Host,
    JobEntry,
    PluginError,
    SupernetEntry,
)
from ofa_plugins_core.errors import MissingExtraError, UnknownNameError
from ofa_plugins_core.hookspecs import HOOKS, KIND_OF
from ofa_plugins_core.testing import in_process, toy_cost, toy_supernet

HEADER = "from ofa_plugins_core import *\nOFA_API = 1\n"
TINY = f"""
from attrs import frozen
from ofa_plugins_core.testing import toy_supernet
{HEADER}
@frozen
class Options:
    size: int = 32

@hookimpl
def ofa_supernets():
    yield SupernetEntry(
        "tiny", "small", lambda o=Options(): toy_supernet("tiny", [o.size]), options=Options
    )
"""


def cost(name="effort", build=lambda supernet, options: toy_cost("params", supernet), **more):
    return CostModelEntry(name, "a cost", "units", build, **more)


def host_with(**plugins):
    return Host.discover(extra=plugins)


def offering(**hooks):
    return in_process("outside", **hooks)


def state_of(name, host=None):
    plugin = (host or Host.discover()).plugin(name)
    return plugin.state, plugin.error


class TestStates:
    def test_a_sound_plugin_is_loaded_and_lists_its_offers(self):
        plugin = host_with(x=offering(ofa_cost_models=[cost()])).plugin("x")
        assert (plugin.state, plugin.error) == ("loaded", None)
        assert plugin.offers == {"cost_models": ["effort"]}

    def test_installed_plugins_are_found_with_distribution_and_version(self, ofa_install):
        ofa_install("sound", HEADER, version="1.2")
        plugin = Host.discover().plugin("sound")
        assert (plugin.distribution, plugin.version) == ("ofa-plugins-sound", "1.2")
        assert plugin.state == "loaded"

    def test_a_blocked_plugin_is_not_even_imported(self, ofa_install):
        ofa_install("noisy", "raise RuntimeError('imported')")
        assert state_of("noisy", Host.discover(block=["noisy"]))[0] == "blocked"
        assert "noisy" not in sys.modules

    def test_a_distribution_can_be_blocked_as_a_whole(self, ofa_install):
        ofa_install("noisy", "raise RuntimeError('imported')")
        assert state_of("noisy", Host.discover(block=["ofa-plugins-noisy"]))[0] == "blocked"

    def test_in_another_process_it_is_found_anew_as_it_was_made(self, ofa_install):
        ofa_install("noisy", "raise RuntimeError('imported')")
        ofa_install("sound", TINY)
        host = Host.discover(block=["noisy"]).configured({"tiny": {"size": 48}})
        again = pickle.loads(pickle.dumps(host))
        assert [p.state for p in again.plugins] == [p.state for p in host.plugins]
        assert again.plugin("noisy").state == "blocked"
        assert again.supernet("tiny").resolutions == (48,)
        with pytest.raises(TypeError, match="not installed"):
            pickle.dumps(host_with(x=offering(ofa_cost_models=[cost()])))

    def test_blocking_an_unknown_name_names_the_nearest(self, ofa_install):
        ofa_install("sound", HEADER)
        with pytest.raises(UnknownNameError, match=r"unknown plugin 'sounds'.*sound") as caught:
            Host.discover(block=["sounds"])
        assert caught.value.exit_code == 2

    @pytest.mark.parametrize(
        ("source", "blame"),
        [
            ("raise ValueError('no luck')", "import raised ValueError: no luck"),
            ("import sys; sys.exit(3)", "import raised SystemExit: 3"),
            ("def f(:", "import raised SyntaxError"),
        ],
        ids=["raises", "exits", "is no Python"],
    )
    def test_an_import_that_fails_is_blamed(self, ofa_install, source, blame):
        ofa_install("x", source, version="1.2")
        state, error = state_of("x")
        assert state == "failed"
        assert error.startswith(f"plugin 'x' 1.2: {blame}")

    @pytest.mark.parametrize("stated", ["2", "'1'", None])
    def test_another_api_number_is_incompatible(self, ofa_install, stated):
        ofa_install("x", "" if stated is None else f"OFA_API = {stated}")
        state, error = state_of("x")
        assert state == "incompatible"
        said = "states no OFA_API" if stated is None else f"states OFA_API = {stated}"
        assert error.startswith(f"plugin 'x' 1.0: {said}, this core speaks 1")

    def test_an_entry_point_that_names_no_module_fails(self, ofa_install):
        site = ofa_install("x", HEADER + "class Thing:\n    OFA_API = 1\n")
        points = next(site.glob("*.dist-info")) / "entry_points.txt"
        points.write_text("[ofa.plugins]\nx = x:Thing\n")
        state, error = state_of("x")
        assert state == "failed"
        assert "where a module is due" in error

    def test_a_broken_plugin_takes_nothing_else_down(self, ofa_install):
        ofa_install("broken", "raise ValueError")
        ofa_install("sound", HEADER)
        host = Host.discover(extra={"x": offering(ofa_cost_models=[cost()])})
        assert state_of("sound", host)[0] == "loaded"
        assert host.cost_model("effort").name == "effort"


class TestMissingDependency:
    def test_the_module_is_named_and_how_to_install_it(self, ofa_install):
        ofa_install("x", "import frobnicate.core")
        assert state_of("x")[1] == (
            "plugin 'x' 1.0: import raised ModuleNotFoundError: No module named 'frobnicate'; "
            "install what is missing: pip install frobnicate"
        )

    def test_an_extra_of_the_plugin_that_brings_it_is_named(self, ofa_install):
        ofa_install("x", "import frobnicate", requires=("frobnicate>=2; extra == 'frob'",))
        assert state_of("x")[1].endswith('pip install "ofa-plugins-x[frob]"')

    def test_a_build_that_lacks_an_extra_is_the_users_to_mend(self, ofa_install):
        source = HEADER + (
            "def build(supernet, options):\n    import frobnicate\n"
            "@hookimpl\ndef ofa_cost_models():\n"
            "    yield CostModelEntry('effort', 'a cost', 'J', build)\n"
        )
        ofa_install("x", source, requires=("frobnicate; extra == 'frob'",))
        with pytest.raises(MissingExtraError, match=r"ofa-plugins-x\[frob\]") as caught:
            Host.discover().cost_model("effort").build(toy_supernet())
        assert caught.value.exit_code == 2

    @pytest.mark.parametrize(
        "line", ["import ofa_plugins_core.later", "from ofa_plugins_core.values import Later"]
    )
    def test_what_the_core_has_not_yet_needs_a_newer_core(self, ofa_install, line):
        ofa_install("x", line, requires=("ofa-plugins-core[torch]; extra == 'torch'",))
        error = state_of("x")[1]
        assert error.endswith("needs a newer core: pip install --upgrade ofa-plugins-core")
        assert "[torch]" not in error

    def test_a_module_of_its_own_is_not_to_be_installed(self, ofa_install):
        ofa_install("x", "import x.absent")
        assert "pip install" not in state_of("x")[1]


class TestHooks:
    @pytest.mark.parametrize("hook", HOOKS)
    def test_a_hook_that_raises_is_blamed(self, ofa_install, hook):
        ofa_install("x", f"{HEADER}@hookimpl\ndef {hook}():\n    raise ValueError('no luck')\n")
        assert state_of("x") == ("failed", f"plugin 'x' 1.0: {hook}() raised ValueError: no luck")

    @pytest.mark.parametrize("hook", HOOKS)
    def test_a_generator_that_raises_late_is_blamed(self, ofa_install, hook):
        body = "    for _ in range(0):\n        yield\n    raise ValueError('late')\n"
        ofa_install("x", f"{HEADER}@hookimpl\ndef {hook}():\n{body}")
        assert state_of("x") == ("failed", f"plugin 'x' 1.0: {hook}() raised ValueError: late")

    @pytest.mark.parametrize("hook", HOOKS)
    def test_a_record_of_another_type_is_blamed(self, hook):
        state, error = state_of("x", host_with(x=offering(**{hook: [42]})))
        assert state == "failed"
        assert error == f"plugin 'x' 0: {hook}() yielded 42, where a {HOOKS[hook].__name__} is due"

    def test_a_failed_plugin_offers_nothing_at_all(self):
        host = host_with(x=offering(ofa_cost_models=[cost()], ofa_jobs=[42]))
        assert host.plugin("x").offers == {}
        assert "effort" not in [e.name for e in host.entries("cost_models")]

    def test_a_hook_that_returns_nothing_is_blamed(self, ofa_install):
        ofa_install("x", f"{HEADER}@hookimpl\ndef ofa_jobs():\n    pass\n")
        assert "ofa_jobs() raised TypeError: a hook yields records" in state_of("x")[1]

    def test_a_misspelt_hook_names_the_nearest(self, ofa_install):
        ofa_install("x", f"{HEADER}@hookimpl\ndef ofa_cost_model():\n    yield\n")
        state, error = state_of("x")
        assert state == "failed"
        assert "unknown hook 'ofa_cost_model'; nearest known: ofa_cost_models" in error

    def test_a_hook_without_its_mark_is_found(self, ofa_install):
        ofa_install("x", f"{HEADER}def ofa_cost_models():\n    yield\n")
        assert state_of("x")[1].endswith("ofa_cost_models() is not marked with @hookimpl")

    def test_a_wrong_signature_is_blamed(self, ofa_install):
        ofa_install("x", f"{HEADER}@hookimpl\ndef ofa_jobs(config):\n    yield\n")
        state, error = state_of("x")
        assert state == "failed"
        assert "config" in error
        assert "\n" not in error

    def test_a_wrapper_is_refused(self, ofa_install):
        import_line = "import pluggy\n"
        body = "@pluggy.HookimplMarker('ofa')(wrapper=True)\ndef ofa_jobs():\n    return (yield)\n"
        ofa_install("x", HEADER + import_line + body)
        assert state_of("x")[1].endswith("ofa_jobs() is a wrapper; hooks only yield records")

    def test_one_module_is_one_plugin(self):
        module = offering(ofa_cost_models=[cost()])
        host = host_with(x=module, y=module)
        assert state_of("x", host)[0] == "loaded"
        assert state_of("y", host) == (
            "failed",
            "plugin 'y' 0: its module outside is another plugin's already",
        )

    def test_a_plugin_whose_registration_fails_leaves_the_next_one_alone(self, ofa_install):
        ofa_install("a", f"{HEADER}@hookimpl\ndef ofa_jobs(config):\n    yield\n")
        ofa_install("b", HEADER)
        assert state_of("b")[0] == "loaded"


class TestRecords:
    @pytest.mark.parametrize(
        ("record", "fault"),
        [
            (cost(name=""), "a name is a text"),
            (cost(name="two words"), "a name is a text"),
            (cost(name="a<=b"), "a name is a text"),
            (cost(name=7), "a name is a text"),
            (cost(options=dict), "options must be an attrs class"),
            (cost(build=None), "build must be callable"),
            (CostModelEntry("a", None, "u", print), "summary must be a text"),
        ],
    )
    def test_what_is_wrong_with_a_record_is_said(self, record, fault):
        state, error = state_of("x", host_with(x=offering(ofa_cost_models=[record])))
        assert state == "failed"
        assert error.startswith("plugin 'x' 0: ofa_cost_models() yielded CostModelEntry")
        assert fault in error

    def test_a_job_is_named_as_a_command(self):
        job = JobEntry("Rank Them", "…", run=print)
        assert (
            "a name is a text (small letters"
            in state_of("x", host_with(x=offering(ofa_jobs=[job])))[1]
        )

    def test_aliases_are_a_tuple(self):
        entry = SupernetEntry("net", "…", toy_supernet, aliases="other")
        error = state_of("x", host_with(x=offering(ofa_supernets=[entry])))[1]
        assert "aliases must be a tuple of texts" in error


class TestConflicts:
    def both(self):
        mine, theirs = cost("shared"), cost("shared")
        return {
            "a": offering(ofa_cost_models=[mine, cost("own")]),
            "b": in_process("other", ofa_cost_models=[theirs]),
        }

    def test_both_offers_are_withdrawn_and_both_plugins_named(self):
        host = Host.discover(extra=self.both())
        message = (
            "the cost 'shared' is offered by plugin 'a' 0 and plugin 'b' 0: neither offer is taken"
        )
        assert state_of("a", host) == ("conflict", message)
        assert state_of("b", host) == ("conflict", message)
        assert host.plugin("a").offers == {"cost_models": ["own"]}
        assert "shared" not in [e.name for e in host.entries("cost_models")]

    def test_only_who_asks_for_the_name_is_stopped(self):
        host = Host.discover(extra=self.both())
        assert host.cost_model("own").name == "own"
        with pytest.raises(PluginError, match="'shared' is offered by") as caught:
            host.cost_model("shared")
        assert caught.value.exit_code == 4
        assert caught.value.advice == "leave one of them out: --block a or --block b"

    def test_blocking_one_goes_on(self):
        host = Host.discover(block=["b"], extra=self.both())
        assert state_of("a", host) == ("loaded", None)
        assert host.cost_model("shared").name == "shared"

    def test_a_plugin_that_offers_a_name_twice_conflicts_with_itself(self):
        host = host_with(x=offering(ofa_cost_models=[cost("a"), cost("a")]))
        assert state_of("x", host) == (
            "conflict",
            "the cost 'a' is offered twice by plugin 'x' 0: neither offer is taken",
        )

    def test_one_name_of_two_kinds_is_no_conflict(self):
        job = JobEntry("effort", "…", run=print)
        host = host_with(x=offering(ofa_cost_models=[cost("effort")], ofa_jobs=[job]))
        assert state_of("x", host)[0] == "loaded"

    def test_two_plugins_of_one_name_are_both_left_out(self, ofa_install):
        ofa_install("x", "raise RuntimeError('imported')", distribution="first")
        ofa_install("x", "raise RuntimeError('imported')", distribution="second")
        twins = [p for p in Host.discover().plugins if p.name == "x"]
        assert [p.state for p in twins] == ["conflict", "conflict"]
        assert all("first 1.0 and second 1.0" in p.error for p in twins)

    def test_blocking_one_distribution_of_two_goes_on(self, ofa_install):
        ofa_install("x", HEADER, distribution="first")
        ofa_install("x", HEADER, distribution="second")
        twins = [p for p in Host.discover(block=["first"]).plugins if p.name == "x"]
        assert sorted(p.state for p in twins) == ["blocked", "loaded"]

    def test_an_alias_of_two_supernets_stops_who_asks_for_it(self):
        def entry(name):
            return SupernetEntry(name, "…", toy_supernet, aliases=("both",))

        host = host_with(x=offering(ofa_supernets=[entry("one"), entry("two")]))
        assert host.supernet("one")
        with pytest.raises(PluginError, match="'both' stands for 'one' of plugin 'x' 0 and 'two'"):
            host.supernet("both")

    def test_a_name_comes_before_anothers_alias(self):
        first = SupernetEntry("one", "…", lambda: toy_supernet("right"))
        second = SupernetEntry("two", "…", lambda: toy_supernet("wrong"), aliases=("one",))
        host = host_with(x=offering(ofa_supernets=[first, second]))
        assert host.supernet("one").name == "right"


def test_every_kind_has_a_hook_and_every_hook_a_kind():
    assert set(KIND_OF) == set(HOOKS)
