"""A constructed board in a folder, and a small network; torch is a stub there."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devices_jetson.constructed import xavier_nx
from devices_jetson.options import JetsonOptions
from devices_jetson.transport import script
from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.testing.toys import toy_supernet

STUB = Path(__file__).parent / "stub"


@pytest.fixture
def board(tmp_path, monkeypatch):
    """The root of a constructed Xavier NX, whose Python finds a stub for torch."""
    root = xavier_nx(tmp_path / "board")
    monkeypatch.setenv("PYTHONPATH", str(STUB))
    monkeypatch.setenv("STUB_CUDA", "1")
    monkeypatch.setenv("STUB_ROOT", str(root))
    monkeypatch.setenv("HOME", "/home/somebody")
    return root


@pytest.fixture
def calls(board):
    """() -> the calls of the board's programs that change something, in order."""

    def made():
        log = board / "calls.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line.split(" /")[0].strip() for line in lines if "-q" not in line.split()]

    return made


@pytest.fixture
def options(board):
    """(**given) -> options of the constructed board."""

    def made(**given):
        return JetsonOptions(**{"root": board, "python": sys.executable, **given})

    return made


@pytest.fixture
def work():
    """A work of the toy network's first three blocks."""
    arch = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": 32}
    return Work(toy_supernet().geometry().blocks(arch)[:3])


class Board:
    """``ofa_board.py`` as a process, spoken to line by line."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.file = folder / "ofa_board.py"
        self.file.write_text(script())
        self.process = subprocess.Popen(
            [sys.executable, str(self.file), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.number = 0

    def say(self, do: str, **given: object) -> None:
        """Send a request, and wait for nothing."""
        self.number += 1
        self.process.stdin.write(json.dumps({"n": self.number, "do": do, **given}) + "\n")
        self.process.stdin.flush()

    def ask(self, do: str, **given: object):
        """Send a request; its answer."""
        self.say(do, **given)
        return json.loads(self.process.stdout.readline())

    def ended(self) -> int:
        """Wait for its end; the exit code."""
        self.process.stdin.close()
        return self.process.wait(20)


@pytest.fixture
def script_on(tmp_path):
    """(root) -> the board's script at work below that root."""
    made = []

    def start(root: Path, *words: str) -> Board:
        made.append(Board(tmp_path, "--root", str(root), *words))
        return made[-1]

    yield start
    for board in made:
        board.process.kill()
        board.process.wait()
        for pipe in (board.process.stdin, board.process.stdout, board.process.stderr):
            pipe.close()


def until(condition) -> None:
    """Wait for something that another process does; at most some seconds."""
    for _ in range(400):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it did not happen")


@pytest.fixture
def wait_until():
    """(condition) waits for it."""
    return until
