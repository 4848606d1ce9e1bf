"""The monitor of this machine."""

from __future__ import annotations

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
