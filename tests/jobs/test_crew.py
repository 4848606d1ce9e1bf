"""Processes that share numbers: nothing is lost, errors come back whole, nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib import import_module
from multiprocessing import active_children

import pytest

from ofa_plugins_core.errors import InfeasibleError, PeerLostError, UnknownNameError
from ofa_plugins_core.events import Notice
from ofa_plugins_core.jobs.crew import worked

SOURCE = """
import os, signal, time
from contextlib import contextmanager
from pathlib import Path
from ofa_plugins_core.errors import InfeasibleError, UnknownNameError
from ofa_plugins_core.events import Notice

class Odd(Exception):
    def __init__(self, one, two):
        super().__init__("odd as can be")

def infeasible(task):
    raise InfeasibleError("too small", smallest={"flops": 3.0}, binds="the stem", advice="more")

def unknown(task):
    raise UnknownNameError("cost", "flop", ["flops"])

def odd(task):
    raise Odd(1, 2)

def killed(task):
    os.kill(os.getpid(), signal.SIGKILL)

def sleeping(task):
    time.sleep(60)

def patient(task):
    Path(task["folder"], "begun").touch()
    time.sleep(1)  # KeyboardInterrupt, if it hears a Ctrl-C
    Path(task["folder"], "over").touch()

def first(task):
    while not Path(task["folder"], "begun").exists():
        time.sleep(0.01)

def second(task):
    Path(task["folder"], "begun").touch()
    time.sleep(0.3)

@contextmanager
def opened(task, listener):
    listener(Notice(f"here is {os.getpid()}"))
    if "folder" in task:
        Path(task["folder"], str(os.getpid())).touch()
    if task.get("opening"):
        globals()[task["opening"]](task)

    def work(number):
        if number in task:
            globals()[task[number]](task)
        return number, number * task.get("times", 1), os.getpid()

    yield work
"""


@pytest.fixture
def crew(tmp_path, monkeypatch):
    """Two processes at work on numbers; (what came of it, events)."""
    (tmp_path / "their_work.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    opened = import_module("their_work").opened
    told, events = [], []

    def call(task, numbers=range(6), done=lambda number, found: None, processes=2):
        def keep(number, found):
            told.append((number, found))
            done(number, found)

        worked(processes, opened, task, list(numbers), keep, events.append)

    call.told, call.events = told, events
    yield call
    sys.modules.pop("their_work")
    assert active_children() == []  # however it ended


def test_each_number_is_done_once_by_processes_of_their_own(crew):
    crew({"times": 7})
    assert sorted(number for number, _ in crew.told) == list(range(6))
    assert all(found[:2] == (number, 7 * number) for number, found in crew.told)
    workers = {found[2] for _, found in crew.told}
    assert os.getpid() not in workers
    said = {e.message for e in crew.events if isinstance(e, Notice)}
    assert len(said) == 2 and {f"here is {w}" for w in workers} <= said


def test_an_error_with_a_code_and_advice_comes_back_whole(crew):
    with pytest.raises(InfeasibleError, match="too small") as raised:
        crew({3: "infeasible"})
    error = raised.value
    assert (error.smallest, error.binds, error.advice) == ({"flops": 3.0}, "the stem", "more")
    assert error.exit_code == 3
    assert "in infeasible" in error.__notes__[0]  # where it was raised, for --debug
    assert {0, 1} <= {number for number, _ in crew.told}


def test_an_error_before_the_first_number_comes_back_too(crew):
    with pytest.raises(UnknownNameError, match="unknown cost 'flop'; nearest known: flops"):
        crew({"opening": "unknown"})


def test_an_error_that_cannot_travel_goes_by_its_name(crew):
    with pytest.raises(RuntimeError, match="Odd: odd as can be"):
        crew({0: "odd"})


def test_a_process_that_is_killed_is_an_error_and_what_came_before_it_is_kept(crew):
    with pytest.raises(PeerLostError, match=r"signal 9.*memory") as raised:
        crew({4: "killed"}, processes=1)
    assert [number for number, _ in crew.told] == [0, 1, 2, 3]
    assert raised.value.exit_code == 130


@pytest.mark.skipif(
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN, reason="Ctrl-C is ignored by who runs this"
)
def test_ctrl_c_ends_all_and_keeps_what_another_has_just_finished(crew, tmp_path):
    before = signal.getsignal(signal.SIGINT)
    task = {"folder": str(tmp_path), 0: "first", 1: "second", 2: "sleeping", 3: "sleeping"}

    def done(number, found):
        if len(crew.told) == 1:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)  # the other one finishes meanwhile

    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        crew(task, range(4), done)
    assert sorted(number for number, _ in crew.told) == [0, 1]
    assert time.monotonic() - started < 30
    assert signal.getsignal(signal.SIGINT) is before


def test_a_ctrl_c_that_reaches_every_process_cuts_no_number_short(tmp_path):
    """As a terminal's does: it goes to the whole group."""
    (tmp_path / "their_work.py").write_text(SOURCE)
    (tmp_path / "begin.py").write_text(
        "import signal, time\n"
        "from pathlib import Path\n"
        "from their_work import opened\n"
        "from ofa_plugins_core.jobs.crew import worked\n"
        "def done(number, found):\n"
        "    print('done', number, flush=True)\n"
        "    if number == 1:\n"
        "        Path('told').touch()\n"  # Ctrl-C comes now, and the other one goes on
        "        end = time.monotonic() + 5\n"
        "        while not Path('over').exists() and time.monotonic() < end:\n"
        "            time.sleep(0.01)\n"
        "        time.sleep(0.2)\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "    task = {'folder': '.', 0: 'patient', 1: 'first', 2: 'sleeping', 3: 'sleeping'}\n"
        "    try:\n"
        "        worked(2, opened, task, range(4), done, lambda event: None)\n"
        "    except KeyboardInterrupt:\n"
        "        print('interrupted', flush=True)\n"
    )
    group = subprocess.Popen(
        [sys.executable, "begin.py"],
        cwd=tmp_path,
        start_new_session=True,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        _until((tmp_path / "told").exists)
        os.killpg(group.pid, signal.SIGINT)
        said, wrong = group.communicate(timeout=30)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(group.pid, signal.SIGKILL)
    assert (said.split("\n"), wrong) == (["done 1", "done 0", "interrupted", ""], "")


def test_no_process_outlives_one_that_was_killed(tmp_path):
    (tmp_path / "their_work.py").write_text(SOURCE)
    (tmp_path / "begin.py").write_text(
        "from their_work import opened\n"
        "from ofa_plugins_core.jobs.crew import worked\n"
        "if __name__ == '__main__':\n"
        "    task = {'folder': 'pids', 0: 'sleeping', 1: 'sleeping'}\n"
        "    worked(2, opened, task, [0, 1], print, print)\n"
    )
    (tmp_path / "pids").mkdir()
    parent = subprocess.Popen([sys.executable, "begin.py"], cwd=tmp_path)
    try:
        _until(lambda: len(list((tmp_path / "pids").iterdir())) == 2)
    finally:
        parent.kill()
        parent.wait()
    pids = [int(p.name) for p in (tmp_path / "pids").iterdir()]
    _until(lambda: not any(_alive(pid) for pid in pids))


def _until(met, seconds=30.0):
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.05)


def _alive(pid):
    """Whether a process still runs; one that nobody has buried yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
