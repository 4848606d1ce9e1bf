"""The release program: it is no part of a package, so tests load it from the checkout."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def pytest_configure():
    """Make ``release`` importable without the checkout's root, which shadows installed packages."""
    folder = ROOT / "release"
    spec = importlib.util.spec_from_file_location(
        "release", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules["release"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["release"])


@pytest.fixture(scope="session")
def root():
    """The checkout."""
    return ROOT


@pytest.fixture
def checkout(tmp_path):
    """A small checkout: a core, and a plugin that needs it by its address."""
    folders = {"core": tmp_path / "root", "plugin": tmp_path / "root" / "plugins" / "moofa"}
    for name, needs in (("core", ""), ("plugin", '"ofa-plugins-core @ {root:parent:parent:uri}"')):
        folder = folders[name]
        module = "ofa_plugins_core" if name == "core" else "src/moofa"
        distribution = "ofa-plugins-core" if name == "core" else "ofa-plugins-moofa"
        (folder / module).mkdir(parents=True)
        (folder / module / "py.typed").touch()
        (folder / module / "__init__.py").touch()
        (folder / "README.md").write_text("[page](../../docs/page.md)\n")
        (folder / "LICENSE").write_text("MIT License\n")
        (folder / "pyproject.toml").write_text(
            PYPROJECT.format(name=distribution, module=module, needs=needs)
        )
    (tmp_path / "root" / "CITATION.cff").write_text('cff-version: 1.2.0\nversion: "0.1.0"\n')
    return tmp_path / "root"


PYPROJECT = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "0.1.0"
dependencies = [{needs}]

[tool.hatch.metadata]
allow-direct-references = true

[tool.hatch.build.targets.wheel]
packages = ["{module}"]
"""
