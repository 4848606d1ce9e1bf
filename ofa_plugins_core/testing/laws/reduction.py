"""What has to hold for a smaller space: a supernet among others, with some of the whole's networks.

The subject is the reduced supernet, the ground the whole one.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from ofa_plugins_core.interfaces import Supernet
from ofa_plugins_core.reduction.supernet import ReducedSupernet
from ofa_plugins_core.testing.laws import Law, demand, supernet

DRAWS: Final = 50


def holds_less(small: ReducedSupernet, whole: Supernet, _: np.random.Generator) -> None:
    """It holds fewer networks than the whole space.

    Name in drop or keep what the supernet really has, or say in the reduction for which supernets
    it is meant.
    """
    left, before = small.space.count(), whole.space.count()
    demand(left < before, f"{small.name} holds {left:,} of {before:,} networks: nothing is dropped")


def uses_no_dropped_block(
    small: ReducedSupernet, whole: Supernet, generator: np.random.Generator
) -> None:
    """Its networks are the whole space's, and use no block that is dropped everywhere.

    Check the keys of your drops against what the geometry calls the choices of a block.
    """
    genes = small.space.canonical(small.space.sample(DRAWS, generator))
    archs = small.space.decode(genes)
    same = (whole.space.encode(archs) == small.reduced.to_whole(genes)).all()
    demand(same, "a network is another one in the whole space")
    dropped = [d.block for d in small.reduction.drop if d.unit is None and d.layer is None]
    for arch in archs[:10]:
        for block in small.geometry().blocks(arch):
            chosen = dict(block.choice)
            for drop in dropped if block.stage is not None else ():
                meant = all(chosen.get(key) == value for key, value in drop.items())
                demand(not meant, f"{block.name} is {chosen}, which is dropped")


LAWS: Final[tuple[Law, ...]] = (holds_less, uses_no_dropped_block, *supernet.LAWS)
