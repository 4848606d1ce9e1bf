"""A network's line of text is the network: what is written is read back, anything else is not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ofa_plugins_core.errors import InputError
from ofa_plugins_core.spelling import Spelling
from ofa_plugins_core.testing.toys import everything, toy_supernet

TOY = toy_supernet(resolutions=(32,))
SPELLING = Spelling.of(TOY.geometry())


def test_blocks_are_joined_by_arrows_and_units_by_bars():
    arch = {"ks": [3, 5, 5, 3], "e": [2, 3, 3, 2], "d": [2, 1], "image_size": 32}
    (line,) = SPELLING.write(TOY.space.encode([arch]))
    assert line == "MBConv2_3x3->MBConv3_5x5|MBConv3_5x5"


def test_every_network_has_its_own_line():
    assert len(set(SPELLING.write(everything(TOY.space)))) == TOY.space.count()


@settings(max_examples=60, deadline=None)
@given(row=st.integers(0, len(everything(TOY.space)) - 1))
def test_a_line_is_read_back_as_its_network(row):
    genes = everything(TOY.space)[row : row + 1]
    (line,) = SPELLING.write(genes)
    assert np.array_equal(SPELLING.read(line), genes[0])


@given(st.text(max_size=40))
def test_other_texts_are_refused(text):
    with pytest.raises(InputError):
        SPELLING.read(text)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("MBConv2_3x3", "has 2 units, found 1"),
        ("MBConv2_3x3->MBConv2_3x3->MBConv2_3x3|MBConv2_3x3", "3 blocks from Unit 0 Layer 0 on"),
        ("MBConv2_3x3|", "Unit 1 Layer 0: leaving it out is no choice there"),
        ("MBConv2_3x3|MBConv6_7x7", "Unit 1 Layer 0: 'MBConv6_7x7' is no choice there"),
        ("MBConv2_3x3 |MBConv2_3x3", "Unit 0 Layer 0: 'MBConv2_3x3 ' is no choice"),
    ],
)
def test_a_broken_line_is_named_by_its_block(line, said):
    with pytest.raises(InputError) as caught:
        SPELLING.read(line)
    assert said in caught.value.message


def test_numbers_say_which_block_stands_where():
    arch = {"ks": [3, 5, 5, 3], "e": [2, 3, 3, 2], "d": [2, 1], "image_size": 32}
    (row,) = SPELLING.numbers(TOY.space.encode([arch])).tolist()
    assert [SPELLING.words[n] if n >= 0 else None for n in row] == [
        "MBConv2_3x3",
        "MBConv3_5x5",
        "MBConv3_5x5",
        None,
    ]
