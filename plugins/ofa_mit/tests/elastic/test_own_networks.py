"""A user's own row in YAML is built, too; every option of a row reaches the network in torch."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_mit import mobile_supernet, residual_supernet
from ofa_mit.mobile import MobileRow
from ofa_mit.residual import ResidualRow
from ofa_plugins_core import Host, UsageError
from ofa_plugins_core.testing.laws import elastic as laws

torch = pytest.importorskip("torch", reason="networks need the extra [torch]")

MOBILE = {
    "stem": 8,
    "first": 8,
    "widths": (16, 24),
    "strides": (2, 1),
    "activations": ("relu6", "h_swish"),
    "se": (True, False),
    "feature_mix": 40,
    "d": (1, 2),
    "resolutions": (32, 64),
}
RESIDUAL = {
    "stem_mid": (8, 8, 16),
    "stem": (16, 24, 24),
    "widths": ((24, 32, 40), (40, 48, 64)),
    "strides": (2, 3),
    "base_depths": (1, 2),
    "d": (0, 1),
    "resolutions": (33, 64),
}

ROWS = {
    "one kernel, one ratio": MobileRow(**{**MOBILE, "ks": (3,), "e": (2,)}),
    "e = 1 kept": MobileRow(**{**MOBILE, "e": (1, 2)}),
    "e = 1 dropped": MobileRow(**{**MOBILE, "e": (1, 2), "unit_expand": "dropped"}),
    "only e = 1, dropped": MobileRow(**{**MOBILE, "e": (1,), "unit_expand": "dropped"}),
    "mixed before pooling": MobileRow(**{**MOBILE, "mix_before_pool": True}),
    "final expand": MobileRow(**{**MOBILE, "final_expand": 48}),
    "fewer blocks in a stage": MobileRow(**{**MOBILE, "max_depths": (2, 1)}),
    "fractions": MobileRow(**{**MOBILE, "e": (0.5, 1.25, 7), "ks": (1, 9)}),
    "wider stem than block 0": MobileRow(**{**MOBILE, "stem": 16}),
    "bottleneck, odd strides": ResidualRow(**RESIDUAL),
    "bottleneck, one depth": ResidualRow(**{**RESIDUAL, "d": (0,), "strides": (1, 2)}),
}


def supernet_of(row):
    make = mobile_supernet if isinstance(row, MobileRow) else residual_supernet
    return make("mine", row)


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("law", laws.LAWS, ids=lambda law: law.__name__)
def test_any_row_keeps_the_laws_of_elastic_networks(name, law):
    supernet = supernet_of(ROWS[name])
    law(supernet.build(10), supernet, np.random.default_rng(3))


@pytest.mark.parametrize("family", ["mbconv", "bottleneck"])
def test_a_yaml_row_is_built_with_as_many_classes_as_it_says(family, tmp_path):
    file = tmp_path / "mine.yaml"
    rows = {
        "mbconv": "stem: 8\nfirst: 8\nwidths: [16, 24]\nstrides: [2, 2]\nse: [false, true]\n"
        "activations: [relu, h_swish]\nfeature_mix: 32\n",
        "bottleneck": "stem_mid: [8, 16]\nstem: [16, 24]\nwidths: [[24, 32], [40, 48]]\n"
        "strides: [1, 2]\nbase_depths: [1, 1]\n",
    }
    file.write_text(f"family: {family}\n{rows[family]}classes: 7\nresolutions: [48, 64]\n")
    net = Host.discover().supernet(str(file)).build().eval()
    assert net(torch.zeros(2, 3, 48, 48)).shape == (2, 7)
    assert net.space.resolutions == (48, 64)


def test_no_classes_are_refused():
    with pytest.raises(UsageError, match="at least one class"):
        supernet_of(ROWS["final expand"]).build(0)


def test_dropout_acts_in_training_alone():
    net = supernet_of(MobileRow(**{**MOBILE, "dropout": 0.9})).build(5)
    x = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(net.eval()(x), net(x))
        net.train()
        assert not torch.equal(net(x), net(x))
        subnet = net.extract(net.largest)
        assert subnet.training and not torch.equal(subnet(x), subnet(x))


def test_windows_at_the_edge_are_averaged_over_what_they_have():
    """Odd sizes: the shortcut's pooling rounds up, and divides by the elements that there are."""
    net = supernet_of(ROWS["bottleneck, odd strides"]).build(5).double().eval()
    pool = next(m for m in net.extract(net.largest).modules() if isinstance(m, torch.nn.AvgPool2d))
    ones = torch.ones(1, 1, 5, 5, dtype=torch.float64)
    assert pool(ones).shape[-1] == 3
    assert torch.equal(pool(ones), torch.ones(1, 1, 3, 3, dtype=torch.float64))
