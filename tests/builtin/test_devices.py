"""Devices as the core offers them, and one of somebody else's, as docs/plugins.md writes it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ofa_plugins_core import Host
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.testing import ToyDevice
from ofa_plugins_core.testing.checking import MADE, check

HOST = Host.discover()
GUIDE = Path(__file__).parents[2] / "docs" / "plugins.md"
BOARD = """#!/bin/sh
echo "$1" >> "$0.log"
case $1 in
  about) echo "a board" ;;
  temperature) echo 41.5 ;;
  time) head -c 4 > /dev/null; i=0; while [ $i -lt $2 ]; do echo 0.25; i=$((i + 1)); done ;;
esac
"""


def test_the_core_offers_three():
    assert HOST.plugin("builtin").offers["devices"] == ["cpu", "cuda", "onnxruntime"]


@pytest.mark.parametrize("name", ["cpu", "cuda", "onnxruntime"])
def test_listing_and_building_them_imports_nothing_heavy(name):
    code = (
        "import sys; from ofa_plugins_core import Host; "
        f"Host.discover().device({name!r}).build(); "
        "print([m for m in ('torch', 'onnx', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("cpu.threads=0",), "threads"),
        (("cpu.pin=[-1]",), "pin"),
        (("cpu.cores=2",), "cores"),
        (("cuda.dtype=fp8",), "fp32 or fp16, found"),
        (("onnxruntime.threads=some",), "a whole number"),
    ],
)
def test_wrong_options_are_named(ofa, words, said):
    settings = [w for word in words for w in ("--set", word)]
    name = words[0].partition(".")[0]
    done = ofa("run", "lut", "--supernet", "toy", "--device", name, *settings)
    assert done.code == 2
    assert said in done.err and "Traceback" not in done.err


def test_an_unknown_one_is_answered_with_the_nearest(ofa):
    done = ofa("run", "lut", "--supernet", "toy", "--device", "cuba")
    assert done.code == 2
    assert "nearest known: cuda" in done.err


@pytest.mark.skipif(not GUIDE.is_file(), reason="docs/ is not beside the tests")
class TestTheDocs:
    """The board of docs/plugins.md, with a program that stands for its maker's."""

    @pytest.fixture
    def board(self, tmp_path, monkeypatch, ofa_install):
        pytest.importorskip("onnx", reason="blocks become ONNX files: the extra [export]")
        text = GUIDE.read_text(encoding="utf-8")
        (source,) = re.findall(r"```python\n# my_board\.py[^\n]*\n(.*?)```", text, re.S)
        program = tmp_path / "bin" / "boardctl"
        program.parent.mkdir()
        program.write_text(BOARD)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
        ofa_install("my_board", source)
        return program

    def test_it_keeps_every_law_of_devices(self, board):
        found = check(Host.discover(), "my_board")
        assert {f.outcome for f in found} == {"holds"}, found
        log = board.with_name("boardctl.log").read_text().split()
        assert log.count("lock-clocks") == log.count("unlock-clocks") > 3

    def test_a_board_that_does_not_answer_is_told_in_one_line(self, board):
        board.unlink()
        found = check(Host.discover(), "my_board", offer="devices")
        laws = [f for f in found if f.law != MADE]
        assert laws and {f.outcome for f in laws} == {"does not apply"}
        assert all("the board does not answer" in f.message for f in laws)


@pytest.mark.skipif(not GUIDE.is_file(), reason="docs/ is not beside the tests")
class TestTheDocsCost:
    """The measured cost of docs/plugins.md."""

    @pytest.fixture
    def tail(self, host_on):
        text = GUIDE.read_text(encoding="utf-8")
        (source,) = re.findall(r"```python\n# tail\.py[^\n]*\n(.*?)```", text, re.S)
        module = ModuleType("tail")
        exec(source, module.__dict__)
        return lambda device: host_on(device, tail=module)

    def test_it_is_the_pass_that_one_in_a_hundred_exceeds(self, tail, ofa, archs):
        archs.write_text(archs.read_text().splitlines()[0] + "\n")
        device = ToyDevice(noise=0.1)
        words = ("--supernet", "toy", "--archs", str(archs), "--measure", "--cost", "tail@bench")
        done = ofa("run", "cost", *words, "--json", host=tail(device))
        assert done.code == 0, done.err
        (found,) = done.lines
        assert len(device.ran) == 502
        assert found["tail@bench"] == pytest.approx(
            (1 + 2.33 * 0.1) * device.true_time(device.ran[0]), rel=0.05
        ), "the normal distribution's quantile"

    def test_without_a_device_it_says_what_to_do(self, tail, ofa, archs):
        words = ("--supernet", "toy", "--archs", str(archs), "--cost", "tail@bench")
        done = ofa("run", "cost", *words, host=tail(ToyDevice()))
        assert done.code == 2
        assert "never predicted" in done.err and "--measure" in done.err


@pytest.mark.parametrize("name", ["cpu", "onnxruntime"])
def test_more_threads_than_cores_are_refused(name):
    """Torch ends without a word where they are far too many."""
    pytest.importorskip({"cpu": "torch"}.get(name, name))
    host = Host.discover()
    entry = host.device(name)
    with (
        pytest.raises(UsageError, match="99999 threads on"),
        entry.build(entry.options(threads=99_999)).session(),
    ):
        pass
