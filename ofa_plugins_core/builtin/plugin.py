"""The hooks of the core's own plugin."""

from __future__ import annotations

from collections.abc import Iterable

from ofa_plugins_core.builtin import costs
from ofa_plugins_core.entries import CostModelEntry
from ofa_plugins_core.hookspecs import hookimpl

OFA_API = 1


@hookimpl
def ofa_cost_models() -> Iterable[CostModelEntry]:
    """Computed costs."""
    yield from costs.entries()
