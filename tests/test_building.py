"""Asking the host: by name, and for what an entry builds or runs, with blame for plugins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from attrs import field, frozen

from ofa_plugins_core import (
    CostModelEntry,
    Host,
    InputError,
    JobContext,
    JobEntry,
    PluginError,
    PredictorEntry,
    RuntimePolicyEntry,
    SamplerEntry,
    SearcherEntry,
    SupernetEntry,
    TrainingPlanEntry,
    UsageError,
)
from ofa_plugins_core.blame import Plugin
from ofa_plugins_core.errors import MissingExtraError, UnknownNameError
from ofa_plugins_core.handing import GuardedJob
from ofa_plugins_core.hookspecs import HOOKS
from ofa_plugins_core.phases import Phase
from ofa_plugins_core.testing import ToyPolicy, in_process, toy_cost, toy_plan, toy_supernet

HEADER = "from ofa_plugins_core import *\nOFA_API = 1\n"


def cost(name="effort", build=lambda supernet, options: toy_cost("params", supernet), **more):
    return CostModelEntry(name, "a cost", "units", build, **more)


def host_with(**plugins):
    return Host.discover(extra=plugins)


def offering(**hooks):
    return in_process("outside", **hooks)


class TestAskingByName:
    def test_an_unknown_name_names_the_nearest(self):
        with pytest.raises(UnknownNameError, match="unknown cost 'effor'; nearest known: effort"):
            host_with(x=offering(ofa_cost_models=[cost()])).cost_model("effor")

    def test_the_qualifier_is_not_part_of_the_name(self):
        entry = cost("delay", qualified=True)
        host = host_with(x=offering(ofa_cost_models=[entry]))
        assert host.cost_model("delay@phone").name == "delay"

    def test_what_a_failed_plugin_would_offer_is_its_fault(self, ofa_install):
        source = HEADER + (
            "@hookimpl\ndef ofa_cost_models():\n"
            "    yield CostModelEntry('params2', 'a cost', 'u', print)\n    raise ValueError('x')\n"
        )
        ofa_install("x", source)
        with pytest.raises(PluginError, match=r"no cost 'params2'.*plugin 'x'.*ValueError: x"):
            Host.discover().cost_model("params2")

    def test_a_name_like_nothing_known_may_be_a_failed_plugins(self, ofa_install):
        ofa_install("x", "raise ValueError('no luck')")
        with pytest.raises(PluginError, match=r"plugin 'x' 1.0: import raised ValueError"):
            Host.discover().searcher("clairvoyance")

    def test_a_typing_error_stays_one_beside_a_failed_plugin(self, ofa_install):
        ofa_install("x", "raise ValueError('no luck')")
        with pytest.raises(UnknownNameError, match="nearest known: peak_memory") as caught:
            Host.discover().cost_model("peak_memry")
        assert "plugin 'x' 1.0" in caught.value.advice

    def test_a_blocked_plugin_is_mentioned(self):
        host = Host.discover(block=["x"], extra={"x": offering(ofa_cost_models=[cost()])})
        with pytest.raises(UnknownNameError) as caught:
            host.cost_model("effort")
        assert caught.value.advice == "blocked plugins: x"

    def test_an_unknown_kind_names_the_known_ones(self):
        with pytest.raises(UnknownNameError, match=r"unknown kind 'costmodels'.*cost_models"):
            Host.discover().entries("costmodels")


@frozen
class Width:
    width: int = 8


@frozen
class Needed:
    width: int = field()


class TestBuilding:
    def test_options_may_be_left_out(self):
        built = []

        def build(supernet, options):
            built.append(options)
            return toy_cost("params", supernet)

        entry = host_with(
            x=offering(ofa_cost_models=[cost(build=build, options=Width)])
        ).cost_model("effort")
        entry.build(toy_supernet())
        entry.build(toy_supernet(), None)
        entry.build(toy_supernet(), Width(3))
        assert built == [Width(8), Width(8), Width(3)]

    def test_options_without_default_are_asked_for(self):
        host = host_with(x=offering(ofa_cost_models=[cost(options=Needed)]))
        with pytest.raises(UsageError, match="cost 'effort' needs width") as caught:
            host.cost_model("effort").build(toy_supernet())
        assert caught.value.advice == "--set effort.width=VALUE"

    def test_what_a_build_raises_is_blamed(self):
        def build(supernet, options):
            raise ValueError("no luck\nmore lines")

        host = host_with(x=offering(ofa_cost_models=[cost(build=build)]))
        with pytest.raises(PluginError) as caught:
            host.cost_model("effort").build(toy_supernet())
        assert caught.value.message == "plugin 'x' 0: cost 'effort' raised ValueError: no luck"
        assert isinstance(caught.value.__cause__, ValueError)

    def test_an_error_for_the_user_passes_as_it_is(self):
        def build(supernet, options):
            raise InputError("no such table")

        host = host_with(x=offering(ofa_cost_models=[cost(build=build)]))
        with pytest.raises(InputError, match="no such table"):
            host.cost_model("effort").build(toy_supernet())

    def test_entries_of_a_kind_are_guarded_as_well(self):
        host = host_with(x=offering(ofa_cost_models=[cost(build=lambda s, o: 1 / 0)]))
        entry = next(e for e in host.entries("cost_models") if e.name == "effort")
        with pytest.raises(PluginError, match="ZeroDivisionError"):
            entry.build(toy_supernet())

    @pytest.mark.parametrize(
        ("record", "ask"),
        [
            (SupernetEntry("n", "…", object), lambda h: h.supernet("n")),
            (cost("n", lambda s, o: 1), lambda h: h.cost_model("n").build(0)),
            (SamplerEntry("n", "…", lambda s, o: 1), lambda h: h.sampler("n").build(0)),
            (SearcherEntry("n", "…", lambda o: 1), lambda h: h.searcher("n").build()),
            (RuntimePolicyEntry("n", "…", lambda o: 1), lambda h: h.runtime_policy("n").build()),
            (
                PredictorEntry("n", "…", lambda *a: 1),
                lambda h: h.predictor("n").load(0, None, None),
            ),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_what_does_not_fill_the_seam_is_blamed(self, record, ask):
        hook = next(h for h, kind in HOOKS.items() if isinstance(record, kind))
        host = host_with(x=offering(**{hook: [record]}))
        with pytest.raises(PluginError, match=r"plugin 'x' 0: .* 'n' is a .*: it has no "):
            ask(host)

    def test_a_fit_that_gives_something_else_is_blamed(self):
        entry = PredictorEntry("n", "…", lambda *a: 1, fit=lambda task: {"rmse": 1.0})
        host = host_with(x=offering(ofa_predictors=[entry]))
        with pytest.raises(PluginError, match="plugin 'x' 0: predictor 'n' is a dict, not a Fit"):
            host.predictor("n").fit(None)

    def test_a_plan_that_nobody_can_train_by_is_blamed(self):
        def build(supernet, options):
            return toy_plan(phases=(Phase(step="compound", epochs=0, base_lr=0.1),))

        host = host_with(x=offering(ofa_training_plans=[TrainingPlanEntry("n", "…", build)]))
        with pytest.raises(PluginError, match="plugin 'x' 0: training plan 'n': compound 1: 0 ep"):
            host.training_plan("n").build(toy_supernet())

    def test_policies_are_built_without_a_word(self):
        entry = RuntimePolicyEntry("toy", "…", lambda options: ToyPolicy())
        host = host_with(x=offering(ofa_runtime_policies=[entry]))
        assert host.runtime_policy("toy").build() == ToyPolicy()

    def test_the_contract_holds(self):
        host = host_with(x=offering(ofa_supernets=[SupernetEntry("toy", "…", toy_supernet)]))
        supernet = host.supernet("toy")
        price = host.cost_model("peak_memory").build(supernet)
        assert price.evaluate(supernet.space.sample(3, np.random.default_rng(0))).shape == (3,)


class TestJobs:
    def run(self, source_of_error):
        job = JobEntry("rank", "…", run=source_of_error)
        host = host_with(x=offering(ofa_jobs=[job]))
        return host.job("rank").run(JobContext(host))

    def test_a_job_returns_what_it_returns(self):
        assert self.run(lambda context, options: {"answer": 42}) == {"answer": 42}

    def test_what_a_job_raises_is_blamed(self):
        with pytest.raises(PluginError, match="plugin 'x' 0: job 'rank' raised KeyError: 'arch'"):
            self.run(lambda context, options: {}["arch"])

    def test_a_file_that_is_missing_is_not_the_plugins_fault(self):
        with pytest.raises(FileNotFoundError):
            self.run(lambda context, options: Path("/nowhere").read_text())

    def test_an_extra_that_a_job_of_the_core_needs_is_named(self):
        def needs_torch(context, options):
            raise ModuleNotFoundError("No module named 'torch'", name="torch.nn")

        core = Plugin("builtin", "ofa-plugins-core", "0.1")
        job = GuardedJob(JobEntry("train", "…", run=needs_torch), core, [])
        with pytest.raises(MissingExtraError, match=r"pip install .*\[torch\]"):
            job(None)

    def test_a_bug_in_a_job_of_the_core_is_nobody_elses(self):
        core = Plugin("builtin", "ofa-plugins-core", "0.1")
        job = GuardedJob(JobEntry("train", "…", run=lambda context, options: 1 / 0), core, [])
        with pytest.raises(ZeroDivisionError):
            job(None)

    def test_an_interruption_passes(self):
        def interrupted(context, options):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.run(interrupted)

    def test_flags_without_default_are_asked_for(self):
        host = host_with(x=offering(ofa_jobs=[JobEntry("rank", "…", run=print, options=Needed)]))
        with pytest.raises(UsageError, match="job 'rank' needs width") as caught:
            host.job("rank").run(JobContext(host))
        assert caught.value.advice == "--width VALUE"

    def test_the_innermost_plugin_is_to_blame(self, ofa_install):
        cost_source = HEADER + (
            "class Cost:\n"
            "    name, unit, kind, source = 'bad', 'u', 'computed', None\n"
            "    def evaluate(self, archs):\n        raise ValueError('not today')\n"
            "@hookimpl\ndef ofa_cost_models():\n"
            "    yield CostModelEntry('bad', 'a cost', 'u', lambda s, o: Cost())\n"
        )
        job_source = HEADER + (
            "def run(context, options):\n"
            "    return context.host.cost_model('bad').build(None).evaluate([])\n"
            "@hookimpl\ndef ofa_jobs():\n    yield JobEntry('rank', '…', run=run)\n"
        )
        ofa_install("guilty", cost_source)
        ofa_install("innocent", job_source)
        host = Host.discover()
        with pytest.raises(PluginError, match=r"plugin 'guilty' 1.0: job 'rank' raised ValueError"):
            host.job("rank").run(JobContext(host))
