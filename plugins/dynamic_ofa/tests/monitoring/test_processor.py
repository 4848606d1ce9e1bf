"""The monitor of this machine."""

from __future__ import annotations

from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from dynamic_ofa.monitoring.processor import Processor
from ofa_plugins_core.testing import MonitorSuite


class TestProcessor(MonitorSuite):
    @pytest.fixture
    def monitor(self):
        return Processor()


def test_tells_use_of_processor_and_memory():
    found = Processor().read()
    assert 0 <= found["cpu_percent"] <= 100 and 0 < found["memory_percent"] <= 100
    assert found["process_memory_mb"] > 5  # Python alone has more


@pytest.mark.parametrize("answer", [lambda: None, FileNotFoundError, NotImplementedError])
def test_a_system_without_clocks_has_none(monkeypatch, answer):
    def ask():
        if isinstance(answer, type):
            raise answer
        return answer()

    monkeypatch.setattr(psutil, "cpu_freq", ask)
    found = Processor().read()
    assert "clock_mhz" not in found and "cpu_percent" in found


Times = namedtuple("Times", "user idle iowait guest")


def test_use_is_since_the_last_reading_in_whichever_thread_that_was(monkeypatch):
    seconds = [(10, 10, 0, 5), (40, 15, 5, 30), (40, 15, 5, 30), (40, 25, 5, 30)]
    times = iter([Times(*of) for of in seconds])  # a guest's are the user's, too
    monkeypatch.setattr(psutil, "cpu_times", lambda: next(times))
    monitor = Processor()
    with ThreadPoolExecutor(1) as beside:
        assert beside.submit(monitor.read).result()["cpu_percent"] == 75
    assert monitor.read()["cpu_percent"] == 75  # no time has passed
    assert monitor.read()["cpu_percent"] == 0
