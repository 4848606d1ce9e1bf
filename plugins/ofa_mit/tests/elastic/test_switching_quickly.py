"""What makes a change of subnet quick: names remembered, layouts made ahead, nothing packed."""

from __future__ import annotations

import copy

import pytest

from ofa_mit import mobile_supernet
from ofa_mit.mobile import MobileRow

torch = pytest.importorskip("torch", reason="networks need the extra [torch]")

from ofa_mit.elastic import network  # noqa: E402
from ofa_mit.elastic.steps import prepared_op  # noqa: E402
from ofa_plugins_core.geometry import Op  # noqa: E402
from ofa_plugins_core.nn.plain import Tensors  # noqa: E402

ROW = MobileRow(
    stem=8,
    first=8,
    widths=(16, 24),
    strides=(2, 2),
    activations=("relu", "h_swish"),
    se=(False, True),
    final_expand=32,
    feature_mix=40,
    resolutions=(32, 64),
)


@pytest.fixture
def net():
    return mobile_supernet("small", ROW).build(5).eval()


def archs(net):
    """A narrow one, a shallow one, the largest."""
    largest = net.largest.as_dict()
    shallow = {**largest, "d": [2] * len(largest["d"])}
    return [{**largest, "e": [3] * len(largest["e"])}, shallow, largest]


def statistics(net, arch, seed):
    generator = torch.Generator().manual_seed(seed)
    return {
        name: (
            torch.randn(m.num_features, generator=generator),
            torch.rand(m.num_features, generator=generator) + 0.5,
        )
        for name, m in net.extract(arch).named_modules()
        if isinstance(m, torch.nn.BatchNorm2d)
    }


def matches(net, arch, found):
    modules = dict(net.extract(arch).named_modules())
    return all(
        torch.equal(modules[n].running_mean, mean) and torch.equal(modules[n].running_var, variance)
        for n, (mean, variance) in found.items()
    )


@pytest.fixture
def extractions(net, monkeypatch):
    """How often a subnet was extracted."""
    seen, real = [], net.extract
    monkeypatch.setattr(net, "extract", lambda arch: seen.append(arch) or real(arch))
    return seen


def test_statistics_in_turns_are_each_time_the_last_ones(net):
    given = [(a, statistics(net, a, n)) for n, a in enumerate(archs(net))]
    for arch, found in (*given, *reversed(given), *given):
        net.apply_statistics(arch, found)
        assert matches(net, arch, found)


def test_a_subnet_is_extracted_for_its_norms_names_once(net, extractions):
    arch = archs(net)[0]
    found = statistics(net, arch, 0)
    extractions.clear()
    for _ in range(3):
        net.apply_statistics(arch, found)
    assert len(extractions) == 1


def test_no_more_names_are_kept_than_so_many(net, monkeypatch):
    monkeypatch.setattr(network, "REMEMBERED", 2)
    for number, arch in enumerate(archs(net)):
        net.apply_statistics(arch, statistics(net, arch, number))
        assert len(net._named) <= 2


def test_a_copy_writes_into_its_own_norms(net):
    arch = archs(net)[0]
    net.apply_statistics(arch, statistics(net, arch, 0))
    other, found = copy.deepcopy(net), statistics(net, arch, 1)
    other.apply_statistics(arch, found)
    assert matches(other, arch, found) and not matches(net, arch, found)


def test_what_is_prepared_is_not_laid_out_again(net, monkeypatch):
    image, made, real = torch.rand(1, 3, 32, 32), [], net._laid_out
    monkeypatch.setattr(net, "_laid_out", lambda chosen: made.append(chosen) or real(chosen))
    with torch.inference_mode():
        for arch in archs(net):
            net.activate(arch)
            net.prepare()
            subnet = net.extract(arch)
            assert torch.allclose(net(image), subnet(image), atol=1e-5)
    assert len(made) == len(archs(net))


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("images", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_slice_of_columns_answers_as_a_dense_one(bias, images, layout):
    op = Op("project", "conv", 6, 4, 5, 5)
    weight = torch.rand(4, 9, 1, 1)[:, :6]
    offset = torch.rand(4) if bias else None
    x = torch.rand(images, 6, 5, 5).contiguous(memory_format=layout)
    step = prepared_op(op, Tensors(weight, offset), 1e-5)
    for _ in range(2):
        assert torch.allclose(step(x), torch.conv2d(x, weight.contiguous(), offset), atol=1e-6)
