"""How busy an NVIDIA GPU is, by NVML; not on Jetsons, which have none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any, Final

from ofa_plugins_core.errors import MissingExtraError, UsageError

BINDING: Final = "pynvml"
"""The module of nvidia-ml-py."""


class Nvidia:
    """The first GPU that CUDA shows to this process.

    Readings, where the GPU has them: ``gpu_percent`` and ``gpu_memory_percent`` of all programs,
    ``gpu_mhz``, ``gpu_celsius``, ``gpu_watts``.

    Args:
        nvml: the module of nvidia-ml-py, initialised.
        handle: of the GPU.
    """

    def __init__(self, nvml: Any, handle: Any) -> None:
        self._nvml, self._handle = nvml, handle

    @classmethod
    def found(cls) -> Nvidia:
        """The GPU of this machine.

        Raises:
            UsageError: there is none, or no driver.
            MissingExtraError: NVML's binding is not installed.
        """
        try:
            nvml = import_module(BINDING)
        except ModuleNotFoundError as error:
            raise MissingExtraError(
                "NVIDIA's monitor", "ofa-plugins-dynamic-ofa", "nvml"
            ) from error
        try:
            nvml.nvmlInit()
            return cls(nvml, _first(nvml))
        except nvml.NVMLError as error:
            raise UsageError(
                f"no NVIDIA GPU to monitor: {error}",
                advice="leave nvidia out of --monitors, or look at what nvidia-smi says",
            ) from error

    def read(self) -> Mapping[str, float]:
        """Readings now; what this GPU does not tell is left out.

        Raises:
            Exception: NVML fails: the driver is gone, or the GPU fell off the bus.
        """
        found: dict[str, float] = {}
        for ask in (self._use, self._memory, self._clock, self._heat, self._power):
            try:
                found.update(ask())
            except self._nvml.NVMLError_NotSupported:
                continue
        return found

    def _use(self) -> Iterator[tuple[str, float]]:
        yield "gpu_percent", float(self._nvml.nvmlDeviceGetUtilizationRates(self._handle).gpu)

    def _memory(self) -> Iterator[tuple[str, float]]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(self._handle)
        yield "gpu_memory_percent", 100 * memory.used / memory.total

    def _clock(self) -> Iterator[tuple[str, float]]:
        kind = self._nvml.NVML_CLOCK_SM
        yield "gpu_mhz", float(self._nvml.nvmlDeviceGetClockInfo(self._handle, kind))

    def _heat(self) -> Iterator[tuple[str, float]]:
        kind = self._nvml.NVML_TEMPERATURE_GPU
        yield "gpu_celsius", float(self._nvml.nvmlDeviceGetTemperature(self._handle, kind))

    def _power(self) -> Iterator[tuple[str, float]]:
        yield "gpu_watts", self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1000  # told in mW


def _first(nvml: Any) -> Any:
    """The GPU that CUDA calls 0: CUDA_VISIBLE_DEVICES names it by number or by UUID."""
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0].strip()
    by_number: Callable[[int], Any] = nvml.nvmlDeviceGetHandleByIndex
    if first.isdigit():
        return by_number(int(first))
    if first.startswith("GPU-"):
        return nvml.nvmlDeviceGetHandleByUUID(first)
    raise UsageError(
        f"CUDA_VISIBLE_DEVICES={first!r:.60} shows this process no GPU to monitor",
        advice="leave nvidia out of --monitors",
    )
