"""Whose weights these are: a hash that does not depend on the file that they came in."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import torch

SHOWN: Final = 12
"""Digits of a hash in messages."""


def digest_of(net: Any) -> str:
    """The sha256 of a supernet's weights, hexadecimal.

    Over its published tensors by name: type, shape and numbers of each. Counters of batches take
    no part, as no network runs on them.

    Args:
        net: an ``ElasticModule``.
    """
    found = hashlib.sha256()
    for name, tensor in sorted(net.published().items()):
        if tensor.is_floating_point():
            found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            found.update(_bytes(tensor))
    return found.hexdigest()


def _bytes(tensor: torch.Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().flatten()
    return bytes(flat.view(torch.uint8).numpy())


def short(digest: str | None) -> str:
    """A hash as messages show it."""
    return "unknown" if digest is None else digest[:SHOWN]
