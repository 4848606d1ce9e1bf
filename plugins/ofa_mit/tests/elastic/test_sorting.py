"""Channel sorting: by importance, inside bounds, without changing what is trained already."""

from __future__ import annotations

import pytest

from ofa_mit import mobile_supernet, residual_supernet
from ofa_mit.mobile import MobileRow
from ofa_mit.residual import ResidualRow
from ofa_plugins_core.testing.laws.elastic import demand_close, images, run, shaken

np = pytest.importorskip("numpy")
torch = pytest.importorskip("torch", reason="networks need the extra [torch]")

MOBILE = MobileRow(
    stem=8,
    first=8,
    widths=(16, 64),
    strides=(2, 2),
    activations=("relu", "h_swish"),
    se=(True, True),
    feature_mix=40,
    d=(1, 2),
    resolutions=(32, 64),
)
RESIDUAL = ResidualRow(
    stem_mid=(8, 16),
    stem=(16, 24),
    widths=((64, 96), (128, 160)),
    strides=(1, 2),
    base_depths=(1, 1),
    d=(0, 1),
    resolutions=(32,),
)


def trained(supernet):
    return shaken(supernet.build(5), np.random.default_rng(1))


def uniform(net, expand):
    found = net.largest.as_dict()
    return {**found, "e": [expand] * len(found["e"]), "image_size": 45}


def columns(net, key):
    return net.published()[key].abs().sum(dim=(0, 2, 3))


class TestOrder:
    def test_the_first_phase_sorts_all_channels_by_what_reads_them(self):
        net = trained(mobile_supernet("mine", MOBILE))
        net.sort_channels(0)
        for number in range(1, 5):
            importance = columns(net, f"blocks.{number}.conv.point_linear.conv.conv.weight")
            assert (importance.diff() <= 1e-12).all()

    def test_squeeze_excites_hidden_units_are_sorted_too(self):
        net = trained(mobile_supernet("mine", MOBILE))
        net.sort_channels(0)
        importance = columns(net, "blocks.4.conv.depth_conv.se.fc.expand.weight")
        assert len(importance) > 8 and (importance.diff() <= 1e-12).all()

    def test_a_bottleneck_sorts_both_of_its_inner_layers(self):
        net = trained(residual_supernet("mine", RESIDUAL))
        net.sort_channels(0)
        for conv in ("conv3", "conv2"):
            assert (columns(net, f"blocks.2.{conv}.conv.conv.weight").diff() <= 1e-12).all()

    def test_a_later_phase_sorts_inside_the_bounds_of_its_ratios(self):
        net = trained(mobile_supernet("mine", MOBILE))
        key = "blocks.4.conv.point_linear.conv.conv.weight"
        before = columns(net, key)
        net.sort_channels(1)
        after, bound = columns(net, key), 64 * 4
        for part in (slice(0, bound), slice(bound, None)):
            torch.testing.assert_close(after[part], before[part].sort(descending=True).values)
        assert after[bound] > after[bound - 1]  # the stretches are not merged


class TestFunction:
    def test_the_prefixes_that_are_trained_stay_the_same_networks(self):
        """Phase i: every network of one of the i + 1 widest ratios keeps its function."""
        net = trained(mobile_supernet("mine", MOBILE))
        x = images(45, np.random.default_rng(2))
        for phase, kept in enumerate(((6,), (6, 4), (6, 4, 3))):
            before = {}
            for expand in kept:
                net.activate(uniform(net, expand))
                before[expand] = run(net, x)
            net.sort_channels(phase)
            for expand in kept:
                net.activate(uniform(net, expand))
                demand_close(run(net, x), before[expand], f"e = {expand} after phase {phase}")

    def test_narrower_networks_do_change_in_the_first_phase(self):
        net = trained(mobile_supernet("mine", MOBILE))
        x = images(45, np.random.default_rng(2))
        net.activate(uniform(net, 3))
        before = run(net, x)
        net.sort_channels(0)
        assert not torch.allclose(run(net, x), before)
