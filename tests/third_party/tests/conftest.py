"""The command line with plugins from outside: installed for real, or looking like it.

Where a plugin is not installed its folder is put on the path with the metadata that pip would
write, so that discovery is the real one all the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

PLACE = Path(__file__).parent.parent
PROGRAM = "import sys; from ofa_plugins_core.cli.main import run; sys.exit(run())"


def is_installed(distribution):
    try:
        return bool(version(distribution))
    except PackageNotFoundError:
        return False


def on_path(folder, site):
    """Folders for PYTHONPATH that make a plugin's folder look installed; none where it is."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    if is_installed(project["name"]):
        return []
    info = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}"]
    for extra, needs in project.get("optional-dependencies", {}).items():
        lines += [f'Requires-Dist: {need}; extra == "{extra}"' for need in needs]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    points = project["entry-points"]["ofa.plugins"].items()
    text = "[ofa.plugins]\n" + "".join(f"{name} = {module}\n" for name, module in points)
    (info / "entry_points.txt").write_text(text)
    return [folder / "src" if (folder / "src").is_dir() else folder]


class Ofa:
    """The program, run in a process of its own."""

    def __init__(self, paths):
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))}

    def __call__(self, *words, code=0, **environment):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            capture_output=True,
            text=True,
            env={**self.environment, **environment},
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{words} ended with {done.returncode}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def json(self, *words, **how):
        """Its output, parsed: one value, or a list of a value a line."""
        lines = self(*words, "--json", **how).stdout.splitlines()
        values = [json.loads(line) for line in lines]
        return values[0] if len(values) == 1 else values

    def states(self, *words):
        """Plugins by name."""
        return {p["name"]: p for p in self.json(*words, "plugins", "list")}


@pytest.fixture(scope="session")
def outside(tmp_path_factory):
    """The program with the outside plugin."""
    site = tmp_path_factory.mktemp("outside")
    return Ofa([site, *on_path(PLACE / "ofa_outside", site)])


@pytest.fixture(scope="session")
def broken(tmp_path_factory):
    """The program with every broken plugin at once, and the outside plugin among them."""
    site = tmp_path_factory.mktemp("broken")
    folders = [PLACE / "ofa_outside", *sorted((PLACE / "broken").iterdir())]
    return Ofa([site, *(path for folder in folders for path in on_path(folder, site))])


@pytest.fixture(scope="session")
def archs(tmp_path_factory):
    """A file with two networks of moofa_v3."""
    path = tmp_path_factory.mktemp("archs") / "archs.jsonl"
    rows = [
        {"ks": [k] * 20, "e": [e] * 20, "d": [d] * 5, "image_size": 160}
        for k, e, d in ((3, 2, 2), (7, 4, 4))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)
