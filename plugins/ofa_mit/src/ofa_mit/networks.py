"""The published OFA supernets as rows of data, and the two families on which rows are built.

Source: Once-for-All (ICLR 2020, arXiv 1908.09791) and its published networks.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from attrs import evolve

from ofa_mit.mobile import MobileRow, mobile_recipe, mobile_sites, mobile_space
from ofa_mit.residual import ResidualRow, residual_recipe, residual_sites, residual_space
from ofa_mit.supernet import RowSupernet

MBV3_W1_0: Final = MobileRow(
    stem=16,
    first=16,
    widths=(24, 40, 80, 112, 160),
    strides=(2, 2, 2, 1, 2),
    activations=("relu", "relu", "h_swish", "h_swish", "h_swish"),
    se=(False, True, False, True, True),
    final_expand=960,
    feature_mix=1280,
    resolutions=tuple(range(128, 225, 4)),
)

MBV3_W1_2: Final = evolve(
    MBV3_W1_0,
    stem=24,
    first=24,
    widths=(32, 48, 96, 136, 192),
    final_expand=1152,
    feature_mix=1536,
)

SMALL: Final = MobileRow(
    stem_stride=1,
    stem=16,
    first=16,
    widths=(16, 24, 40),
    strides=(2, 2, 2),
    activations=("relu", "h_swish", "h_swish"),
    se=(False, True, True),
    final_expand=64,
    feature_mix=96,
    ks=(3, 5),
    e=(2, 3, 4),
    d=(1, 2, 3),
    resolutions=(32, 40, 48),
    classes=10,
)
"""Ours, not published: for pictures of few pixels, and for trying things out in minutes."""

PROXYLESS_W1_3: Final = MobileRow(
    stem=40,
    first=24,
    widths=(32, 56, 104, 128, 248, 416),
    strides=(2, 2, 2, 1, 2, 1),
    activations=("relu6",) * 6,
    se=(False,) * 6,
    max_depths=(4, 4, 4, 4, 4, 1),
    feature_mix=1664,
    mix_before_pool=True,
    stem_activation="relu6",
    first_activation="relu6",
    head_activation="relu6",
    norm_eps=1e-3,
    resolutions=tuple(range(128, 225, 4)),
)

RESNET50: Final = ResidualRow(
    stem_mid=(24, 24, 32),
    stem=(40, 48, 64),
    widths=((168, 208, 256), (336, 408, 512), (664, 816, 1024), (1328, 1640, 2048)),
    strides=(1, 2, 2, 2),
    base_depths=(2, 2, 4, 2),
    resolutions=(128, 144, 160, 176, 192, 224, 240, 256),
)


def mobile_supernet(name: str, row: MobileRow) -> RowSupernet[MobileRow]:
    """An MBConv supernet with free kernel, expand ratio and depth."""
    space = mobile_space(name, row)
    return RowSupernet(name, row, space, mobile_sites, recipe=mobile_recipe, plan="ofa")


def residual_supernet(name: str, row: ResidualRow) -> RowSupernet[ResidualRow]:
    """A bottleneck supernet with elastic depth, expand ratio and width."""
    space = residual_space(name, row)
    return RowSupernet(name, row, space, residual_sites, recipe=residual_recipe, plan="ofa")


ofa_mbv3_w1_0 = partial(mobile_supernet, "ofa_mbv3_w1.0", MBV3_W1_0)
ofa_mbv3_w1_2 = partial(mobile_supernet, "ofa_mbv3_w1.2", MBV3_W1_2)
ofa_small = partial(mobile_supernet, "ofa_small", SMALL)
ofa_proxyless_w1_3 = partial(mobile_supernet, "ofa_proxyless_w1.3", PROXYLESS_W1_3)
ofa_resnet50 = partial(residual_supernet, "ofa_resnet50", RESNET50)
