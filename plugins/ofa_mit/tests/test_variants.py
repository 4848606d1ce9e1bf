"""Variants for small images: other strides, the same choices, a name of their own."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from ofa_mit.networks import (
    MBV3_W1_0,
    RESNET50,
    mobile_supernet,
    ofa_mbv3_w1_0,
    ofa_resnet50,
    residual_supernet,
)
from ofa_mit.variants import MobileVariant, ResidualVariant, varied
from ofa_plugins_core import Host
from ofa_plugins_core.errors import UsageError
from ofa_plugins_core.testing import ElasticModuleSuite, SupernetSuite
from ofa_plugins_core.testing.laws.elastic import demand_counted, images

HOST = Host.discover()
SMALL = {
    "ofa_mbv3_w1.0": {"stem_stride": 1, "strides": (1, 2, 2, 1, 2)},
    "ofa_small": {"stem_stride": 2, "strides": (1, 2, 2)},
    "ofa_resnet50": {"stem_stride": 1, "max_pool": False},
}


def small(name):
    return HOST.configured({name: SMALL[name]}).supernet(name)


class TestSupernets(SupernetSuite):
    @pytest.fixture(params=SMALL)
    def supernet(self, request):
        return small(request.param)


class TestElasticNetworks(ElasticModuleSuite):
    """Extracted is active, and what runs has the geometry's sizes."""

    @pytest.fixture
    def supernet(self):
        return small("ofa_small")


def test_a_bottleneck_network_in_torch_has_the_geometrys_sizes_too():
    pytest.importorskip("torch", reason="elastic networks need the extra [torch]")
    generator = np.random.default_rng(0)
    net = small("ofa_resnet50").build(10)
    (arch,) = net.space.decode(net.space.canonical(net.space.sample(1, generator)))
    subnet = net.extract({**arch.as_dict(), "image_size": 32})
    demand_counted(subnet, images(32, generator).float())


def sizes(supernet, size=64):
    (arch,) = supernet.space.decode(supernet.space.sizes[None] - 1)
    blocks = supernet.geometry().blocks({**arch.as_dict(), "image_size": size})
    return {block.name: block.ops[-1].size_out for block in blocks}


def test_the_stem_may_keep_the_image_size():
    published, variant = (
        sizes(ofa_mbv3_w1_0()),
        sizes(varied(ofa_mbv3_w1_0, MobileVariant(stem_stride=1))),
    )
    names = ["stem", "block 0", "stage 1 block 1", "stage 5 block 4"]
    assert [published[n] for n in names] == [32, 32, 16, 2]
    assert [variant[n] for n in names] == [64, 64, 32, 4]


def test_a_resnet_may_go_without_its_max_pool():
    options = ResidualVariant(stem_stride=1, max_pool=False)
    found = sizes(varied(ofa_resnet50, options))
    assert "max pool" not in found
    assert [found[n] for n in ("stem out", "stage 1 block 1", "stage 4 block 1")] == [64, 64, 8]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({}, "ofa_mbv3_w1.0"),
        ({"resolutions": (32, 48)}, "ofa_mbv3_w1.0"),
        ({"stem_stride": 2, "strides": (2, 2, 2, 1, 2)}, "ofa_mbv3_w1.0"),
        ({"stem_stride": 1, "resolutions": (32,)}, "ofa_mbv3_w1.0+stem_stride1"),
        (
            {"stem_stride": 1, "strides": (1, 2, 2, 1, 2)},
            "ofa_mbv3_w1.0+stem_stride1+strides1-2-2-1-2",
        ),
    ],
)
def test_another_network_has_another_name_and_image_sizes_make_none(options, name):
    found = varied(ofa_mbv3_w1_0, MobileVariant(**options))
    assert (found.name, found.space.name) == (name, name)
    assert found.resolutions == options.get("resolutions", ofa_mbv3_w1_0().resolutions)
    assert found.space.genes[1:] != ()
    assert found.plan == "ofa"


@pytest.mark.parametrize("name", SMALL)
def test_it_can_be_asked_for_by_that_name(name):
    assert HOST.supernet(small(name).name).name == small(name).name != name


def test_an_alias_with_a_plus_is_no_variant():
    (entry,) = (e for e in HOST.entries("supernets") if e.name == "ofa_resnet50")
    assert [HOST.supernet(alias).name for alias in entry.aliases] == ["ofa_resnet50"]


def test_the_choices_stay_the_same():
    arch = {"ks": [3] * 20, "e": [3] * 20, "d": [2] * 5, "image_size": 160}
    found = varied(ofa_mbv3_w1_0, MobileVariant(stem_stride=1))
    assert (found.space.encode([arch]) == ofa_mbv3_w1_0().space.encode([arch])).all()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"stem_stride": 3}, "ofa_mbv3_w1.0: stem_stride: must be 1 to 2, found 3"),
        ({"strides": (2, 2)}, "strides: has 2 entries, but there are 5 stages"),
        ({"resolutions": (16,)}, "resolutions must be 32 to 65536 pixels"),
    ],
)
def test_what_makes_no_network_is_wrong_use(options, said):
    with pytest.raises(UsageError, match=said):
        varied(ofa_mbv3_w1_0, MobileVariant(**options))


def test_rows_of_users_have_the_fields_too():
    mobile = mobile_supernet("mine", evolve(MBV3_W1_0, stem_stride=1))
    residual = residual_supernet("mine", evolve(RESNET50, stem_stride=1, max_pool=False))
    assert sizes(mobile)["stem"] == sizes(residual)["stem out"] == 64
