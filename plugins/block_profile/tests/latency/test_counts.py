"""Networks as plain numbers."""

from __future__ import annotations

from block_profile.latency.counts import Counts, Scaled
from ofa_plugins_core.testing import toy_supernet

TOY = toy_supernet()
ARCH = {"ks": [3, 3, 5, 3], "e": [2, 2, 3, 2], "d": [2, 1], "image_size": 64}


def test_counts_are_of_each_op_in_each_unit_and_in_all():
    (row,) = Counts(TOY)(TOY.space.encode([ARCH])).tolist()
    # MBConv2_3x3, MBConv2_5x5, MBConv3_3x3, MBConv3_5x5
    assert row == [2, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 1, 3, 64]


def test_a_linear_fit_has_ops_ops_times_the_area_and_each_size():
    (row,) = Scaled(Counts(TOY), "places")(TOY.space.encode([ARCH])).tolist()
    ops, scaled, sizes = row[:20], row[20:40], row[40:]
    # at each of four places: nothing, then the four ops
    assert ops == [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    assert scaled == [v * (64 / 224) ** 2 for v in ops]
    assert sizes == [float(s == 64) for s in TOY.resolutions]
