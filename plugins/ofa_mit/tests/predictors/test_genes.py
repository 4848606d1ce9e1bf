"""The layout of networks that are fitted here: the same network is the same vector."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_mit import networks
from ofa_mit.predictors.genes import GenesLayout, shape_of

LAYOUT = GenesLayout(176.0, 48.0)


@pytest.fixture(params=[networks.ofa_mbv3_w1_0, networks.ofa_resnet50])
def space(request):
    return request.param().space


def test_equal_vectors_are_equal_networks(space):
    genes = space.sample(500, np.random.default_rng(0))
    found = LAYOUT.encode(space, genes)
    assert found.shape == (500, LAYOUT.inputs(space))
    canonical = space.canonical(genes)
    assert np.array_equal(found, LAYOUT.encode(space, canonical))
    assert len(np.unique(found, axis=0)) == len(np.unique(canonical, axis=0))


def test_each_used_slot_has_one_bit_and_an_unused_one_none():
    space = networks.ofa_mbv3_w1_0().space
    small, large = (
        np.zeros((1, len(space.genes)), np.uint8),
        (space.sizes - 1).astype(np.uint8)[None],
    )
    # Five depths; of 20 slots the shallowest network uses ten, each with a kernel and a ratio.
    assert LAYOUT.encode(space, small)[:, :-1].sum() == 5 + 2 * 10
    assert LAYOUT.encode(space, large)[:, :-1].sum() == 5 + 2 * 20


def test_the_image_size_is_the_last_input():
    space = networks.ofa_mbv3_w1_0().space.with_resolutions([128, 224])
    genes = np.zeros((2, len(space.genes)), np.uint8)
    genes[1, 0] = 1
    assert GenesLayout.over((128, 224)).encode(space, genes)[:, -1].tolist() == [-1, 1]


def test_the_shape_names_all_choices_but_the_image_size(space):
    found = shape_of(space)
    assert len(found) == len(space.genes) - 1
    assert found == shape_of(space.with_resolutions([32]))
    assert shape_of(networks.ofa_mbv3_w1_0().space) != shape_of(networks.ofa_resnet50().space)
