"""A space with fewer options of its genes."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_plugins_core.errors import InputError, UsageError
from ofa_plugins_core.reduction.choices import Left
from ofa_plugins_core.reduction.data import Drop, Reduction
from ofa_plugins_core.reduction.spaces import ReducedSpace
from ofa_plugins_core.reduction.supernet import reduced
from ofa_plugins_core.testing.toys import toy_supernet
from ofa_plugins_core.values import MAX_OPTIONS, Derived, Dimension, Gene, SearchSpace


def test_what_follows_from_a_gene_follows_from_the_options_that_are_left() -> None:
    """A depth of 2 or 3 has the second slot, one of 1 leaves it free."""
    depth = Dimension("d", (1,))
    width = Dimension("w", (Derived(1, (8, 16, 24), (False, True, True)),))
    whole = SearchSpace.of("coupled", (32,), [Gene("d[0]", (1, 2, 3), 0)], [depth, width])
    small = ReducedSpace.of(whole, "small", Left({1: (0, 2)}, {})).space

    assert small.dimensions[1].entries == (Derived(1, (8, 24), (False, True)),)
    free, held = ({"d": [d], "w": [99], "image_size": 32} for d in (1, 3))
    assert len(small.encode([free])) == 1
    with pytest.raises(InputError, match="w"):
        small.encode([held])


@pytest.mark.parametrize("more", [0, 1])
def test_a_gene_has_no_more_options_than_a_byte_tells_apart(more: int) -> None:
    genes = [Gene("k[0]", tuple(range(16)), 0), Gene("e[0]", tuple(range(17)), 0)]
    dimensions = [Dimension("k", (1,)), Dimension("e", (2,))]
    whole = SearchSpace.of("wide", (32,), genes, dimensions)
    pairs = tuple((k, e) for k in range(16) for e in range(17))[: MAX_OPTIONS + more]
    left = Left({}, {(1, 2): pairs})
    if more:
        with pytest.raises(UsageError, match=r"small: k\[0\] would have 256 options together"):
            ReducedSpace.of(whole, "small", left)
    else:
        assert ReducedSpace.of(whole, "small", left).space.count() == MAX_OPTIONS


def test_over_other_image_sizes_its_genes_are_the_same_and_its_sizes_are_theirs() -> None:
    small = reduced(toy_supernet(resolutions=(32, 64)), Reduction("x", (Drop({"k": 5, "e": 2}),)))
    other = small.at([96, 32, 64])

    assert other.space.resolutions == (32, 64, 96)
    assert other.space.genes[1:] == small.space.genes[1:]
    assert small.at([32, 64]).space is small.space
    rows = other.space.sample(40, np.random.default_rng(0))
    assert {a.image_size for a in other.space.decode(rows)} == {96, 32, 64}
    archs = other.space.decode(rows)
    assert (other.reduced.to_whole(rows) == other.whole.space.encode(archs)).all()
