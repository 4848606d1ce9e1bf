"""Spaces: encoding, canonical form, exact counts; each against listing everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ofa_plugins_core import InputError, Measurement, UsageError
from ofa_plugins_core.testing.toys import everything, toy_supernet
from ofa_plugins_core.values import (
    Arch,
    Derived,
    Dimension,
    Gene,
    SearchSpace,
    parse_arch,
)

SPACE = toy_supernet().space
ONE = {"ks": [3] * 4, "e": [2] * 4, "d": [1, 1], "image_size": 32}


def gene_tables(options, controls):
    """Canonical tables over one control: idempotent maps of the options."""
    one = st.permutations(range(options)).flatmap(
        lambda order: st.integers(1, options).map(lambda n: representatives(order, n))
    )
    return st.lists(one, min_size=controls, max_size=controls)


def representatives(order, classes):
    """Each option -> the smallest of its class, options shared out over so many classes."""
    groups = {option: place % classes for place, option in enumerate(order)}
    return [min(o for o in groups if groups[o] == groups[option]) for option in range(len(order))]


@st.composite
def spaces(draw):
    """Spaces of one to three groups: a controlling gene, and genes that it makes coincide."""
    genes = []
    for group in range(draw(st.integers(1, 3))):
        control = len(genes) + 1
        depths = draw(st.integers(1, 3))
        genes.append(Gene(f"d[{group}]", tuple(range(1, depths + 1)), group))
        for _ in range(draw(st.integers(0, 2))):
            options = draw(st.integers(1, 3))
            table = np.array(draw(gene_tables(options, depths)), dtype=np.uint8)
            name = f"k[{len(genes)}]"
            genes.append(Gene(name, tuple(range(options)), group, (control,), table))
    columns = tuple(range(1, len(genes) + 1))
    return SearchSpace.of("random", [32, 64], genes, [Dimension("all", columns)])


@settings(max_examples=60, deadline=None)
@given(spaces())
def test_count_is_the_number_of_canonical_rows(space):
    every = np.indices(tuple(space.sizes)).reshape(len(space.sizes), -1).T.astype(np.uint8)
    canonical = space.canonical(every)
    assert len(np.unique(canonical, axis=0)) == space.count() * len(space.resolutions)
    assert np.array_equal(space.canonical(canonical), canonical)
    assert np.array_equal(space.encode(space.decode(every)), canonical)


def test_equal_rows_are_equal_blocks():
    """Canonical rows are equal if and only if the lists of blocks are."""
    geometry = toy_supernet().geometry()
    every = everything(SPACE)
    blocks = {tuple(b.ops for b in geometry.blocks(a)) for a in SPACE.decode(every)}
    assert len(blocks) == len(every) == SPACE.count() * 2


def test_dicts_and_archs_are_one():
    arch = SPACE.decode(SPACE.encode([ONE]))[0]
    assert isinstance(arch, Arch)
    assert arch.as_dict() == {**ONE, "ks": [3, 3, 3, 3]}
    assert np.array_equal(SPACE.encode([arch]), SPACE.encode([ONE]))


def test_nothing_is_encoded_too():
    assert SPACE.encode([]).shape == (0, len(SPACE.genes))
    assert SPACE.decode(SPACE.encode([])) == []


def test_numpy_numbers_are_numbers():
    arch = {**ONE, "ks": [np.int64(3)] * 4, "image_size": np.int32(32)}
    assert np.array_equal(SPACE.encode([arch]), SPACE.encode([ONE]))


class TestCoupled:
    """Entries that follow from another gene, or from nothing."""

    SPACE = SearchSpace.of(
        "coupled",
        [32],
        [Gene("d", (1, 2), 0)],
        [
            Dimension("d", (1,)),
            Dimension("e", (Derived(1, (3, 4), (True, True)), Derived(1, (3, 4), (False, True)))),
            Dimension("k", (Derived(None, (5,), (True,)),), fixed=True),
        ],
    )

    def test_what_follows_is_written_out(self):
        decoded = [a.as_dict() for a in self.SPACE.decode(np.array([[0, 0], [0, 1]]))]
        assert [a["e"] for a in decoded] == [[3, 3], [4, 4]]
        assert decoded[0]["k"] is None

    def test_what_is_given_has_to_agree(self):
        good = {"d": [1], "e": [3, 99], "k": [5], "image_size": 32}  # the second is unused
        assert self.SPACE.encode([good]).tolist() == [[0, 0]]
        with pytest.raises(InputError, match=r"e\[1\] = 99 breaks the coupling"):
            self.SPACE.encode([{**good, "d": [2], "e": [4, 99]}])
        with pytest.raises(InputError, match=r"k\[0\] = 3 breaks the coupling"):
            self.SPACE.encode([{**good, "k": [3]}])


class TestBadArchs:
    """What is refused says which architecture, which key and what was found."""

    @pytest.mark.parametrize("arch", [7, None, "ks", [1], {"arch": 3}, {}])
    def test_no_dict(self, arch):
        with pytest.raises(InputError, match="architecture 4: "):
            parse_arch(SPACE, arch, 4)

    def test_huge_lists_are_shown_in_short(self):
        with pytest.raises(InputError) as caught:
            parse_arch(SPACE, {**ONE, "ks": [3] * 100_000})
        assert len(caught.value.message) < 200

    def test_other_resolutions(self):
        with pytest.raises(InputError, match="image_size = 48 is not an option"):
            SPACE.encode([{**ONE, "image_size": 48}])


class TestResolutions:
    """The same space at other image sizes."""

    def test_sorted_and_once(self):
        assert SPACE.with_resolutions([96, 64, 96]).resolutions == (64, 96)
        assert SPACE.resolutions == (32, 64)

    @pytest.mark.parametrize("sizes", [[], [31], [64, 70_000], range(32, 332)])
    def test_bad_ones(self, sizes):
        with pytest.raises(UsageError, match="resolutions"):
            SPACE.with_resolutions(sizes)


def test_a_measurement_says_what_it_is():
    found = Measurement(12.5, "ms", "measured", "note10").as_dict()
    assert found == {"value": 12.5, "unit": "ms", "kind": "measured", "source": "note10"}
