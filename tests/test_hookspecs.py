"""The hooks: each is typed and documented with an example that works, and so are the docs."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import inspect
import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import get_type_hints

import attrs
import pytest

import ofa_plugins_core
from ofa_plugins_core import Host, entries, hookspecs
from ofa_plugins_core.handing import SEAMS
from ofa_plugins_core.hookspecs import HOOKS, KIND_OF, KINDS, LABELS
from ofa_plugins_core.pricing import BlockCostModel
from ofa_plugins_core.testing import installed

DOCS = Path(__file__).parent.parent / "docs"


def specifications():
    marked = vars(hookspecs).items()
    return {name for name, value in marked if hasattr(value, f"{hookspecs.PROJECT}_spec")}


def test_every_specification_has_a_record_a_kind_and_a_label():
    assert specifications() == set(HOOKS) == set(KINDS.values()) == set(KIND_OF)
    assert set(LABELS) == set(KINDS)


def test_every_record_that_builds_something_says_how_it_is_called():
    data = {entries.FittedPredictorEntry, entries.ReductionEntry, entries.WeightsEntry}
    assert set(SEAMS) == set(HOOKS.values()) - data


@pytest.mark.parametrize("record", HOOKS.values(), ids=lambda record: record.__name__)
class TestRecord:
    def test_is_frozen(self, record):
        assert record.__setattr__ is not object.__setattr__
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            object.__new__(record).summary = "another"

    def test_is_a_public_name(self, record):
        assert getattr(ofa_plugins_core, record.__name__) is record


@pytest.mark.parametrize("hook", HOOKS)
class TestHook:
    def test_returns_its_record_by_its_annotation(self, hook):
        annotation = get_type_hints(getattr(hookspecs, hook))["return"]
        assert annotation.__args__ == (HOOKS[hook],)

    def test_has_an_example_that_works(self, hook):
        module = example_of(hook)
        plugin = Host.discover(extra={"example": module}).plugin("example")
        assert (plugin.state, plugin.error) == ("loaded", None)
        assert list(plugin.offers) == [KIND_OF[hook]]


def example_of(hook):
    """The example of a hook as a module; what it leaves to the reader is made up."""
    text = inspect.getdoc(getattr(hookspecs, hook))
    code = textwrap.dedent(text.partition("Example::")[2])
    module = ModuleType("example")
    names = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    public = {name: getattr(ofa_plugins_core, name) for name in ofa_plugins_core.__all__}
    known = {**public, "BlockCostModel": BlockCostModel, "OFA_API": 1}
    for name in names - set(dir(builtins)) - set(known):
        known[name] = made_up(name)
    vars(module).update(known)
    exec(compile(code, hook, "exec"), vars(module))
    return module


def made_up(name):
    if name == "files":
        return Path
    return attrs.make_class(name, []) if re.search("Options|Row", name) else lambda *given: None


needs_docs = pytest.mark.skipif(not DOCS.is_dir(), reason="the docs are not beside the tests")


@needs_docs
def test_the_page_of_hooks_is_current():
    spec = importlib.util.spec_from_file_location("make_hooks", DOCS / "make_hooks.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    kept = (DOCS / "hooks.md").read_text(encoding="utf-8")
    assert kept == maker.page(), "run: python docs/make_hooks.py"


@needs_docs
def test_every_field_of_every_record_is_explained():
    rows = re.findall(r"^\| `\w+` .*$", (DOCS / "hooks.md").read_text(encoding="utf-8"), re.M)
    assert len(rows) == sum(len(attrs.fields(record)) for record in HOOKS.values())
    assert not [row for row in rows if row.endswith("|  |")]


@needs_docs
def test_the_plugin_in_the_docs_works_and_passes_its_test(tmp_path):
    page = (DOCS / "plugins.md").read_text(encoding="utf-8")
    files = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", page, re.S))
    assert set(files) == {"transfer", "test_transfer", "balance"}
    balance = {"balance": files.pop("balance")}
    installed(tmp_path / "other", "balance", balance)
    assert _checked(tmp_path / "other", "balance") == {"does not apply", "holds"}
    installed(tmp_path, "transfer", files)
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_transfer.py"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "broken" not in _checked(tmp_path, "transfer")


def _checked(folder, name):
    """How the laws turn out on an installed plugin: more than a handful of them."""
    code = (
        "import json; from ofa_plugins_core import Host; "
        "from ofa_plugins_core.testing.checking import check; "
        f"print(json.dumps([f.outcome for f in check(Host.discover(), '{name}')]))"
    )
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert outcomes.count("holds") > 8
    return set(outcomes)
