"""Dynamic-OFA: switch subnets of a supernet at run time, while load and limits change.

Lou, Xun et al., *Dynamic-OFA: Runtime DNN Architecture Switching for Performance Scaling on
Heterogeneous Embedded Platforms*, CVPRW 2021; with any supernet, and any policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dynamic_ofa.levels.table import LevelTable, read_table
    from dynamic_ofa.switching.switcher import Switcher

__all__ = ["LevelTable", "Switcher", "read_table"]


def __getattr__(name: str) -> Any:
    """Load on first use: a switcher loads torch, and listing plugins does not."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    place = "switching.switcher" if name == "Switcher" else "levels.table"
    return getattr(import_module(f"{__name__}.{place}"), name)
