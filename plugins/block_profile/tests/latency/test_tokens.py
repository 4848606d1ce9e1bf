"""A network as a row: its blocks in order, packed, with six sizes each."""

from __future__ import annotations

import numpy as np

from block_profile.latency.tokens import Tokens
from ofa_plugins_core.testing import everything, toy_supernet

TOY = toy_supernet()
TOKENS = Tokens.of(TOY)
ARCH = {"ks": [3, 5, 5, 3], "e": [2, 3, 3, 2], "d": [1, 2], "image_size": 64}


def test_blocks_are_packed_to_the_front():
    rows = TOKENS.rows(TOY.space.encode([ARCH]))
    assert rows.lengths.tolist() == [3]
    words = [TOKENS.spelling.words[n] for n in rows.ops[0, :3]]
    assert words == ["MBConv2_3x3", "MBConv3_5x5", "MBConv2_3x3"]
    assert rows.ops[0, 3] == 0
    assert not rows.sizes[0, 3].any()


def test_sizes_are_standardised_over_the_blocks_of_the_supernet():
    rows = TOKENS.rows(everything(TOY.space))
    used = rows.sizes[np.arange(4) < rows.lengths[:, None]]
    assert np.isfinite(used).all()
    assert np.abs(used).max() < 4


def test_equal_places_at_equal_image_sizes_have_equal_sizes_and_larger_images_larger_ones():
    small, large = (TOY.space.encode([{**ARCH, "image_size": s}]) for s in (32, 64))
    one, two = (TOKENS.rows(g).sizes[0, 0] for g in (small, large))
    assert (two[:4] > one[:4]).all()  # heights and widths
    assert np.array_equal(one[4:], two[4:])  # channels
