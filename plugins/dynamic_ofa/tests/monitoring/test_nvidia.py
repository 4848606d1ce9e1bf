"""The monitor of NVIDIA's GPUs, with a stand-in for NVML's binding."""

from __future__ import annotations

import sys

import pytest

from dynamic_ofa.monitoring.nvidia import Nvidia
from ofa_plugins_core.errors import MissingExtraError, UsageError
from ofa_plugins_core.testing import MonitorSuite


@pytest.fixture(autouse=True)
def installed(nvml, monkeypatch):
    """The stand-in is what ``import pynvml`` finds."""
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return nvml


class TestNvidia(MonitorSuite):
    @pytest.fixture
    def monitor(self, installed):
        return Nvidia.found()


def test_leaves_out_what_a_gpu_does_not_tell():
    assert Nvidia.found().read() == {
        "gpu_percent": 37.0,
        "gpu_memory_percent": 25.0,
        "gpu_mhz": 1410.0,
        "gpu_celsius": 61.0,
    }


def test_power_is_told_in_milliwatts(nvml):
    nvml.nvmlDeviceGetPowerUsage = lambda handle: 71_500
    assert Nvidia.found().read()["gpu_watts"] == 71.5


@pytest.mark.parametrize(
    ("visible", "handle"), [("2,0", "GPU number 2"), ("GPU-ab12,1", "GPU GPU-ab12")]
)
def test_the_gpu_is_the_one_that_cuda_calls_the_first(nvml, monkeypatch, visible, handle):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    asked = []
    nvml.nvmlDeviceGetClockInfo = lambda handle, kind: asked.append(handle) or 1
    Nvidia.found().read()
    assert asked == [handle]


def test_no_gpu_is_one_clear_line(nvml, monkeypatch):
    def init():
        raise nvml.NVMLError("Driver Not Loaded")

    nvml.nvmlInit = init
    with pytest.raises(UsageError, match="no NVIDIA GPU to monitor: Driver Not Loaded"):
        Nvidia.found()
    nvml.nvmlInit = lambda: None
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(UsageError, match="shows this process no GPU"):
        Nvidia.found()


def test_without_the_binding_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(MissingExtraError, match=r"\[nvml\]"):
        Nvidia.found()


def test_a_driver_that_goes_is_an_error_of_the_reading(nvml):
    monitor = Nvidia.found()

    def lost(handle):
        raise nvml.NVMLError("GPU is lost")

    nvml.nvmlDeviceGetUtilizationRates = lost
    with pytest.raises(nvml.NVMLError, match="lost"):
        monitor.read()
