"""The second load: real processes, which never outlive the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from dynamic_ofa.live.contending import MODULE, Contention, during_of
from ofa_plugins_core.errors import InputError, UsageError

ALWAYS = (0.0, 60.0)


def until(condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def children():
    """Processes of the second load below this one."""
    found = psutil.Process().children(recursive=True)
    return [p for p in found if MODULE in " ".join(_words(p))]


def _words(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def used(process):
    """Seconds of processor time so far."""
    times = process.cpu_times()
    return times.user + times.system


def rests(process):
    """Whether it does next to nothing for a while."""
    before = used(process)
    time.sleep(0.2)
    return used(process) - before < 0.05


def ended(pid):
    """Whether a process is gone; where nobody fetches orphans they stay as zombies."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_works_from_one_time_to_another_and_is_gone_afterwards():
    notices = []
    with Contention(1, (1.0, 2.0), notices.append) as load:
        (process,) = children()
        assert not load.at(0.5)
        resting = used(process)
        assert load.at(1.0) and load.working
        until(lambda: used(process) > resting + 0.1)  # real work
        assert not load.at(2.0)
        until(lambda: rests(process))  # once the word has arrived
    assert not process.is_running()
    assert [n.message for n in notices] == [
        "1.0 s: the second load begins: 1 busy process",
        "2.0 s: the second load ends",
    ]


def test_ends_its_processes_whatever_ends_the_run():
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert children() == []


def interrupted():
    with Contention(1, ALWAYS, lambda event: None) as load:
        load.at(0.0)
        raise KeyboardInterrupt


def test_a_process_that_ends_by_itself_is_told_and_the_run_goes_on():
    notices = []
    with Contention(1, (0.0, 1.0), notices.append) as load:
        load.at(0.0)
        (process,) = children()
        process.kill()
        until(lambda: ended(process.pid))
        load.at(1.0)
    assert "ended by itself" in notices[1].message


def test_ends_when_its_parent_dies():
    """The parent is killed outright: nothing of its own can put things in order."""
    program = (
        "import sys, time\n"
        "from dynamic_ofa.live.contending import Contention\n"
        "load = Contention(1, (0, 60), lambda event: None).__enter__()\n"
        "load.at(0)\n"
        "print(load._processes[0].pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until(lambda: ended(pid))


def test_a_load_that_does_not_start_is_an_error_and_leaves_nothing():
    with pytest.raises(InputError, match="cannot start the second load"):
        Contention(1, ALWAYS, print, module="dynamic_ofa.live.nothing").__enter__()


def test_none_is_no_process():
    with Contention(0, ALWAYS, print) as load:
        assert not load.at(1.0) and children() == []


@pytest.mark.parametrize(
    ("text", "found"), [("5 s:20 s", (5, 20)), ("500 ms:1 min", (0.5, 60)), ("0:4", (0, 4))]
)
def test_reads_when_it_works(text, found):
    assert during_of(text, None) == found


@pytest.mark.parametrize("text", ["", "5 s", "20 s:5 s", "5 s:", "a:b", "3 s:3 s"])
def test_times_that_make_no_sense_are_refused(text):
    with pytest.raises(UsageError, match="--contend-during"):
        during_of(text, 30.0)
