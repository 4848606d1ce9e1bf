"""The core's devices as entries: cpu, cuda, onnxruntime."""

from __future__ import annotations

from collections.abc import Iterator

from ofa_plugins_core.entries import DeviceEntry
from ofa_plugins_core.interfaces import Device
from ofa_plugins_core.nn.devices.options import CpuOptions, CudaOptions, OnnxRuntimeOptions


def entries() -> Iterator[DeviceEntry]:
    """cpu, cuda, onnxruntime."""
    yield DeviceEntry("cpu", "this machine's processor, by torch", _cpu, CpuOptions)
    yield DeviceEntry("cuda", "an NVIDIA GPU, by torch, timed by events", _cuda, CudaOptions)
    yield DeviceEntry(
        "onnxruntime",
        "this machine's processor, by ONNX Runtime with its fusions",
        _onnxruntime,
        OnnxRuntimeOptions,
    )


def _cpu(options: CpuOptions) -> Device:
    from ofa_plugins_core.nn.devices.cpu import Cpu

    return Cpu(options)


def _cuda(options: CudaOptions) -> Device:
    from ofa_plugins_core.nn.devices.cuda import Cuda

    return Cuda(options)


def _onnxruntime(options: OnnxRuntimeOptions) -> Device:
    from ofa_plugins_core.nn.devices.onnx_runtime import OnnxRuntime

    return OnnxRuntime(options)
