"""What ``ofa plugins new`` writes for each kind, installed for real: checked, and mixed with ours.

All kinds at once into one place, as wheels; the program finds them as it finds any other plugin.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ofa_plugins_core.scaffold import KINDS, mixed, write_plugin

FOUR = (
    "ofa plugins new transfer --kind cost_model",
    "pip install -e transfer",
    "ofa plugins check transfer",
    "ofa run search --supernet moofa_v3 --cost transfer --constraint 'peak_memory<=400k'",
)
"""An author's path, as docs/plugins.md has it."""
GUIDE = Path(__file__).parents[3] / "docs" / "plugins.md"
OURS = [n for n in ("moofa", "compofa", "dynamic_ofa", "block_profile") if find_spec(n) is None]
mixes = pytest.mark.skipif(bool(OURS), reason=f"not installed: {', '.join(OURS)}")
IN_TORCH = ("actuator", "monitor", "training_plan")
"""Kinds whose commands run networks in torch, for a minute each: they are not run here."""


@pytest.fixture(scope="module")
def new(outside, tmp_path_factory):
    """The program with a new plugin of every kind, made and installed by commands."""
    place = tmp_path_factory.mktemp("new")
    for kind in KINDS:
        write_plugin(f"my_{kind}", kind, place / f"my_{kind}")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.chdir(place)
    outside(*shlex.split(FOUR[0])[1:])
    monkeypatch.undo()
    uv = shutil.which("uv")
    install = [uv, "pip", "install"] if uv else [sys.executable, "-m", "pip", "install"]
    folders = [str(place / f"my_{kind}") for kind in KINDS] + [str(place / "transfer")]
    words = [*install, "-q", "--no-deps", "--target", str(place / "site"), *folders]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot install here: {done.stderr.strip().splitlines()[-1]}")
    return type(outside)([place / "site"])


@pytest.mark.skipif(not GUIDE.is_file(), reason="docs/ is not beside the tests")
def test_the_guide_begins_with_the_four_commands():
    assert "\n".join(f"    {line}" for line in FOUR) in GUIDE.read_text(encoding="utf-8")


@mixes
def test_the_four_commands_end_in_a_mixed_search(new, tmp_path, monkeypatch):
    """The first two have run by now; a wheel stands in for what pip would install in place."""
    monkeypatch.chdir(tmp_path)
    new(*shlex.split(FOUR[2])[1:])
    found = new.json(*shlex.split(FOUR[3])[1:])
    assert found["front"][0]["costs"]["transfer"]["value"] > 0
    assert found["front"][0]["accuracy"]["value"] > 70


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_every_law(new, kind):
    found = new.json("plugins", "check", f"my_{kind}")
    assert found["passed"]
    assert len({f["kind"] for f in found["findings"]}) > 1, "more than the plugin as a whole"


@mixes
@pytest.mark.parametrize("kind", [k for k in KINDS if k not in (*IN_TORCH, "latency_predictor")])
def test_the_command_that_new_names_mixes_it_with_ours(new, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for line in mixed(f"my_{kind}", kind):
        new(*shlex.split(line)[1:])


@mixes
def test_a_new_latency_form_is_fitted_to_what_a_new_device_measured(new, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    label, fit = mixed("my_latency_predictor", "latency_predictor")
    new(*shlex.split(label.replace("--device cpu", "--device my_device"))[1:])
    new(*shlex.split(fit)[1:])
