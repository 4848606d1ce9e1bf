"""torch's own allocations on the CPU, eager, as its profiler records them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import torch
from torch import nn

from ofa_plugins_core.nn.planners.record import Moment, Plan, Tensor, by_op, largest

NOTE: Final = (
    "bytes that torch's CPU allocator held at once during a forward pass in inference mode, the "
    "kernels' scratch included where it goes through that allocator, the image not"
)


def torch_plan(module: nn.Module, size: int) -> Plan:
    """What torch allots on the CPU while a network runs eagerly; float, batch 1.

    Args:
        module: takes (n, 3, size, size); stays as it is.
        size: of the image, in pixels.
    """
    image = torch.zeros(1, 3, size, size)
    training = module.training
    module.eval()
    try:
        events = _profiled(module, image)
    finally:
        module.train(training)
    moments = list(_moments(events))
    peak = largest(moments)
    weights = sum(p.nbytes for p in (*module.parameters(), *module.buffers()))
    return Plan(
        "torch",
        f"{torch.__version__}, CPU, eager",
        "fp32",
        0 if peak is None else peak.bytes,
        weights,
        None,
        by_op(moments),
        peak,
        NOTE,
    )


def _profiled(module: nn.Module, image: torch.Tensor) -> list[dict[str, Any]]:
    """Events of the second pass: the first one fills caches that stay."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.inference_mode(), _unlogged(), TemporaryDirectory() as folder:
        module(image)
        with torch.profiler.profile(
            activities=activities, profile_memory=True, record_shapes=True
        ) as profile:
            module(image)
        path = Path(folder) / "trace.json"
        profile.export_chrome_trace(str(path))
        found: list[dict[str, Any]] = json.loads(path.read_text())["traceEvents"]
    return found


@contextmanager
def _unlogged() -> Iterator[None]:
    """The profiler's library writes lines of its own to stderr, unless it is told not to."""
    name = "KINETO_LOG_LEVEL"
    told = name in os.environ
    os.environ.setdefault(name, "9")
    try:
        yield
    finally:
        if not told:
            del os.environ[name]


def _moments(events: Sequence[Mapping[str, Any]]) -> Iterator[Moment]:
    """What is allocated after each allocation, named by the outermost op around it."""
    ops = [e for e in events if e.get("cat") == "cpu_op"]
    changes = [e for e in events if e.get("name") == "[memory]" and "Bytes" in e.get("args", {})]
    alive: dict[int, Tensor] = {}
    for change in sorted(changes, key=lambda e: float(e["ts"])):
        where, count = int(change["args"]["Addr"]), int(change["args"]["Bytes"])
        if count < 0:
            alive.pop(where, None)  # what was there before the pass is not ours
            continue
        name = _op_at(ops, float(change["ts"]))
        alive[where] = Tensor(name, (), "fp32", count)
        yield Moment(name, tuple(alive.values()))


def _op_at(ops: Sequence[Mapping[str, Any]], time: float) -> str:
    """The outermost op that runs at a time (µs)."""
    around = [o for o in ops if o["ts"] <= time <= o["ts"] + o["dur"]]
    if not around:
        return "outside of an op"
    return str(max(around, key=lambda o: float(o["dur"]))["name"])
