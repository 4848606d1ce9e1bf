"""How the published predictors read an architecture: specs/search.md, "Encoding"."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_mit import networks
from ofa_mit.predictors.layouts import LAYOUTS, choices_of, layout_for
from ofa_plugins_core.errors import InputError, UsageError

MBV3 = networks.ofa_mbv3_w1_2().space
RESNET = networks.ofa_resnet50().space


def mbv3(k=3, e=3, d=2, size=128):
    return {"ks": [k] * 20, "e": [e] * 20, "d": [d] * 5, "image_size": size}


def resnet(d=0, e=0.2, w=0, size=128):
    return {"d": [d] * 5, "e": [e] * 18, "w": [w] * 6, "image_size": size}


def encoded(layout, space, archs, expands=(3, 4, 6)):
    return LAYOUTS[layout].encode(choices_of(space, archs), expands)


def test_moofas_layout_is_resolution_then_kernels_then_expand_ratios():
    (bits,) = encoded("moofa", MBV3, [mbv3(k=5, e=6, d=2, size=160)])
    assert bits.shape == (124,)
    assert bits[:4].tolist() == [0, 1, 0, 0]
    assert bits[4:10].tolist() == [0, 1, 0, 0, 1, 0]
    assert bits[64:70].tolist() == [0, 0, 1, 0, 0, 1]


def test_mits_layout_is_kernels_then_expand_ratios_then_bins_of_16_pixels():
    (bits,) = encoded("mit", MBV3, [mbv3(k=7, e=4, size=160)])
    assert bits.shape == (128,)
    assert bits[:3].tolist() == [0, 0, 1]
    assert bits[60:63].tolist() == [0, 1, 0]
    assert np.flatnonzero(bits[120:]).tolist() == [3]


@pytest.mark.parametrize("layout", ["moofa", "mit"])
def test_unused_slots_are_all_zero(layout):
    shallow, deep = encoded(layout, MBV3, [mbv3(d=2), mbv3(d=4)])
    assert shallow.sum() == 1 + 2 * 10
    assert deep.sum() == 1 + 2 * 20


def test_resnets_layout():
    small, large = encoded("resnet", RESNET, [resnet(), resnet(2, 0.35, 2, 224)], (0.2, 0.25, 0.35))
    assert small.shape == (82,)
    assert small[:10].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert np.flatnonzero(large[:10]).tolist() == [5, 9]
    assert small[10:28].reshape(6, 3)[:, 0].all()
    assert (small[28:].sum(), large[28:].sum()) == (10, 18)


def test_an_encoded_array_reads_as_its_dicts():
    genes = MBV3.canonical(MBV3.sample(200, np.random.default_rng(0)))
    genes[:, 0] %= 2
    space = MBV3.with_resolutions([128, 160])
    dicts = [a.as_dict() for a in space.decode(genes)]
    expected = LAYOUTS["moofa"].encode(choices_of(MBV3, dicts), (3, 4, 6))
    assert np.array_equal(LAYOUTS["moofa"].encode(choices_of(space, genes), (3, 4, 6)), expected)


def test_stem_widths_of_one_network_stay_apart_as_published():
    two_names = [{**resnet(), "w": [w, 0, 0, 0, 0, 0]} for w in (0, 1)]
    first, second = encoded("resnet", RESNET, two_names, (0.2, 0.25, 0.35))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(("layout", "size"), [("moofa", 144), ("mit", 96), ("mit", 256)])
def test_an_image_size_without_an_input_is_refused(layout, size):
    with pytest.raises(UsageError, match="image size"):
        encoded(layout, MBV3, [mbv3(size=size)])


def test_an_unknown_number_of_inputs_is_refused():
    with pytest.raises(InputError, match="99 inputs; known layouts: 124"):
        layout_for(99, "x.pth")
