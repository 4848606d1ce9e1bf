"""The device ``cpu``: torch on this machine's processor."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import frozen

from ofa_plugins_core.interfaces import DeviceSession
from ofa_plugins_core.nn.devices import machine
from ofa_plugins_core.nn.devices.options import CpuOptions


@frozen(eq=False)
class Cpu:
    """This machine's processor, by torch.

    Attributes:
        options: threads, cores, layout, memory.
    """

    options: CpuOptions

    def describe(self) -> dict[str, str]:
        """Model, cores, threads, clocks, versions."""
        found = machine.described(["torch"])
        found["threads"] = str(self.options.threads)
        if self.options.pin:
            found["pinned"] = ",".join(map(str, self.options.pin))
        if self.options.channels_last:
            found["layout"] = "channels last"
        if self.options.keep_memory and machine.can_keep_memory():
            found["memory"] = "kept"
        return {"device": "cpu", **found}

    @contextmanager
    def session(self) -> Iterator[DeviceSession]:
        """Threads and cores as the options say, as before afterwards; memory stays kept."""
        machine.needs(["torch"], "cpu", "torch")
        import torch

        from ofa_plugins_core.nn.devices.torch_work import TorchSession, threads, wall_clock

        machine.check_threads(self.options.threads, self.options.pin)
        if self.options.keep_memory:
            machine.keep_memory()
        with machine.pinned(self.options.pin), threads(self.options.threads):
            yield TorchSession(
                torch.device("cpu"), wall_clock, machine.conditions, self.options.channels_last
            )
