"""MOOFA's width schedule: the next stage's width for the same peak memory."""

from __future__ import annotations

from math import sqrt

from ofa_plugins_core.geometry import make_divisible


def memory_constant_widths(
    width: int = 24, size: float = 56, expand: float = 4, kernel: int = 7, steps: int = 6
) -> tuple[int, ...]:
    """Widths of the stages and the final layers, ``steps`` of them, from the first stage's.

    Each step halves the feature map and chooses the width whose worst convolution (depthwise or
    expand, whichever is larger) needs as much memory as before. Memory is constant for the
    reference expand ratio alone.

    Args:
        width: channels of the first stage.
        size: feature map of the first stage at the reference image size, in pixels; it is halved
            as a real number.
        expand: reference expand ratio.
        kernel: reference kernel size.
        steps: how many widths to return, the first included.

    Source: MOOFA (2024), memory-constant width rule; specs give M_dw and M_exp.
    """
    widths = [width]
    while len(widths) < steps:
        widths.append(_next_width(widths[-1], size, expand, kernel))
        size /= 2
    return tuple(widths)


def _next_width(width: int, size: float, expand: float, kernel: int) -> int:
    area, taps = size**2, kernel**2
    depthwise = 2 * expand * width * area + taps * expand * width
    expansion = width * area + expand * width * area + expand * width**2
    as_expansion = _expansion_width(max(depthwise, expansion), area / 4, expand)
    if depthwise <= expansion:
        return make_divisible(as_expansion)
    as_depthwise = 2 * width * (area + taps) / (area / 2 + taps)  # as published: nearly equal
    return make_divisible(min(as_depthwise, as_expansion))


def _expansion_width(memory: float, area: float, expand: float) -> float:
    """Positive root c of e·c² + (1 + e)·area·c = memory: an expand convolution of that memory."""
    linear = (1 + expand) * area
    return (sqrt(linear**2 + 4 * expand * memory) - linear) / (2 * expand)
