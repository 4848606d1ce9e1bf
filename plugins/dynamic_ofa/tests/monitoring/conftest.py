"""Stand-ins: a processor whose clock can be limited, NVML, and monitors that fail."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dynamic_ofa.monitoring.watching import Named
from ofa_plugins_core.blame import Plugin


@pytest.fixture
def cpufreq(tmp_path):
    """The root of a file system in which two cores have different limits."""
    for core, limit in ((0, 1_800_000), (1, 1_500_000)):
        folder = tmp_path / f"sys/devices/system/cpu/cpu{core}/cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_max_freq").write_text(f"{limit}\n")
        (folder / "cpuinfo_min_freq").write_text("1200000\n")
        (folder / "cpuinfo_max_freq").write_text("1850000\n")
    return tmp_path


@pytest.fixture
def limits(cpufreq):
    """() -> the cores' limits as they are written, kHz."""

    def read():
        files = sorted(cpufreq.glob("sys/devices/system/cpu/cpu*/cpufreq/scaling_max_freq"))
        return [int(file.read_text()) for file in files]

    return read


class NVMLError(Exception):
    """As the binding's."""


class NotSupportedError(NVMLError):
    """As the binding's, for what a GPU does not tell."""


@pytest.fixture
def nvml():
    """A stand-in for the module pynvml with one GPU, which does not tell its power."""

    def power(handle):
        raise NotSupportedError("Not Supported")

    return SimpleNamespace(
        NVMLError=NVMLError,
        NVMLError_NotSupported=NotSupportedError,
        NVML_CLOCK_SM=1,
        NVML_TEMPERATURE_GPU=0,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda number: f"GPU number {number}",
        nvmlDeviceGetHandleByUUID=lambda uuid: f"GPU {uuid}",
        nvmlDeviceGetUtilizationRates=lambda handle: SimpleNamespace(gpu=37, memory=5),
        nvmlDeviceGetMemoryInfo=lambda handle: SimpleNamespace(used=20, total=80),
        nvmlDeviceGetClockInfo=lambda handle, kind: 1410,
        nvmlDeviceGetTemperature=lambda handle, kind: 61,
        nvmlDeviceGetPowerUsage=power,
    )


class Told:
    """A monitor that gives what it is told to, in turn; an exception is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def read(self):
        """The next answer; the last one for ever."""
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return found


@pytest.fixture
def told():
    """(name, *answers) -> a monitor of the plugin 'boards' 1.2 that gives them."""
    plugin = Plugin("boards", "ofa-boards", "1.2")
    return lambda name, *answers: Named(name, Told(*answers), plugin)


class Knob:
    """An actuator of 1, 2 or 3; writes down what it was set to."""

    unit = "threads"
    values = (1.0, 2.0, 3.0)

    def __init__(self, at=2.0):
        self.at, self.log = at, []
        self.fails: list[BaseException] = []

    def get(self):
        """As set."""
        return self.at

    def set(self, value):
        """Raises what is in ``fails`` first."""
        if self.fails:
            raise self.fails.pop(0)
        self.at = value
        self.log.append(value)


@pytest.fixture
def knob():
    """An actuator of 1, 2 or 3 that is at 2."""
    return Knob()
