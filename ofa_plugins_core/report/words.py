"""Numbers and names as people read them, on charts, pages and the terminal."""

from __future__ import annotations

from typing import Final

COSTS: Final = {
    "params": "parameters",
    "flops": "multiply–accumulates",
    "peak_memory": "peak memory",
    "peak_memory_mcunet": "peak memory (MCUNet's definition)",
    "peak_memory_liveness": "peak memory (liveness)",
    "peak_memory_liveness_inplace": "peak memory (liveness, in place)",
    "weight_bytes": "weights",
    "latency": "latency",
    "accuracy": "top-1 accuracy",
    "top5": "top-5 accuracy",
    "forward": "forward pass",
    "image_size": "image size",
}


def cost_label(name: str) -> str:
    """``latency@note10`` -> ``latency on note10``; unknown names stay as they are."""
    if name.startswith("predicted "):
        return f"{cost_label(name.removeprefix('predicted '))}, predicted"
    base, at, where = name.partition("@")
    label = COSTS.get(base, base.replace("_", " "))
    return f"{label} on {where}" if at else label


def short(value: float) -> str:
    """299520 -> ``299.52k``, 78683840 -> ``78.68M``: for ticks and marks, at most five digits."""
    for limit, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{_plain(value / limit)}{suffix}"
    return _plain(value)


def _plain(value: float) -> str:
    text = f"{value:.2f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def full(value: float) -> str:
    """Every digit of a whole number, grouped; three decimals of any other."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.3f}"
