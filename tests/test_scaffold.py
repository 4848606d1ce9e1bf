"""What ``ofa plugins new`` writes works: it loads, keeps the laws, passes its test, reads well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.scaffold import KINDS, write_plugin
from ofa_plugins_core.testing.checking import check


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A new plugin of every kind, side by side."""
    place = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        write_plugin(f"my_{kind}", kind, place / f"my_{kind}")
    return place


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_loaded_and_keeps_the_laws(written, ofa_install, kind):
    sources = (written / f"my_{kind}" / "src" / f"my_{kind}").glob("*.py")
    modules = {f"my_{kind}.{path.stem}": path.read_text() for path in sources}
    ofa_install(f"my_{kind}", modules, module=f"my_{kind}.plugin")
    host = Host.discover()
    plugin = host.plugin(f"my_{kind}")
    assert (plugin.state, plugin.error) == ("loaded", None)
    assert list(plugin.offers.values()) == [[f"my_{kind}"]]
    assert [f for f in check(host, plugin.name) if f.outcome == "broken"] == []


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_test_passes(written, kind):
    folder = written / f"my_{kind}"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_its_metadata_name_the_plugin(written, kind):
    project = tomllib.loads((written / f"my_{kind}" / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"ofa-plugins-my-{kind.replace('_', '-')}"
    assert project["entry-points"]["ofa.plugins"] == {f"my_{kind}": f"my_{kind}.plugin"}


@pytest.mark.skipif(shutil.which("ruff") is None, reason="ruff is not installed")
@pytest.mark.parametrize("words", [("check", "--select", "E,F,I,UP,B"), ("format", "--check")])
def test_it_is_clean(written, words):
    done = subprocess.run(
        ["ruff", *words, "."], cwd=written, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
