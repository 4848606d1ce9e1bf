"""CompOFA's supernets: OFA's MobileNetV3 with coupled dimensions."""

from __future__ import annotations

from functools import partial
from typing import Final

from attrs import asdict, evolve, field, frozen

from compofa.coupling import coupled
from ofa_mit import (
    MBV3_W1_0,
    MobileRow,
    RowSupernet,
    checks,
    mobile_recipe,
    mobile_sites,
    mobile_space,
)
from ofa_mit.recipe import Recipe

FIXED_KERNELS: Final = (3, 5, 3, 3, 5)
"""Kernel size of each stage of the network with fixed kernels (CompOFA, ICLR 2021)."""

RESOLUTIONS: Final = (160, 176, 192, 208, 224)
"""Image sizes of the space with fixed kernels: 243 networks each, 1,215 in all."""


@frozen(kw_only=True, cache_hash=True)
class CompoundRow(MobileRow):
    """An MBConv network whose expand ratio follows from the depth of the stage."""

    kernels: tuple[int, ...] | None = field(
        default=None, metadata={"help": "a fixed kernel size for each stage, or null: free"}
    )

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where the row does not describe a coupled network."""
        super().__attrs_post_init__()
        coupled(self.d, self.e)
        if self.kernels is not None:
            checks.stages(len(self.widths), kernels=self.kernels)
            checks.kernels("kernels", self.kernels)


def compound_supernet(name: str, row: CompoundRow) -> RowSupernet[MobileRow]:
    """A supernet whose space couples depth and expand ratio; every draw stays inside."""
    space = mobile_space(name, row, coupling=coupled(row.d, row.e), kernels=row.kernels)

    def recipe(given: MobileRow) -> Recipe:
        return evolve(mobile_recipe(given), matrices=row.kernels is None and len(row.ks) > 1)

    return RowSupernet(name, row, space, mobile_sites, recipe=recipe, plan="compofa")


def _compound(**options: object) -> CompoundRow:
    return CompoundRow(**{**asdict(MBV3_W1_0), **options})


compofa = partial(
    compound_supernet, "compofa", _compound(kernels=FIXED_KERNELS, resolutions=RESOLUTIONS)
)
compofa_elastic = partial(compound_supernet, "compofa_elastic", _compound())
