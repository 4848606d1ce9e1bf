"""The device ``onnxruntime``: this machine's processor, by the runtime that networks leave for."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from ofa_plugins_core.interfaces import DeviceSession, Work
from ofa_plugins_core.nn.devices import machine
from ofa_plugins_core.nn.devices.onnx_blocks import onnx_model
from ofa_plugins_core.nn.devices.options import OnnxRuntimeOptions

PACKAGES = ("onnx", "onnxruntime")


@frozen(eq=False)
class OnnxRuntime:
    """This machine's processor, by ONNX Runtime: operators are fused as in a deployed file.

    Attributes:
        options: threads, cores.
    """

    options: OnnxRuntimeOptions

    def describe(self) -> dict[str, str]:
        """Model, cores, threads, clocks, versions."""
        found = machine.described(["onnxruntime"])
        found["threads"] = str(self.options.threads)
        if self.options.pin:
            found["pinned"] = ",".join(map(str, self.options.pin))
        return {"device": "onnxruntime", **found}

    @contextmanager
    def session(self) -> Iterator[DeviceSession]:
        """On the cores that the options say."""
        machine.needs(PACKAGES, "onnxruntime", "export")
        machine.check_threads(self.options.threads, self.options.pin)
        with machine.pinned(self.options.pin):
            yield OnnxSession(self.options.threads)


@frozen(eq=False)
class OnnxSession:
    """Loads work for ONNX Runtime."""

    threads: int

    def load(self, work: Work) -> OnnxWork:
        """Write the graph, let the runtime optimise it, and run it once."""
        import onnxruntime

        settings: Any = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.threads
        settings.inter_op_num_threads = 1
        settings.log_severity_level = 3
        model = onnx_model(work.blocks, work.batch)
        found = onnxruntime.InferenceSession(model, settings, providers=["CPUExecutionProvider"])
        generator = np.random.Generator(np.random.PCG64(0))
        loaded = OnnxWork(found, generator.random(work.input_shape, dtype=np.float32))
        loaded.times(1)
        return loaded

    def conditions(self) -> dict[str, float]:
        """Clock, load, temperature."""
        return machine.conditions()


@frozen(eq=False)
class OnnxWork:
    """A session of the runtime, with input of its shape."""

    session: Any
    images: NDArray[np.float32]

    def times(self, passes: int) -> Sequence[float]:
        """Milliseconds of passes in a row; the input was written just before, as in a network."""
        np.add(self.images, np.float32(0), out=self.images)
        given, found = {"x": self.images}, []
        for _ in range(passes):
            start = time.perf_counter()
            self.session.run(None, given)
            found.append((time.perf_counter() - start) * 1000)
        return found

    def release(self) -> None:
        """Nothing is held but memory, which goes with the last reference."""
