"""Labelled toys: latencies by MACs, as tasks and as files."""

from __future__ import annotations

from types import ModuleType

import pytest

from block_profile import plugin
from ofa_plugins_core import Host
from ofa_plugins_core.testing import in_process, toy_supernet
from ofa_plugins_core.testing.laws.latency import trial_of


@pytest.fixture
def forms():
    """Name -> the latency predictors of this plugin."""
    return {entry.name: entry for entry in plugin.ofa_latency_predictors()}


@pytest.fixture
def small(forms):
    """A small sequence model's options."""
    return forms["sequence"].options(epochs=30, hidden=24, embedding=8, shape=4, threads=1)


@pytest.fixture
def task(forms):
    """What a form is fitted to: 48 networks of the toy to train on, 12 to choose by."""
    pytest.importorskip("sklearn")
    return trial_of(forms["boosting"], toy_supernet()).task


@pytest.fixture(scope="session")
def toy_plugin() -> ModuleType:
    """A plugin that offers the toy."""
    from ofa_plugins_core import SupernetEntry

    return in_process("toys", ofa_supernets=[SupernetEntry("toy", "a toy", toy_supernet)])


@pytest.fixture
def host(toy_plugin):
    """The installed plugins and the toy."""
    return Host.discover(extra={"toys": toy_plugin})


@pytest.fixture
def ofa(host, tmp_path, monkeypatch, capsys):
    """Runs ``ofa WORDS`` in an empty folder: (exit code, stdout, stderr)."""
    from ofa_plugins_core.cli.main import run

    monkeypatch.chdir(tmp_path)
    for name in ("TABLES", "CACHE", "FITTED"):
        monkeypatch.setenv(f"OFA_{name}", str(tmp_path / name))

    def call(*words):
        code = run([str(w) for w in words], lambda block: host)
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return call
