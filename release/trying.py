"""Wheels as somebody meets who installs them: in an empty environment, by their names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from release.packages import CORE, Package

SEARCH = ("run", "search", "--supernet", "moofa_v3", "--cost", "peak_memory", "--json")
BOUND = ("--constraint", "peak_memory<=400k")
CHECKED = "devices_jetson"
"""The plugin whose check takes least time."""
CONSUMER = Path(__file__).parent / "consumer.py"
READING = """
import json
from importlib.metadata import distribution
print(json.dumps({name: distribution(name).read_text("METADATA") for name in %r}))
"""


def tried(packages: Sequence[Package], dist: Path, typing: Sequence[str] = ()) -> list[str]:
    """Install all packages from ``dist`` and use them; what was seen, a line each.

    Third-party packages come from the index. Ours come from ``dist``: were another of the same
    name and version taken, its metadata would differ.

    Args:
        packages: to install.
        dist: their wheels.
        typing: what to install to check types with; nothing: they are not checked.

    Raises:
        CalledProcessError: a command ended in an error; what it printed is on stderr.
        ValueError: one did not do what it should.
    """
    with tempfile.TemporaryDirectory(prefix="ofa-release-") as place:
        folder = Path(place)
        python = _environment(folder / "env")
        wanted = [f"{p.name}{'[testing]' * (p.name == CORE)}=={p.version}" for p in packages]
        _install(python, [p.name for p in packages], "--find-links", str(dist), *wanted, *typing)
        _ours(packages, dist, json.loads(_run(python, "-c", READING % [p.name for p in packages])))
        said = [f"{len(packages)} wheels installed by name into an empty environment"]
        said += [_listed(python, packages), _searched(python), _checked(python)]
        if typing:
            said.append(_typed(python, folder))
        return said


def _environment(folder: Path) -> Path:
    """An empty environment; its Python."""
    if uv := shutil.which("uv"):
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, str(folder)], check=True)
    else:
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _install(python: Path, ours: Sequence[str], *words: str) -> None:
    """Install; uv keeps wheels by name and version, and ours may be others than the last time."""
    if uv := shutil.which("uv"):
        fresh = [word for name in ours for word in ("--refresh-package", name)]
        command = [uv, "pip", "install", "-q", "--python", str(python), *fresh, *words]
    else:
        command = [str(python), "-m", "pip", "install", "-q", *words]
    subprocess.run(command, check=True)


def _run(program: Path, *words: str) -> str:
    """Run a program of the environment from a folder that holds nothing of ours; its stdout."""
    done = subprocess.run(
        [str(program), *words],
        cwd=program.parent,
        check=False,
        capture_output=True,
        text=True,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "OFA_"))},
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        done.check_returncode()
    return done.stdout


def _ofa(python: Path, *words: str) -> str:
    return _run(python.parent / "ofa", *words)


def _ours(packages: Sequence[Package], dist: Path, installed: dict[str, str]) -> None:
    """Raise ValueError where an installed package is not the one in ``dist``."""
    for package in packages:
        with zipfile.ZipFile(dist / package.wheel) as wheel:
            built = wheel.read(f"{package.stem}.dist-info/METADATA").decode()
        if built.splitlines() != installed[package.name].splitlines():
            raise ValueError(f"{package.name}: what was installed is not what was built")


def _listed(python: Path, packages: Sequence[Package]) -> str:
    found = json.loads(_ofa(python, "plugins", "list", "--json"))
    wrong = [f"{p['name']}: {p['state']}, {p['error']}" for p in found if p["state"] != "loaded"]
    missing = {p.name for p in packages} - {p["distribution"] for p in found}
    if wrong or missing:
        raise ValueError("; ".join(["ofa plugins list", *wrong, *sorted(missing)]))
    return f"ofa plugins list: {len(found)} loaded"


def _searched(python: Path) -> str:
    found = json.loads(_ofa(python, *SEARCH, *BOUND))
    best = found["front"][0]
    memory = best["costs"]["peak_memory"]["value"]
    if not found["optimal"] or memory > 400_000:
        raise ValueError(f"ofa run search: not the best under 400k, peak memory {memory}")
    accuracy = best["accuracy"]["value"]
    return f"ofa run search: {accuracy:.2f} % within 400k items, optimal for the predictor"


def _checked(python: Path) -> str:
    found = json.loads(_ofa(python, "plugins", "check", CHECKED, "--json"))
    held = [law for law in found["findings"] if law["outcome"] == "holds"]
    if not found["passed"] or not held:
        raise ValueError(f"ofa plugins check {CHECKED}: {found}")
    return f"ofa plugins check {CHECKED}: {len(held)} laws hold"


def _typed(python: Path, folder: Path) -> str:
    """A third party's file, strictly checked: types reach it, and find its marked mistakes."""
    shutil.copy(CONSUMER, folder / "consumer.py")
    words = ("-m", "mypy", "--strict", "--no-incremental", str(folder / "consumer.py"))
    _run(python, *words)
    marks = CONSUMER.read_text(encoding="utf-8").count("# type: ignore[")
    return f"mypy --strict on a third party's plugin: its {marks} marked mistakes found, no other"
