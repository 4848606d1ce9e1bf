"""MOOFA's three supernets: one geometry, three lists of expand ratios.

Source: MOOFA (2024). V3 is the paper's network; its first name is Memory-Constant OFA.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from attrs import evolve, field, frozen

from moofa.schedule import memory_constant_widths
from ofa_mit import MobileRow, RowSupernet, checks, mobile_supernet
from ofa_mit.mobile import Activation
from ofa_plugins_core.values import SIZES, Number

STAGES: Final = 5


@frozen(kw_only=True)
class MoofaRow:
    """An MBConv network whose widths come from the memory-constant schedule; a user's YAML row."""

    width: int = field(default=24, metadata={"help": "channels of the first stage"})
    size: float = field(default=56, metadata={"help": "feature map of the first stage, pixels"})
    expand: float = field(default=4, metadata={"help": "reference expand ratio of the schedule"})
    kernel: int = field(default=7, metadata={"help": "reference kernel size of the schedule"})
    stem: int = 3
    first: int = 8
    stem_stride: int = field(
        default=2, metadata={"help": "stride of the first convolution; 1 for small images"}
    )
    strides: tuple[int, ...] | None = field(
        default=None, metadata={"help": "stride of each stage's first block; default: 2 each"}
    )
    activations: tuple[Activation, ...] = ("h_swish", "h_swish", "h_swish", "relu", "h_swish")
    se: tuple[bool, ...] = (False, True, True, False, True)
    ks: tuple[int, ...] = (3, 5, 7)
    e: tuple[Number, ...] = (2, 3, 4)
    d: tuple[int, ...] = (2, 3, 4)
    resolutions: tuple[int, ...] = (128, 160, 192, 224)
    classes: int = 1000

    def __attrs_post_init__(self) -> None:
        """Raises ValueError where the row does not describe a network."""
        checks.in_range("width", (self.width,), 1, checks.MAX_CHANNELS)
        checks.in_range("size", (self.size,), 1, SIZES[1])
        checks.in_range("expand", (self.expand,), 0.01, checks.MAX_EXPAND)
        checks.kernels("kernel", (self.kernel,))
        checks.in_range("se", (len(self.se),), 1, checks.MAX_STAGES)
        self.network()

    def network(self) -> MobileRow:
        """The row with its widths worked out: stages, then final expand and feature mix."""
        stages = len(self.se)
        *widths, last = memory_constant_widths(
            self.width, self.size, self.expand, self.kernel, stages + 1
        )
        return MobileRow(
            stem=self.stem,
            first=self.first,
            widths=tuple(widths),
            strides=(2,) * stages if self.strides is None else self.strides,
            stem_stride=self.stem_stride,
            activations=self.activations,
            se=self.se,
            final_expand=last,
            feature_mix=last,
            ks=self.ks,
            e=self.e,
            d=self.d,
            resolutions=self.resolutions,
            classes=self.classes,
            unit_expand="dropped",
        )


def moofa_supernet(name: str, row: MoofaRow) -> RowSupernet[MobileRow]:
    """A memory-constant supernet.

    Published costs are those of the published static network, which has no expand convolution
    where e = 1; ``as_built`` keeps it, as the elastic network and our extraction do.
    """
    published = row.network()
    supernet = evolve(mobile_supernet(name, published), plan="moofa")
    if 1 not in row.e:
        return supernet
    return evolve(supernet, built=evolve(published, unit_expand="kept"))


moofa_v1 = partial(moofa_supernet, "moofa_v1", MoofaRow(e=(3, 4, 6)))
moofa_v2 = partial(moofa_supernet, "moofa_v2", MoofaRow(e=(1, 1.5, 2)))
moofa_v3 = partial(moofa_supernet, "moofa_v3", MoofaRow(e=(2, 3, 4)))
