"""Bounds on what a profile's file may say; each raises ValueError with a line for its reader."""

from __future__ import annotations

from math import isfinite


def finite(**values: float | None) -> None:
    """None stands for what is not known."""
    for name, value in values.items():
        if value is not None and not isfinite(value):
            raise ValueError(f"{name}: expected a finite number, found {value}")


def at_least(least: float, **values: float | None) -> None:
    """Finite, and no smaller than ``least``; None stands for what there is not."""
    finite(**values)
    for name, value in values.items():
        if value is not None and value < least:
            raise ValueError(f"{name}: expected {least:g} or more, found {value:g}")


def shares(**values: float) -> None:
    """0 to 1."""
    for name, value in values.items():
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: expected a share of 0 to 1, found {value:g}")
