"""The program: global options, every failure one line and an exit code, and what is not loaded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ofa_plugins_core.cli.main import COMMANDS, run
from ofa_plugins_core.errors import InputError

RAISING = """
from attrs import frozen
from ofa_plugins_core import JobEntry, NoOptions, hookimpl
def make(error):
    def job(context, options):
        raise error
    return job
@hookimpl
def ofa_jobs():
    yield JobEntry("interrupted", "x", make(KeyboardInterrupt()))
    yield JobEntry("full", "x", make(OSError(28, "No space left on device", "big.bin")))
    yield JobEntry("piped", "x", make(BrokenPipeError()))
    yield JobEntry("buggy", "x", make(IndexError("row 7")))
    yield JobEntry("leaving", "x", make(SystemExit(0)))
    yield JobEntry("deep", "x", make(RecursionError("too deep")))
"""


def test_help_lists_the_commands(ofa):
    for words in (("--help",), ("-h",)):
        done = ofa(*words)
        assert done.code == 0
        assert all(name in done.out for name in COMMANDS)
        assert "--block" in done.out
        assert "--debug" in done.out


def test_help_shows_long_flags_whole(ofa, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    said = "".join(line[:40].strip() for line in ofa("run", "train", "--help").out.splitlines())
    assert "--stepteacher|kernel|depth|expand|width|compound|finetune" in said.replace(" ", "")
    assert "--no-fp16-compression" in said


def test_no_words_are_wrong_use_and_show_the_help(ofa):
    done = ofa()
    assert done.code == 2
    assert "Usage: ofa" in done.out + done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rnu",), "No such command 'rnu'"),
        (("--bloc", "x", "run"), "No such option"),
        (("--block",), "requires an argument"),
    ],
)
def test_wrong_words_are_code_2_in_one_line(ofa, words, said):
    done = ofa(*words)
    assert done.code == 2
    assert said in done.err
    assert "try: ofa --help" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("job", "code", "said"),
    [
        ("interrupted", 130, "interrupted"),
        ("full", 5, "big.bin: No space left on device"),
        ("piped", 0, ""),
        ("buggy", 4, "plugin 'other'"),
        ("leaving", 4, "plugin 'other'"),
        ("deep", 4, "RecursionError"),
    ],
)
def test_whatever_a_job_raises_ends_in_a_line_and_a_code(
    ofa, host_with, job, code, said, monkeypatch
):
    monkeypatch.setattr("ofa_plugins_core.cli.failing._quiet", lambda: 0)
    done = ofa("run", job, host=host_with(RAISING))
    assert done.code == code
    assert said in done.err
    assert "Traceback" not in done.err


def test_blocked_names_come_from_flags_and_from_the_environment(monkeypatch, toy_host):
    monkeypatch.setenv("OFA_BLOCK", "a, b,")
    seen = []

    def discover(block):
        seen.append(tuple(block))
        return toy_host

    assert run(["--block", "c", "--block", "d", "run", "--help"], discover) == 0
    assert seen == [("a", "b", "c", "d")]


def test_an_unknown_blocked_name_is_wrong_use(capsys):
    assert run(["--block", "nobody", "run", "--help"]) == 2
    assert "unknown plugin 'nobody'" in capsys.readouterr().err


def test_advice_is_a_line_of_its_own(capsys):
    def discover(block):
        raise InputError("it is broken", advice="mend it")

    assert run(["run", "search"], discover) == 5
    assert capsys.readouterr().err == "ofa: it is broken\n     mend it\n"


def loaded_by(*words: str, folder: Path, names: tuple[str, ...]) -> set[str]:
    """Which of the modules a command loads, in a process of its own."""
    code = (
        "import sys; from ofa_plugins_core.cli.main import run; "
        f"code = run({list(words)!r}); "
        f"sys.stderr.write('LOADED ' + ','.join(m for m in {names!r} if m in sys.modules)); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("LOADED ")[2].split(","))


def test_help_loads_no_numpy_and_no_plugin(tmp_path):
    names = ("numpy", "pluggy", "cattrs", "yaml", "pydantic", "ofa_plugins_core.host")
    assert loaded_by("--help", folder=tmp_path, names=names) == {""}


@pytest.mark.skipif(find_spec("moofa") is None, reason="moofa is not installed")
@pytest.mark.parametrize("job", ["search", "cost", "predict"])
def test_the_jobs_load_nothing_heavy(tmp_path, job):
    heavy = ("torch", "scipy", "matplotlib", "pymoo", "pandas", "pydantic", "yaml", "numpy.ma")
    arch = {"ks": [3] * 20, "e": [2] * 20, "d": [2] * 5, "image_size": 128}
    (tmp_path / "archs.jsonl").write_text(json.dumps(arch))
    cost = () if job == "predict" else ("--cost", "peak_memory")
    archs = () if job == "search" else ("--archs", "archs.jsonl")
    words = ("run", job, "--supernet", "moofa_v3", *cost, *archs)
    assert loaded_by(*words, folder=tmp_path, names=heavy) == {""}


def test_a_closed_pipe_is_quiet(tmp_path):
    script = Path(sys.executable).with_name("ofa")
    if not script.exists() or find_spec("moofa") is None:
        pytest.skip("the script or moofa is not installed")
    words = f"'{script}' run sample --supernet moofa_v3 --n 20000 --json | head -n 1"
    done = subprocess.run(
        ["bash", "-c", words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ.copy(),
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert done.stdout.startswith("{")
