"""Signals that end a run: the first does, no later one keeps anything from being put back."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dynamic_ofa.live.stopping import SIGNALS, Stopping

HERE = Path(__file__).parent
TERM = signal.SIGTERM


@pytest.fixture
def heard():
    """Signals that reach whoever had them before."""
    found = []
    before = {n: signal.signal(n, lambda number, _: found.append(number)) for n in SIGNALS}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_interrupts_and_no_later_one_does(heard, number):
    with Stopping():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(number)
        for again in SIGNALS:
            signal.raise_signal(again)
    assert heard == []
    signal.raise_signal(number)
    assert heard == [number]


def test_nothing_interrupts_where_the_run_is_over(heard):
    with Stopping() as stopping:
        stopping.ignore()
        signal.raise_signal(TERM)
    assert heard == []


def test_what_is_ignored_stays_ignored(heard):
    signal.signal(TERM, signal.SIG_IGN)  # as nohup has it for SIGHUP
    with Stopping():
        assert signal.getsignal(TERM) is signal.SIG_IGN
    assert signal.getsignal(TERM) is signal.SIG_IGN


def test_a_handler_that_is_not_pythons_is_left_alone(heard, monkeypatch):
    asked = []
    monkeypatch.setattr(signal, "getsignal", lambda number: None)
    monkeypatch.setattr(signal, "signal", lambda *given: asked.append(given))
    with Stopping():
        pass
    assert asked == []


def test_only_the_main_thread_hears_signals(heard):
    failures = []

    def elsewhere():
        try:
            with Stopping():
                assert signal.getsignal(TERM) is handler
        except BaseException as error:
            failures.append(error)

    handler = signal.getsignal(TERM)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert failures == []


@pytest.mark.parametrize(
    "numbers",
    [("SIGHUP",), ("SIGTERM", "SIGTERM"), ("SIGINT", "SIGINT", "SIGHUP"), ("SIGHUP", "SIGTERM")],
    ids="-".join,
)
def test_the_clock_is_limited_no_longer_whatever_signals_end_the_run(numbers, tmp_path):
    if not all(hasattr(signal, name) for name in numbers):
        pytest.skip("this system has no SIGHUP")
    limit = clock_limit(tmp_path)
    ran = limited_run(tmp_path, *numbers)
    assert limit.read_text() == "1500000\n"
    assert ran.returncode == 130 and ran.stdout == "3 inferences\n", ran.stderr


def test_a_run_that_is_over_is_not_interrupted_while_it_puts_things_back(tmp_path):
    limit = clock_limit(tmp_path)
    ran = limited_run(tmp_path, "-", "SIGTERM", "SIGINT")
    assert limit.read_text() == "1500000\n"
    assert ran.returncode == 0 and ran.stdout == "9 inferences\n", ran.stderr


def limited_run(*words):
    """The program limited.py, when it has ended."""
    return subprocess.run(
        [sys.executable, HERE / "limited.py", HERE / "conftest.py", *words],
        capture_output=True,
        text=True,
        timeout=120,
    )


def clock_limit(root):
    """The file of a core's limit, 1500 MHz, below the root of a file system."""
    folder = root / "sys/devices/system/cpu/cpu0/cpufreq"
    folder.mkdir(parents=True)
    for name, khz in (("scaling_max", 1500000), ("cpuinfo_min", 800000), ("cpuinfo_max", 1500000)):
        (folder / f"{name}_freq").write_text(f"{khz}\n")
    return folder / "scaling_max_freq"
