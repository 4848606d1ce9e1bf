"""The device ``cuda``: torch on an NVIDIA GPU, timed by CUDA events."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from attrs import frozen

from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.interfaces import DeviceSession
from ofa_plugins_core.nn.devices import machine
from ofa_plugins_core.nn.devices.options import CudaOptions

READINGS: Final[dict[str, str]] = {
    "gpu_mhz": "clock_rate",
    "gpu_celsius": "temperature",
    "gpu_percent": "utilization",
}
"""Condition -> torch.cuda's function of that name; each needs NVML."""


@frozen(eq=False)
class Cuda:
    """A GPU, by torch.

    Attributes:
        options: which one, layout, data type.
    """

    options: CudaOptions

    def describe(self) -> dict[str, str]:
        """Model, multiprocessors, memory, versions.

        Raises:
            UsageError: there is no such GPU.
        """
        self._check()
        import torch

        found = torch.cuda.get_device_properties(self.options.index)
        described = {
            "device": "cuda",
            "model": found.name,
            "multiprocessors": str(found.multi_processor_count),
            "memory_mib": str(found.total_memory // 2**20),
            "compute_capability": f"{found.major}.{found.minor}",
            "torch": torch.__version__,
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
            "dtype": self.options.dtype,
        }
        if clock := getattr(found, "clock_rate", 0):  # kHz; not every torch tells it
            described["clock_limit_mhz"] = str(clock // 1000)
        if self.options.channels_last:
            described["layout"] = "channels last"
        return described

    def _check(self) -> None:
        machine.needs(["torch"], "cuda", "torch")
        import torch

        if not torch.cuda.is_available():
            raise UsageError(
                "this machine has no GPU that torch can use", advice="--device cpu runs here"
            )
        if self.options.index >= torch.cuda.device_count():
            raise UsageError(
                f"there is no GPU {self.options.index}; torch sees {torch.cuda.device_count()}"
            )

    @contextmanager
    def session(self) -> Iterator[DeviceSession]:
        """Kernels are chosen by trying them at each new shape, as deployment does."""
        self._check()
        import torch

        from ofa_plugins_core.nn.devices.torch_work import TorchSession

        device = torch.device("cuda", self.options.index)
        dtype = {"fp32": torch.float32, "fp16": torch.float16}[self.options.dtype]
        before = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = True
        try:
            with torch.cuda.device(device):
                yield TorchSession(
                    device, _event_clock(), self._reading, self.options.channels_last, dtype
                )
        finally:
            torch.backends.cudnn.benchmark = before

    def _reading(self) -> dict[str, float]:
        import torch

        found = {}
        for name, function in READINGS.items():
            with suppress(Exception):  # NVML's bindings are not there, or refuse: nothing to tell
                found[name] = float(getattr(torch.cuda, function)(self.options.index))
        return found


def _event_clock() -> Callable[[Callable[[], object]], float]:
    """Times a pass on the GPU's own clock, from its first kernel to its last."""
    import torch

    start: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
    end: Any = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]

    def clock(run: Callable[[], object]) -> float:
        torch.cuda.synchronize()
        start.record()
        run()
        end.record()
        end.synchronize()
        return float(start.elapsed_time(end))

    return clock
