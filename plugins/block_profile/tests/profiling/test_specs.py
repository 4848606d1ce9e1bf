"""``--blocks``: what is asked for, by numbers from 0 and by values of the space."""

from __future__ import annotations

import pytest

from block_profile.profiling.specs import Catalogue
from ofa_plugins_core.errors import UsageError


def labels(catalogue: Catalogue, text: str) -> list[str]:
    return [" and ".join(d.label for d in w.demands) for w in catalogue.named(text)]


def test_every_block_of_every_place_is_one_combination(catalogue) -> None:
    assert len(catalogue.blocks()) == 2 * 2 * 4


@pytest.mark.parametrize(
    "text", ["[0, 1, 5, 3]", '{"unit": 0, "layer": 1, "k": 5, "e": 3}', "[[0, 1, 5, 3]]"]
)
def test_a_block_is_named_by_unit_layer_kernel_and_ratio(catalogue, text) -> None:
    assert labels(catalogue, text) == ["Unit 0 Layer 1 as MBConv3_5x5"]


def test_a_fifth_number_is_an_image_size(catalogue) -> None:
    (wanted,) = catalogue.named("[0, 1, 5, 3, 48]")
    assert wanted.size == 48


def test_lists_in_a_list_are_forced_together(catalogue) -> None:
    found = labels(catalogue, "[[0, 0, 5, 3], [1, 1, 3, 2]]")
    assert found == ["Unit 0 Layer 0 as MBConv3_5x5 and Unit 1 Layer 1 as MBConv2_3x3"]


@pytest.mark.parametrize(("text", "count"), [("[1]", 8), ("[1, 0]", 4), ("[1, 0, 3]", 2)])
def test_what_is_left_out_stands_for_all(catalogue, text, count) -> None:
    assert len(catalogue.named(text)) == count


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[9, 0, 3, 2]", "has no unit 9: 0 to 1"),
        ("[0, 2, 3, 2]", "unit 0 has no layer 2: 0 to 1"),
        ("[0, 0, 7, 2]", "no such block at Unit 0 Layer 0"),
        ("[0, 0, 3, 2, 32, 1]", "one to five numbers"),
        ("[0, 0, true, 2]", "expected numbers"),
        ("[]", "expected numbers"),
        ("7", "expected numbers"),
        ("k7", "no JSON"),
        ("[[0, 0, 3, 2, 32], [1, 0, 3, 2, 64]]", "one resolution, found 32 and 64"),
        ('{"unit": 0, "layer": 0, "z": 3}', "no such block"),
        ("[0, 0, 3, 2, 32.5]", "expected a resolution"),
    ],
)
def test_a_block_outside_the_space_is_refused_by_what_there_is(catalogue, text, said) -> None:
    with pytest.raises(UsageError, match=said):
        catalogue.named(text)


def test_a_refused_block_is_told_what_its_place_holds(catalogue) -> None:
    with pytest.raises(UsageError) as error:
        catalogue.named("[0, 0, 7, 2]")
    assert "MBConv3_5x5 (k 5 e 3)" in str(error.value)
