"""BN re-calibration: equal to a reference in double precision, and it leaves no trace."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ofa_plugins_core.errors import InputError  # noqa: E402
from ofa_plugins_core.nn.calibrate import apply, norms_of, statistics_of  # noqa: E402


@pytest.fixture
def network():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6, eps=1e-3), nn.ReLU(), nn.Dropout(0.5)]
    layers += [nn.Conv2d(6, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.Hardswish()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(n, 3, 16, 16, generator=generator) for n in (7, 7, 3)]


def reference(network, batches):
    """By the definition, layer by layer in double precision."""
    network, images = network.double(), sum(len(b) for b in batches)
    found = {}
    values = [b.double() for b in batches]
    with torch.no_grad():
        for name, layer in network.eval().named_children():
            if isinstance(layer, nn.BatchNorm2d):
                means = [v.mean((0, 2, 3)) for v in values]
                centred = [v - m[None, :, None, None] for v, m in zip(values, means, strict=True)]
                variances = [(c * c).mean((0, 2, 3)) for c in centred]
                found[name] = [
                    sum(len(v) * s for v, s in zip(values, kind, strict=True)) / images
                    for kind in (means, variances)
                ]
                scales = [layer.weight / torch.sqrt(v + layer.eps) for v in variances]
                values = [
                    c * s[None, :, None, None] + layer.bias[None, :, None, None]
                    for c, s in zip(centred, scales, strict=True)
                ]
            else:
                values = [layer(v) for v in values]
    return found


def test_it_equals_a_reference_in_double_precision(network, batches):
    found = statistics_of(network.double(), [b.double() for b in batches])
    for name, (mean, variance) in reference(network, batches).items():
        torch.testing.assert_close(found[name][0], mean, rtol=1e-12, atol=1e-14)
        torch.testing.assert_close(found[name][1], variance, rtol=1e-12, atol=1e-14)


def test_a_network_in_single_precision_comes_close_to_it(network, batches):
    found = statistics_of(network, batches)
    for name, expected in reference(network, batches).items():
        assert found[name][0].dtype == torch.float64
        for one, other in zip(found[name], expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_it_leaves_the_network_its_modes_and_the_random_state(network, batches):
    network.train()
    network[1].eval()
    before = {k: v.clone() for k, v in network.state_dict().items()}
    modes, state = [m.training for m in network.modules()], torch.get_rng_state()
    statistics_of(network, batches)
    assert [m.training for m in network.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert "forward" not in network[1].__dict__


def test_dropout_is_off_so_it_is_the_same_again(network, batches):
    network.train()
    one, other = (statistics_of(network, batches) for _ in range(2))
    assert all(torch.equal(one[k][i], other[k][i]) for k in one for i in (0, 1))


def test_applied_it_is_what_evaluation_normalises_with(network, batches):
    found = statistics_of(network, batches)
    apply(network, found)
    assert set(norms_of(network)) == {"1", "5"}
    assert torch.equal(network[5].running_var, found["5"][1].float())
    assert int(network[5].num_batches_tracked) == 0


def test_one_batch_normalises_as_training_mode_does(network, batches):
    whole = nn.Sequential(*list(network)[:3])
    expected = whole.train()(batches[0])
    apply(whole, statistics_of(whole, batches[:1]))
    torch.testing.assert_close(whole.eval()(batches[0]), expected, rtol=1e-4, atol=1e-5)


def test_one_image_of_one_pixel_has_variance_zero():
    norm = nn.Sequential(nn.BatchNorm2d(2))
    found = statistics_of(norm, [torch.ones(1, 2, 1, 1)])
    assert found["0"][0].tolist() == [1, 1]
    assert found["0"][1].tolist() == [0, 0]


def test_an_error_in_the_middle_leaves_the_network_as_it_was(network, batches):
    network.train()
    with pytest.raises(RuntimeError):
        statistics_of(network, [batches[0], torch.zeros(1, 9, 8, 8)])
    assert network.training
    assert "forward" not in network[1].__dict__


def test_sums_of_several_processes_are_those_of_one(network, batches):
    sums = []
    for part in (batches[::2], batches[1::2]):
        statistics_of(network, part, lambda v: sums.append(v) or v)
    found = statistics_of(network, batches[:1], lambda v: sums[0] + sums[1])
    for name, pair in statistics_of(network, batches).items():
        for one, other in zip(found[name], pair, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=0)


def test_no_image_and_strange_statistics_are_said(network):
    with pytest.raises(InputError, match="no image to calibrate"):
        statistics_of(network, [])
    found = statistics_of(network, [torch.randn(2, 3, 8, 8)])
    with pytest.raises(InputError, match="'5' has no match"):
        apply(network, {"1": found["1"]})
    with pytest.raises(InputError, match="6 channels, its statistics 4"):
        apply(network, {"1": found["5"], "5": found["5"]})
