"""Threads of torch, and the limit of the processor's clock."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dynamic_ofa.monitoring.actuators import CpuClock, Threads
from dynamic_ofa.monitoring.options import CpuClockOptions
from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.testing import ActuatorSuite


@pytest.fixture
def torch():
    """A stand-in with seven threads."""
    now = [7]
    return SimpleNamespace(
        get_num_threads=lambda: now[0], set_num_threads=lambda count: now.__setitem__(0, count)
    )


class TestThreads(ActuatorSuite):
    @pytest.fixture
    def actuator(self, torch):
        return Threads(torch, 4)


class TestCpuClock(ActuatorSuite):
    @pytest.fixture
    def actuator(self, cpufreq):
        return CpuClock.found(CpuClockOptions(cpufreq))


def test_threads_are_whole_and_as_many_as_cores(torch):
    threads = Threads(torch, 2)
    assert threads.values == (1, 2, 7)  # 7: so that it can be put back
    threads.set(2)
    assert threads.get() == 2 and isinstance(torch.get_num_threads(), int)
    with pytest.raises(UsageError, match=r"cannot be set to 1\.5: it takes 1, 2, 7"):
        threads.set(1.5)


def test_threads_need_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match=r"\[torch\]"):
        Threads.found()


def test_a_clock_without_a_list_goes_in_steps(cpufreq, limits):
    clock = CpuClock.found(CpuClockOptions(cpufreq))
    assert clock.values == (1200, 1300, 1400, 1500, 1600, 1700, 1800, 1850)
    assert clock.get() == 1800
    clock.set(1300)
    assert limits() == [1_300_000, 1_300_000] and clock.get() == 1300


def test_a_clock_takes_the_listed_steps(cpufreq):
    for folder in cpufreq.glob("sys/devices/system/cpu/cpu*/cpufreq"):
        (folder / "scaling_available_frequencies").write_text("1800000 900000 \n")
    assert CpuClock.found(CpuClockOptions(cpufreq)).values == (900, 1800)


def test_putting_back_gives_each_core_its_own_limit(cpufreq, limits):
    clock = CpuClock.found(CpuClockOptions(cpufreq))
    before = clock.get()
    clock.set(1200)
    clock.set(before)
    assert limits() == [1_800_000, 1_500_000]


def test_a_clock_that_is_refused_stays_as_it_was(cpufreq, limits, monkeypatch):
    clock = CpuClock.found(CpuClockOptions(cpufreq))
    real, refused = Path.write_text, []

    def write(self, text, *args):
        if self.parent.parent.name == "cpu1" and not refused:
            refused.append(self)
            raise PermissionError(1, "Operation not permitted")
        return real(self, text, *args)

    monkeypatch.setattr(Path, "write_text", write)
    with pytest.raises(UsageError, match="to 1300 MHz: Operation not permitted"):
        clock.set(1300)
    assert limits() == [1_800_000, 1_500_000]


def test_a_machine_without_cpufreq_or_permission_says_so(tmp_path, cpufreq, monkeypatch):
    with pytest.raises(UsageError, match="lets nobody limit"):
        CpuClock.found(CpuClockOptions(tmp_path / "nothing"))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match=r"no permission to write .*scaling_max_freq") as caught:
        CpuClock.found(CpuClockOptions(cpufreq))
    assert "run as root" in caught.value.advice


def test_a_clock_that_says_no_number_is_refused(cpufreq):
    (cpufreq / "sys/devices/system/cpu/cpu0/cpufreq/scaling_max_freq").write_text("<unknown>\n")
    with pytest.raises(UsageError, match="cannot be read"):
        CpuClock.found(CpuClockOptions(cpufreq))
