"""What levels can reach at all."""

from __future__ import annotations

import pytest

from dynamic_ofa.reach import too_tight, wish_of


@pytest.mark.parametrize(
    ("wish", "limits", "said"),
    [
        (80.0, [60.0], "the most accurate level has 79.03 %"),
        (78.0, [50.0, 45.0], "within 50 ms the table's levels reach 76.13 %"),
        (76.0, [30.0], "no level is within 30 ms"),
    ],
)
def test_a_wish_that_cannot_be_met_is_told(nets_6, wish, limits, said):
    found = wish_of(wish, nets_6, limits)
    assert not found.reachable
    assert str(found) == f"the wish of {wish:g} % cannot be met: {said}"
    assert found.as_json()["reachable"] is False


def test_one_that_the_widest_limit_allows_can_be_met(nets_6):
    assert wish_of(78.0, nets_6, [45.0, 60.0]).reachable


def test_a_limit_under_the_fastest_level_is_told(nets_6):
    assert list(too_tight(nets_6, [41.2, 60.0])) == []
    (said,) = too_tight(nets_6, [30.0, 60.0])
    assert said.startswith("a limit of 30 ms is under the fastest level's 41.16 ms")
