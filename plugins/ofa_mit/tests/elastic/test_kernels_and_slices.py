"""What a subnet uses of the elastic weights: slices, and kernels made by the learned matrices."""

from __future__ import annotations

import numpy as np
import pytest

from ofa_mit import mobile_supernet
from ofa_mit.mobile import MobileRow

torch = pytest.importorskip("torch", reason="networks need the extra [torch]")


def row(**changes):
    given = {
        "stem": 8,
        "first": 8,
        "widths": (16, 24),
        "strides": (2, 2),
        "activations": ("relu", "h_swish"),
        "se": (False, True),
        "final_expand": 32,
        "feature_mix": 40,
        "resolutions": (32, 64),
    }
    return MobileRow(**{**given, **changes})


def shaken(supernet, seed=0):
    net = supernet.build(5).double().eval()
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, t in net.published().items():
        if t.is_floating_point():
            t = t + 0.1 * torch.randn(t.shape, generator=generator, dtype=t.dtype)
            t = t.abs() if "running_var" in name else t
        state[name] = t
    net.load_published(state)
    return net


def arch(net, kernel, expand=6, depth=4):
    """The same choice everywhere."""
    found = net.largest.as_dict()
    return {
        "ks": [kernel] * len(found["ks"]),
        "e": [expand] * len(found["e"]),
        "d": [depth] * len(found["d"]),
        "image_size": 32,
    }


def depthwise(subnet):
    return [m for m in subnet.modules() if isinstance(m, torch.nn.Conv2d) and m.groups > 1][1:]


def through(kernel, matrix, size):
    """By the definition: the centre, flattened by rows, v·Mᵀ, reshaped."""
    start = (kernel.shape[-1] - size) // 2
    middle = kernel[:, :, start : start + size, start : start + size]
    flat = middle.reshape(len(kernel), -1) @ matrix.T
    return flat.reshape(len(kernel), 1, size, size)


class TestKernels:
    def test_smaller_kernels_are_made_step_by_step_from_larger_ones(self):
        net = shaken(mobile_supernet("mine", row()))
        state = net.published()
        place = "blocks.3.conv.depth_conv.conv"
        stored = state[f"{place}.conv.weight"].numpy()
        five = through(stored, state[f"{place}.7to5_matrix"].numpy(), 5)
        three = through(five, state[f"{place}.5to3_matrix"].numpy(), 3)
        for kernel, expected in ((7, stored), (5, five), (3, three)):
            found = depthwise(net.extract(arch(net, kernel)))[2].weight.detach().numpy()
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)

    @pytest.mark.parametrize(
        ("ks", "matrices"),
        [
            ((3, 5, 7), {"7to5", "5to3"}),
            ((3, 7), {"7to3"}),
            ((5,), set()),
            ((3, 9, 5), {"9to5", "5to3"}),
        ],
    )
    def test_a_row_has_a_matrix_from_each_size_to_the_next_smaller(self, ks, matrices):
        net = mobile_supernet("mine", row(ks=ks)).build(5)
        found = {k.rpartition(".")[2] for k in net.published() if k.endswith("_matrix")}
        assert found == {f"{m}_matrix" for m in matrices}
        assert net.published()["blocks.1.conv.depth_conv.conv.conv.weight"].shape[-1] == max(ks)

    def test_fixed_kernels_have_no_matrices_and_are_cropped(self):
        compofa = pytest.importorskip("compofa.networks", reason="compofa is not installed")
        net = compofa.compofa().build(5).double().eval()
        assert not [k for k in net.published() if k.endswith("_matrix")]
        stored = net.published()["blocks.1.conv.depth_conv.conv.conv.weight"]
        subnet = net.extract({**net.largest.as_dict(), "image_size": 32})
        torch.testing.assert_close(depthwise(subnet)[0].weight.detach(), stored[..., 2:5, 2:5])


class TestSlices:
    def test_a_narrower_subnet_uses_the_first_channels_of_everything(self):
        net = shaken(mobile_supernet("mine", row()))
        state, small = net.published(), net.extract(arch(net, 7, expand=3)).published()
        for key, tensor in small.items():
            wide = state[_elastic(key)] if _elastic(key) in state else state[key]
            index = tuple(slice(0, n) for n in tensor.shape)
            if "num_batches" not in key:
                torch.testing.assert_close(tensor, wide[index], rtol=0, atol=0)

    def test_batch_norms_of_a_subnet_are_slices_of_gamma_beta_and_statistics(self):
        net = shaken(mobile_supernet("mine", row()))
        subnet, state = net.extract(arch(net, 7, expand=4)), net.published()
        norm = subnet.get_submodule("body.2.expand.norm")
        for name in ("weight", "bias", "running_mean", "running_var"):
            whole = state[f"blocks.1.conv.inverted_bottleneck.bn.bn.{name}"]
            torch.testing.assert_close(
                norm.state_dict()[name], whole[: norm.num_features], rtol=0, atol=0
            )

    def test_a_shallower_subnet_keeps_the_first_blocks_of_each_stage(self):
        net = shaken(mobile_supernet("mine", row()))
        blocks = net.extract(arch(net, 7, depth=2)).blocks
        assert [b.name for b in blocks if b.stage == 2] == ["stage 2 block 1", "stage 2 block 2"]


def _elastic(key):
    """A static tensor's name in the elastic network of the largest depth."""
    if ".se." in key or not key.startswith("blocks.") or key.startswith("blocks.0."):
        return key
    head, _, tail = key.rpartition(".bn." if ".bn." in key else ".conv.")
    twice = ".bn.bn." if ".bn." in key else ".conv.conv."
    return f"{head}{twice}{tail}"


class TestChange:
    """The active subnet is laid out once; what it was laid out from may change."""

    def test_a_weight_that_is_changed_in_place_is_noticed(self):
        net = shaken(mobile_supernet("mine", row()))
        x = torch.zeros(1, 3, 32, 32, dtype=torch.float64)
        with torch.no_grad():
            before = net(x)
            for p in net.parameters():
                p.add_(0.01)
            assert not torch.equal(net(x), before)

    def test_a_checkpoint_that_is_loaded_is_noticed(self):
        supernet = mobile_supernet("mine", row())
        net, other = shaken(supernet, 1), shaken(supernet, 2)
        x = torch.ones(1, 3, 32, 32, dtype=torch.float64)
        with torch.no_grad():
            net(x)
            net.load_published(other.published())
            torch.testing.assert_close(net(x), other(x), rtol=0, atol=0)
            other = shaken(supernet, 3)
            net.load_state_dict(other.state_dict())
            torch.testing.assert_close(net(x), other(x), rtol=0, atol=0)

    def test_another_data_type_is_noticed(self):
        net = shaken(mobile_supernet("mine", row()))
        with torch.inference_mode():
            net(torch.zeros(1, 3, 32, 32, dtype=torch.float64))
            assert net.float()(torch.zeros(1, 3, 32, 32)).dtype == torch.float32

    def test_other_tensors_in_place_of_the_weights_are_noticed(self):
        supernet = mobile_supernet("mine", row())
        net, other = shaken(supernet, 1), shaken(supernet, 2)
        x = torch.ones(1, 3, 32, 32, dtype=torch.float64)
        tensors = dict(other.named_parameters()) | dict(other.named_buffers())
        with torch.no_grad():
            before, wanted = net(x), other(x)
            assert torch.equal(torch.func.functional_call(net, tensors, (x,)), wanted)
            assert torch.equal(net(x), before)
            for name, tensor in other.state_dict().items():
                module, _, last = name.rpartition(".")
                if last in dict(net.get_submodule(module).named_parameters(recurse=False)):
                    net.get_submodule(module).get_parameter(last).data = tensor.clone()
                else:
                    setattr(net.get_submodule(module), last, tensor.clone())
            assert torch.equal(net(x), wanted)
            net.load_state_dict(
                net.state_dict() | {k: t + 0 for k, t in tensors.items()}, assign=True
            )
            assert torch.equal(net(x), wanted)

    def test_activating_in_the_middle_of_a_pass_leaves_that_pass_alone(self, monkeypatch):
        net = shaken(mobile_supernet("mine", row()))
        x = torch.ones(1, 3, 32, 32, dtype=torch.float64)
        one, two = arch(net, 3), arch(net, 7)
        wanted = {}
        with torch.no_grad():
            for number, chosen in enumerate((one, two)):
                net.activate(chosen)
                wanted[number] = net(x)
            net.activate(one)
            layer = net.blocks[4].layer("depthwise")
            prepare = layer.prepared

            def interrupted(op):
                net.activate(two)
                return prepare(op)

            monkeypatch.setattr(layer, "prepared", interrupted)
            assert torch.equal(net(x), wanted[0])
            monkeypatch.undo()
            assert torch.equal(net(x), wanted[1])

    def test_a_batch_norm_that_is_frozen_by_itself_stays_as_it_is(self):
        net = shaken(mobile_supernet("mine", row())).train()
        norm = net.blocks[0].layer("conv").norm.eval()
        before = norm.running_mean.clone()
        net(torch.randn(4, 3, 32, 32, dtype=torch.float64))
        assert torch.equal(norm.running_mean, before)

    def test_gradients_after_inference_mode_reach_the_weights(self):
        net = shaken(mobile_supernet("mine", row()))
        x = torch.randn(1, 3, 32, 32, dtype=torch.float64)
        with torch.inference_mode():
            net(x)
        net(x).sum().backward()
        assert all(p.grad is not None for p in net.parameters() if p.ndim == 1)

    def test_what_the_caller_does_with_its_dict_does_not_matter(self):
        net = shaken(mobile_supernet("mine", row()))
        chosen = arch(net, 3)
        net.activate(chosen)
        chosen["ks"][0] = 7
        assert net.active.as_dict()["ks"][0] == 3


class TestForms:
    """``activate`` takes every form of an architecture that files have."""

    @pytest.mark.parametrize(
        "form",
        [
            lambda a: {"arch": a},
            lambda a: {**{k: v for k, v in a.items() if k != "image_size"}, "r": [32]},
            lambda a: {**a, "wid": None},
            lambda a: {**a, "e": [float(v) for v in a["e"]]},
            lambda a: {**a, "ks": tuple(a["ks"])},
        ],
    )
    def test_it_is_the_same_network(self, form):
        net = mobile_supernet("mine", row()).build(5)
        plain = arch(net, 5, 3, 2)
        net.activate(form(plain))
        found = net.active
        net.activate(plain)
        assert found == net.active

    def test_unused_slots_may_hold_anything(self):
        net = mobile_supernet("mine", row()).build(5)
        chosen = arch(net, 5, 3, 2)
        odd = {**chosen, "ks": [5, 5, 0, 0, 5, 5, 0, 0], "e": [3, 3, 0, 0, 3, 3, 0, 0]}
        net.activate(odd)
        kept = net.active
        net.activate(chosen)
        assert net.active == kept
        torch.testing.assert_close(
            net.extract(odd).published(), net.extract(chosen).published(), rtol=0, atol=0
        )
