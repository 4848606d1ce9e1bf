"""What tables of a separable thing have to be, so that search along the chain is exact."""

from __future__ import annotations

import numpy as np

from ofa_plugins_core.separable import Factor, Separable
from ofa_plugins_core.testing.laws import demand
from ofa_plugins_core.values import SearchSpace


def sound_tables(quantity: Separable, space: SearchSpace) -> None:
    """Demand that each factor fits the space, and lies in a group or in two neighbouring ones."""
    demand(quantity.reduce in ("sum", "max"), f"reduce is {quantity.reduce!r}")
    for factor in quantity.factors:
        _sound_factor(factor, space)


def _sound_factor(factor: Factor, space: SearchSpace) -> None:
    genes = factor.genes
    demand(list(genes) == sorted(set(genes)), f"{factor.name}: genes {genes} do not increase")
    demand(0 not in genes, f"{factor.name}: depends on the resolution; make a table a size")
    shape = tuple(len(space.genes[g].options) for g in genes)
    demand(
        np.shape(factor.table) == shape,
        f"{factor.name}: table of shape {np.shape(factor.table)}, its genes have {shape} options",
    )
    groups = {space.genes[g].group for g in genes}
    demand(
        not groups or max(groups) - min(groups) <= 1,
        f"{factor.name}: joins the groups {sorted(groups)}, which are no neighbours in the chain",
    )
