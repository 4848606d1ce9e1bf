"""``ofa plugins list``, ``check`` and ``new`` on the command line."""

from __future__ import annotations

import json
import re
import sys

import pytest

from ofa_plugins_core import (
    ClaimEntry,
    CostModelEntry,
    Host,
    JobEntry,
    PredictorEntry,
    SupernetEntry,
    UsageError,
)
from ofa_plugins_core.cli.main import run
from ofa_plugins_core.hookspecs import KINDS
from ofa_plugins_core.interfaces import Predictions
from ofa_plugins_core.scaffold import KINDS as NEW
from ofa_plugins_core.testing import ToyPredictor, in_process, toy_cost, toy_supernet
from ofa_plugins_core.testing.checking import MADE, Finding, check
from ofa_plugins_core.testing.laws import title
from ofa_plugins_core.testing.laws.plugin import hooks_are_cheap


class Jumpy:
    """A cost that is another one each time."""

    name, unit, kind, source = "jumpy", "units", "computed", None
    calls = 0

    def evaluate(self, archs):
        self.calls += 1
        return toy_cost().evaluate(archs) + self.calls


class Unsure:
    """The toy predictor, with intervals that lie above their values."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(vars(self)["inner"], name)

    def predict(self, archs):
        found = self.inner.predict(archs)
        return Predictions(found.value, found.value + 1, found.high + 1, found.extrapolated)


def wants_a_file(supernet, file, fitted):
    if file is None:
        raise UsageError("it needs a file")


def refusing(imports, missing):
    """An import that does not find one module."""

    def look(name, *given, **how):
        if name.partition(".")[0] == missing:
            raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)
        return imports(name, *given, **how)

    return look


class Netless:
    """A supernet that builds no network in torch, though it says so."""

    def __init__(self):
        self.toy = toy_supernet()

    def __getattr__(self, name):
        return getattr(self.toy, name)

    def build(self, num_classes=None):
        return None


def discover(block):
    sound = in_process("sound", ofa_supernets=[SupernetEntry("toy", "a toy", toy_supernet)])
    jumpy = CostModelEntry("jumpy", "never the same", "units", lambda s, o: Jumpy())
    broken = in_process("broken", ofa_jobs=[42])
    plugins = {"sound": sound, "jumpy": in_process("jumpy", ofa_cost_models=[jumpy])}
    wants = PredictorEntry("wants", "needs a file", wants_a_file)
    plugins["wants"] = in_process("wants", ofa_predictors=[wants])
    return Host.discover(block, {**plugins, "broken": broken})


@pytest.fixture
def ofa(capsys):
    def call(*words, code=0):
        assert run(words, discover) == code
        return capsys.readouterr()

    return call


class TestList:
    def test_json_is_as_promised(self, ofa):
        plugins = {p["name"]: p for p in json.loads(ofa("plugins", "list", "--json").out)}
        sound = plugins["sound"]
        assert set(sound) == {"name", "distribution", "version", "state", "error", "offers"}
        assert (sound["state"], sound["error"]) == ("loaded", None)
        assert sound["offers"]["supernets"] == ["toy"]
        assert set(sound["offers"]) == set(KINDS)
        assert plugins["broken"]["state"] == "failed"
        assert "ofa_jobs() yielded 42" in plugins["broken"]["error"]

    def test_json_is_alone_on_stdout(self, ofa):
        shown = ofa("plugins", "list", "--json")
        assert len(shown.out.splitlines()) == 1
        assert shown.err == ""

    def test_people_get_a_table_and_the_reasons(self, ofa):
        lines = ofa("plugins", "list").out.splitlines()
        assert any(line.split()[:4] == ["sound", "0", "loaded", "supernets:"] for line in lines)
        assert lines[-1].startswith("plugin 'broken' 0: ofa_jobs() yielded 42")

    def test_a_blocked_one_is_listed_as_such(self, ofa):
        plugins = json.loads(ofa("--block", "sound", "plugins", "list", "--json").out)
        assert [p["state"] for p in plugins if p["name"] == "sound"] == ["blocked"]


class TestCheck:
    def test_a_sound_plugin_passes(self, ofa):
        found = json.loads(ofa("plugins", "check", "sound", "--json").out)
        assert (found["name"], found["passed"]) == ("sound", True)
        assert {f["outcome"] for f in found["findings"]} <= {"holds", "does not apply"}
        assert len(found["findings"]) > 10

    def test_a_law_that_is_broken_is_said_with_the_numbers(self, ofa):
        shown = ofa("plugins", "check", "jumpy", code=4)
        assert "cost_models: jumpy: broken: The same networks cost the same again" in shown.out
        assert "broken" in shown.err

    def test_a_build_that_gives_no_network_is_one_finding(self):
        pytest.importorskip("torch")
        offer = SupernetEntry("netless", "no network", Netless)
        plugins = {"netless": in_process("netless", ofa_supernets=[offer])}
        found = check(Host.discover(extra=plugins), "netless")
        (finding,) = (f for f in found if f.kind == "elastic networks")
        assert (finding.law, finding.outcome) == (MADE, "broken")
        assert "build() gave a NoneType, which is no ElasticModule" in finding.message

    @pytest.mark.parametrize(
        ("draw", "outcome", "said"),
        [
            (None, "does not apply", "draws nothing"),
            (lambda folder: pytest.fail("no run is there"), "holds", ""),
            (lambda: (), "broken", r"draw\(folder\) cannot be called: too many positional"),
            (lambda folder, run: (), "broken", "missing a required argument: 'run'"),
            ("plot", "broken", "its draw is 'plot': it cannot be called"),
        ],
    )
    def test_a_job_draws_a_folder(self, draw, outcome, said):
        job = JobEntry("sketch", "a job", lambda c, o: None, example="ofa run sketch", draw=draw)
        host = Host.discover(extra={"sketch": in_process("sketch", ofa_jobs=[job])})
        found = [f for f in check(host, "sketch") if f.law.startswith("Its draw")]
        assert [f.outcome for f in found] == [outcome]
        assert re.search(said, found[0].message)

    def test_json_says_the_same_and_the_exit_code_too(self, ofa):
        found = json.loads(ofa("plugins", "check", "jumpy", "--json", code=4).out)
        assert not found["passed"]
        laws = {f["law"] for f in found["findings"] if f["outcome"] == "broken"}
        assert "The same networks cost the same again, in any order." in laws

    def test_one_law_of_one_offer_can_be_asked_for(self, ofa):
        words = ("plugins", "check", "jumpy", "--offer", "jumpy", "--law", "finite")
        found = json.loads(ofa(*words, "--json").out)["findings"]
        assert [f["law"].split()[0] for f in found] == ["It", "Every"]
        assert "holds: Every cost is a finite number" in ofa(*words).out

    def test_what_to_do_is_said_and_laws_that_lean_on_it_are_left(self, ofa):
        shown = ofa("plugins", "check", "jumpy", code=4)
        (line,) = (line for line in shown.out.splitlines() if "jumpy: broken: " in line)
        assert "Keep no state between calls" in line
        assert "do not apply: not tried before this holds: The same networks cost" in shown.out

    def test_a_broken_predictor_is_found_though_nobody_fitted_one(self):
        def load(supernet, file, fitted):
            return Unsure(ToyPredictor(supernet.space))

        offer = PredictorEntry("unsure", "low above the value", load)
        plugins = {"unsure": in_process("unsure", ofa_predictors=[offer])}
        found = check(Host.discover(extra=plugins), "unsure", offer="unsure")
        broken = [f.law for f in found if f.kind == "predictors" and f.outcome == "broken"]
        assert broken == ["low <= value <= high, all percent."]

    def test_an_offer_without_a_law_tried_is_named(self, ofa):
        shown = ofa("plugins", "check", "wants")
        assert "predictors: wants: no law was tried: no plugin ships a fitted one" in shown.out
        assert "it needs a file" in shown.out

    def test_an_error_has_no_advice_on_what_was_never_said(self):
        def check_it(context, files):
            return 1 / 0

        claim = ClaimEntry("odd", "it is odd", "Mine", "Table 1", check_it)
        plugins = {"odd": in_process("odd", ofa_claims=[claim])}
        found = check(Host.discover(extra=plugins), "odd")
        broken = [f for f in found if f.outcome == "broken"]
        assert broken
        assert all("ZeroDivisionError" in f.message for f in broken)
        assert {f.advice for f in broken} == {""}

    def test_torch_at_the_top_is_named_where_torch_is_not_there(self, ofa_install, monkeypatch):
        monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
        ofa_install("early", "import torch.nn\nOFA_API = 1\n")
        monkeypatch.setattr("builtins.__import__", refusing(__import__, "torch"))
        found = check(Host.discover(), "early")
        assert [f.law for f in found] == [title(hooks_are_cheap)]
        assert "Import it where it is used" in found[0].advice

    def test_a_law_that_there_is_not_is_wrong_use(self, ofa):
        shown = ofa("plugins", "check", "sound", "--law", "of gravity", code=2)
        assert "nothing with the law 'of gravity'" in shown.err

    def test_why_a_law_does_not_apply_is_said(self, ofa):
        shown = ofa("plugins", "check", "sound").out
        assert "plugin: 1 do not apply: it is not installed" in shown

    def test_ctrl_c_tells_what_was_found(self, ofa, monkeypatch):
        def interrupted(*given, **how):
            yield Finding("plugin", "sound", "It is quick.", "holds")
            raise KeyboardInterrupt

        monkeypatch.setattr("ofa_plugins_core.testing.checking.checked", interrupted)
        assert "plugin: sound" in ofa("plugins", "check", "sound", code=130).out

    def test_a_failed_plugin_fails_with_its_blame(self, ofa):
        assert "ofa_jobs() yielded 42" in ofa("plugins", "check", "broken", code=4).err

    def test_a_blocked_one_cannot_be_checked(self, ofa):
        assert "is blocked" in ofa("--block", "sound", "plugins", "check", "sound", code=2).err

    def test_an_unknown_name_names_the_nearest(self, ofa):
        assert "nearest known: sound" in ofa("plugins", "check", "soundly", code=2).err


class TestNew:
    @pytest.fixture(autouse=True)
    def inside(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)

    @pytest.mark.parametrize("kind", NEW)
    def test_every_kind_is_written_whole(self, ofa, tmp_path, kind):
        ofa("plugins", "new", "fresh", "--kind", kind)
        files = {str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()}
        assert files == {
            "fresh/pyproject.toml",
            "fresh/README.md",
            "fresh/src/fresh/__init__.py",
            "fresh/src/fresh/plugin.py",
            f"fresh/src/fresh/{kind}.py",
            "fresh/tests/test_fresh.py",
        }

    def test_the_next_commands_are_said(self, ofa):
        lines = ofa(
            "plugins", "new", "fresh", "--kind", "job", "--out", "my place"
        ).out.splitlines()
        assert [line.strip() for line in lines[-4:]] == [
            "pip install -e 'my place[test]'",
            "pytest 'my place'",
            "ofa plugins check fresh",
            "ofa run fresh --supernet moofa_v3 --cost peak_memory",
        ]

    def test_an_existing_folder_is_left_alone(self, ofa, tmp_path):
        (tmp_path / "fresh").mkdir()
        assert "fresh exists" in ofa("plugins", "new", "fresh", "--kind", "job", code=2).err
        assert list((tmp_path / "fresh").iterdir()) == []

    @pytest.mark.parametrize(
        "name", ["Fresh", "two words", "../up", "a-b", "1st", "class", "", "a__b", "_a"]
    )
    def test_what_is_no_name_is_refused(self, ofa, tmp_path, name):
        shown = ofa("plugins", "new", name, "--kind", "job", code=2)
        assert "cannot be the name of a plugin" in shown.err
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("sound", "a plugin has it"),
            ("json", "a module of Python's"),
            ("numpy", "it can be imported, from "),
            ("ofa", ""),
            ("job", ""),
        ],
    )
    def test_a_name_that_is_taken_is_refused(self, ofa, name, why):
        said = ofa("plugins", "new", name, "--kind", "job", code=2).err
        assert "is taken" in said
        assert why in said

    @pytest.mark.parametrize(("kind", "code"), [("cost_model", 2), ("job", 0)])
    def test_a_name_that_others_offer_is_taken_for_that_kind_alone(self, ofa, kind, code):
        said = ofa("plugins", "new", "flops", "--kind", kind, code=code).err
        assert ("plugin 'builtin'" in said and "offers it" in said) == (code == 2)

    def test_an_unknown_kind_names_the_nearest(self, ofa):
        shown = ofa("plugins", "new", "fresh", "--kind", "costmodel", code=2)
        assert "nearest known: cost_model" in shown.err

    def test_a_folder_that_cannot_be_written_is_an_output_error(self, ofa, tmp_path):
        (tmp_path / "file").write_text("")
        shown = ofa("plugins", "new", "fresh", "--kind", "job", "--out", "file/fresh", code=5)
        assert "cannot write file/fresh" in shown.err
