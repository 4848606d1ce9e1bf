"""What workers tell each other besides gradients: statistics, weights, decisions, files.

Process 0 alone reads and writes files: workers on other machines need no common disk.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ofa_plugins_core.nn.engines import Engine


@torch.no_grad()
def average_statistics(network: nn.Module, engine: Engine) -> None:
    """Give all workers the average of their running statistics, before comparing or saving them."""
    if engine.count == 1:
        return
    for name, buffer in network.named_buffers():
        if buffer.is_floating_point():
            engine.sum_(buffer, f"statistics.{name}")
            buffer.div_(engine.count)


def share_start(network: nn.Module, engine: Engine) -> None:
    """Give all workers process 0's weights and statistics."""
    if engine.count > 1:
        with torch.no_grad():
            for name, tensor in network.state_dict(keep_vars=True).items():
                engine.broadcast_(tensor.data, f"start.{name}")


def shared_bytes(content: bytes, engine: Engine, name: str) -> bytes:
    """Process 0's bytes, for all.

    Args:
        content: of process 0; what the others give is not looked at.
        name: of the broadcast, the same on all workers.
    """
    if engine.count == 1:
        return content
    length = torch.tensor([len(content)], dtype=torch.int64, device=engine.device)
    engine.broadcast_(length, f"{name}.length")
    payload = torch.zeros(int(length), dtype=torch.uint8)
    if engine.leads and content:
        payload = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    payload = payload.to(engine.device)
    if len(payload):
        engine.broadcast_(payload, name)
    return payload.cpu().numpy().tobytes()


def shared(value: Any, engine: Engine, name: str) -> Any:
    """Process 0's value, as JSON carries it, for all."""
    return json.loads(shared_bytes(json.dumps(value).encode(), engine, name))


def same_folder(out: Path, engine: Engine) -> Path:
    """Process 0's folder: where none was named, each has thought of one of its own."""
    return Path(shared(str(out), engine, "out"))
