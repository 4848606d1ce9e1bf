"""The whole's costs asked about a smaller space's networks."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.interfaces import SeparableCost
from ofa_plugins_core.reduction.costs import WholeCost, whole_cost
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing.toys import toy_cost, toy_supernet

WHOLE = toy_supernet()
SMALL = reduced(WHOLE, Reduction("small", drop=(Drop({"k": 5, "e": 2}),)))
GENES = SMALL.space.canonical(SMALL.space.sample(200, np.random.default_rng(0)))


@pytest.mark.parametrize("name", ["params", "largest"])
def test_genes_tables_and_dicts_cost_what_they_do_in_the_whole(name: str) -> None:
    whole = toy_cost(name, WHOLE)
    asked = whole_cost(whole, SMALL)
    expected = whole.evaluate(SMALL.space.decode(GENES))

    assert isinstance(asked, SeparableCost)
    assert (asked.evaluate(GENES) == expected).all()
    assert (asked.evaluate(SMALL.space.decode(GENES)) == expected).all()
    assert (asked.name, asked.unit) == (whole.name, whole.unit)
    for index, size in enumerate(SMALL.resolutions):
        here = GENES[:, 0] == index
        assert (asked.separable(size).evaluate(GENES[here]) == expected[here]).all()


def test_dicts_of_another_image_size_are_priced_at_theirs() -> None:
    whole = toy_cost("largest", WHOLE)
    archs = [{**a.as_dict(), "image_size": 96} for a in SMALL.space.decode(GENES[:5])]

    assert (whole_cost(whole, SMALL).evaluate(archs) == whole.evaluate(archs)).all()


def test_a_cost_that_is_no_table_is_none_in_the_smaller_space() -> None:
    class Told:
        name = "told"

        def evaluate(self, archs):
            return np.arange(len(archs))

    asked = whole_cost(Told(), SMALL)

    assert type(asked) is WholeCost and not isinstance(asked, SeparableCost)
    assert asked.evaluate(GENES[:3]).tolist() == [0, 1, 2]
