"""This machine: told as far as the system tells it, and left as it was."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import threading
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.nn.devices import machine

CAN_PIN = hasattr(os, "sched_setaffinity")
needs_pinning = pytest.mark.skipif(not CAN_PIN, reason="this system cannot pin a process to cores")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """An empty system; ``system(cpuinfo=…, scaling_cur_freq=…, zone0=…)`` fills it."""
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(machine, "CPUFREQ", tmp_path / "cpufreq")
    monkeypatch.setattr(machine, "THERMAL", tmp_path / "thermal")
    (tmp_path / "cpufreq").mkdir()

    def fill(**files):
        for name, text in files.items():
            path = tmp_path / "cpufreq" / name
            if name == "cpuinfo":
                path = tmp_path / "cpuinfo"
            elif name.startswith("zone"):
                path = tmp_path / "thermal" / f"thermal_{name}" / "temp"
                path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    return fill


class TestDescribed:
    """What it is."""

    def test_here(self):
        found = machine.described(["numpy", "no-such-package"])
        assert found["model"] and found["cores"] == str(os.cpu_count())
        assert found["system"].split()[0] == os.uname().sysname
        assert "numpy" in found and "no-such-package" not in found
        assert all(isinstance(text, str) and text for text in found.values())

    def test_it_does_not_change(self):
        assert machine.described(["numpy"]) == machine.described(["numpy"])

    @pytest.mark.parametrize(
        ("cpuinfo", "model"),
        [
            ("processor\t: 0\nmodel name\t: Fast CPU @ 3 GHz\ncpu MHz\t: 1\n", "Fast CPU @ 3 GHz"),
            ("processor : 0\nHardware : Board 7\n", "Board 7"),
            ("processor : 0\nModel : Pi 5\n", "Pi 5"),
            ("CPU part\t: 0xd42\n", "0xd42"),
        ],
    )
    def test_a_model_is_found_however_it_is_called(self, system, cpuinfo, model):
        system(cpuinfo=cpuinfo)
        assert machine.described([])["model"] == model

    def test_a_system_that_tells_nothing(self, system):
        found = machine.described([])
        assert found["model"]
        assert "governor" not in found

    def test_clock_limits(self, system):
        system(scaling_governor="performance\n", scaling_max_freq="3000000\n")
        found = machine.described([])
        assert (found["governor"], found["clock_limit_khz"]) == ("performance", "3000000")


class TestConditions:
    """How it is now."""

    def test_here_they_are_finite_numbers(self):
        assert all(math.isfinite(v) for v in machine.conditions().values())

    def test_clocks_of_proc(self, system):
        system(cpuinfo="cpu MHz\t\t: 1200.5\ncpu MHz\t\t: 2400.25\n")
        assert machine.conditions()["cpu_mhz"] == 2400.25

    def test_clocks_of_sys_come_first(self, system):
        system(cpuinfo="cpu MHz\t\t: 1200.5\n", scaling_cur_freq="1800000")
        assert machine.conditions()["cpu_mhz"] == 1800.0

    def test_the_warmest_zone(self, system):
        system(zone0="41500\n", zone1="56000\n", zone2="broken")
        assert machine.conditions()["cpu_celsius"] == 56.0

    def test_a_system_that_tells_nothing(self, system):
        assert set(machine.conditions()) <= {"load_1min"}

    @settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.sampled_from(["cpuinfo", "scaling_cur_freq", "zone0"]), st.text(max_size=20))
    @pytest.mark.parametrize("start", ["", "cpu MHz : "])
    def test_whatever_stands_there_ends_nothing(self, system, start, name, text):
        system(**{name: (start + text).encode("utf-8", "replace").decode()})
        assert all(math.isfinite(v) for v in machine.conditions().values())
        machine.described([])

    @pytest.mark.parametrize("text", ["<unknown>", "", "0x10", "-"])
    def test_a_clock_that_the_system_does_not_know(self, system, text):
        system(scaling_cur_freq=text)
        assert "cpu_mhz" not in machine.conditions()


def affinities():
    found = {}
    for thread in machine._threads():
        with suppress(ProcessLookupError):  # of another test, and just ended
            found[thread] = os.sched_getaffinity(thread)
    return found


def same(now, before):
    """Of every thread that is still there, this one among them."""
    both = now.keys() & before.keys()
    return threading.get_native_id() in both and all(now[t] == before[t] for t in both)


@needs_pinning
class TestPinned:
    """Every thread on some cores, and back."""

    CORE = min(os.sched_getaffinity(0)) if CAN_PIN else 0

    def test_all_threads_are_on_them(self):
        ready, end = threading.Event(), threading.Event()
        thread = threading.Thread(target=lambda: (ready.set(), end.wait()))
        thread.start()
        ready.wait()
        try:
            with machine.pinned([self.CORE]):
                assert set(map(frozenset, affinities().values())) == {frozenset([self.CORE])}
        finally:
            end.set()
            thread.join()

    def test_afterwards_all_is_as_before(self):
        before = affinities()
        with machine.pinned([self.CORE]):
            pass
        assert same(affinities(), before)

    def test_a_thread_that_ends_meanwhile_is_no_matter(self, monkeypatch):
        """Listed, and gone before it is its turn."""
        ended = threading.Thread(target=lambda: None)
        ended.start()
        ended.join()
        listed = [ended.native_id, *affinities()]
        monkeypatch.setattr(machine, "_threads", lambda: listed)
        with machine.pinned([self.CORE]):
            assert os.sched_getaffinity(0) == {self.CORE}

    @pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
    def test_after_an_exception_too(self, error):
        before = affinities()
        with pytest.raises(type(error)), machine.pinned([self.CORE]):
            raise error
        assert same(affinities(), before)

    def test_threads_that_began_meanwhile_are_freed_too(self):
        """A pool of torch's that is first used inside would else stay on these cores."""
        if len(os.sched_getaffinity(0)) < 2:
            pytest.skip("this process has one core alone")
        before, end = os.sched_getaffinity(0), threading.Event()
        with machine.pinned([self.CORE]):
            thread = threading.Thread(target=end.wait)
            thread.start()
        try:
            assert os.sched_getaffinity(thread.native_id) == before
        finally:
            end.set()
            thread.join()

    def test_none_is_all(self):
        before = affinities()
        with machine.pinned([]):
            assert same(affinities(), before)

    def test_cores_that_are_not_there(self):
        before = affinities()
        with (
            pytest.raises(UsageError, match="cannot pin to cores 4097") as caught,
            machine.pinned([4097]),
        ):
            pass
        assert str(self.CORE) in caught.value.advice
        assert same(affinities(), before)

    def test_a_system_that_cannot(self, monkeypatch):
        monkeypatch.delattr(os, "sched_setaffinity")
        with pytest.raises(UsageError, match="cannot pin"), machine.pinned([0]):
            pass


class TestMemory:
    """Freed memory stays with the process, or the next pass asks for it page by page."""

    PROGRAM = """

import resource
from statistics import median
import torch
from ofa_plugins_core.nn.devices import machine

def faults_of_a_pass():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    (images + 1, images + 2)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

if {keep}:
    machine.keep_memory()
images = torch.zeros(1, 64, 224, 224)
print(median(faults_of_a_pass() for _ in range(15)))
"""

    def faults(self, keep):
        words = [sys.executable, "-c", self.PROGRAM.format(keep=keep)]
        env = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "131072"}  # glibc's own, and fixed
        done = subprocess.run(words, capture_output=True, text=True, check=True, env=env)
        return float(done.stdout)

    @pytest.mark.skipif(not machine.can_keep_memory(), reason="the C library is not glibc")
    def test_a_pass_faults_no_more(self):
        """Two tensors of 12.8 MB: some thousands of pages a pass (a dozen huge ones), or none.

        The middle one of the passes: the heap may still grow once, in any of them.
        """
        pytest.importorskip("torch")
        assert self.faults(keep=True) < 3
        assert self.faults(keep=False) > 6

    @pytest.mark.parametrize("library", [SimpleNamespace(), SimpleNamespace(mallopt=None)])
    def test_another_c_library_is_left_alone(self, monkeypatch, library):
        monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: library)
        assert not machine.can_keep_memory()
        machine.keep_memory()

    def test_another_system_is_left_alone(self, monkeypatch):
        def refused(name):
            raise TypeError("a name is needed here")

        monkeypatch.setattr(machine.ctypes, "CDLL", refused)
        assert not machine.can_keep_memory()
        machine.keep_memory()


def test_what_it_runs_on_has_to_be_installed():
    machine.needs(["numpy"], "toy", "torch")
    with pytest.raises(MissingExtraError, match=r"the device toy"):
        machine.needs(["numpy", "no_such_package"], "toy", "torch")
