"""Published files: both layouts, teachers, wrapped dicts; everything else is refused by name."""

from __future__ import annotations

import pytest

from ofa_mit import mobile_supernet, residual_supernet
from ofa_mit.networks import MBV3_W1_0, RESNET50
from ofa_plugins_core import InputError, UsageError

torch = pytest.importorskip("torch", reason="networks need the extra [torch]")


@pytest.fixture(scope="module")
def supernet():
    return mobile_supernet("mine", MBV3_W1_0)


@pytest.fixture
def net(supernet):
    return supernet.build(10).eval()


def shifted(net):
    """Other numbers under the same names."""
    return {
        k: t + 0.5 if t.is_floating_point() and not k.endswith("_matrix") else t
        for k, t in net.published().items()
    }


def loads(net, state, expected):
    net.load_published(state)
    found = net.published()
    return all(torch.equal(found[k], t) for k, t in expected.items())


class TestForms:
    def test_the_new_layout(self, net):
        assert loads(net, shifted(net), shifted(net))

    def test_the_old_layout(self, net):
        state = shifted(net)
        old = {
            k.replace(".conv.", ".mobile_inverted_conv.", 1) if k.startswith("blocks.") else k: t
            for k, t in state.items()
        }
        assert set(old) == set(net.published("old"))
        assert loads(net, old, state)

    def test_wrapped_as_a_state_dict_and_by_data_parallel_training(self, net):
        state = shifted(net)
        assert loads(net, {"state_dict": {f"module.{k}": t for k, t in state.items()}}, state)

    @pytest.mark.parametrize("row", [MBV3_W1_0, RESNET50], ids=["mobile", "residual"])
    def test_a_static_teacher_without_kernel_matrices(self, row):
        make = mobile_supernet if row is MBV3_W1_0 else residual_supernet
        net = make("mine", row).build(10).eval()
        teacher = net.extract(net.largest)
        with torch.no_grad():
            for tensor in teacher.parameters():
                tensor.mul_(0.9)
            for name, tensor in net.named_parameters():
                if name.endswith(("7to5", "5to3")):
                    tensor.add_(1.0)  # a teacher's file resets them to identity
        assert not any(k.endswith("_matrix") for k in teacher.published())
        net.load_published(teacher.published("old"))
        x = torch.randn(1, 3, 64, 64)
        net.activate(net.largest)
        with torch.no_grad():
            torch.testing.assert_close(net(x), teacher(x))
        for key, tensor in net.published().items():
            if key.endswith("_matrix"):
                assert torch.equal(tensor, torch.eye(len(tensor)))

    def test_an_elastic_file_without_its_matrices_is_refused(self, net):
        state = {k: t for k, t in shifted(net).items() if not k.endswith("_matrix")}
        with pytest.raises(InputError, match=r"missing: .*_matrix"):
            net.load_published(state)

    def test_an_unknown_layout_is_refused(self, net):
        with pytest.raises(UsageError, match="unknown layout 'newest'; known: new, old"):
            net.published("newest")

    @pytest.mark.parametrize("state", [{}, {"epoch": 3}, {"state_dict": {"weight": "text"}}])
    def test_what_is_no_checkpoint_is_refused(self, net, state):
        with pytest.raises(InputError, match="not a checkpoint"):
            net.load_published(state)


class TestBroken:
    """Refused as a whole: nothing of it is loaded."""

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (lambda t: t * float("nan"), "not finite: final_expand_layer.conv.weight"),
            (lambda t: t.to("meta"), "has no content"),
            (lambda t: t.to(torch.complex64), "is torch.complex64"),
            (lambda t: t.to_sparse(), "torch.sparse_coo"),
        ],
    )
    def test_tensors_that_hold_no_usable_numbers(self, net, change, said):
        before, key = net.published(), "final_expand_layer.conv.weight"
        state = shifted(net)
        state[key] = change(state[key])
        with pytest.raises(InputError, match=said):
            net.load_published(state)
        assert all(torch.equal(t, before[k]) for k, t in net.published().items())

    def test_one_tensor_under_both_layouts_names(self, net):
        state = shifted(net)
        state["blocks.1.mobile_inverted_conv.point_linear.conv.conv.weight"] = torch.zeros(1)
        with pytest.raises(InputError, match=r"blocks\.1\.conv\.point_linear\..* twice"):
            net.load_published(state)

    def test_statistics_that_lack_a_batch_norm(self, net):
        with pytest.raises(InputError, match="statistics are missing: body"):
            net.apply_statistics(net.largest, {})


class TestClasses:
    def test_another_number_of_classes_is_refused_with_an_offer(self, net, supernet):
        state = supernet.build(7).published()
        with pytest.raises(InputError) as refused:
            net.load_published(state)
        assert "classifier.linear.weight is 7×1280, expected 10×1280" in refused.value.message
        assert "it is for 7 classes, this network has 10" in refused.value.advice
        assert "--new-head" in refused.value.advice

    def test_with_a_new_head_everything_else_is_loaded(self, net, supernet):
        state, head = supernet.build(7).published(), net.published()["classifier.linear.weight"]
        net.load_published(state, new_head=True)
        found = net.published()
        assert torch.equal(found["classifier.linear.weight"], head)
        assert torch.equal(found["first_conv.conv.weight"], state["first_conv.conv.weight"])

    def test_a_head_of_the_right_size_is_taken(self, net):
        state = shifted(net)
        net.load_published(state, new_head=True)
        assert torch.equal(
            net.published()["classifier.linear.weight"], state["classifier.linear.weight"]
        )


class TestStaticFiles:
    def test_a_specialised_network_loads_into_what_was_extracted(self, net):
        arch = {**net.largest.as_dict(), "d": [2, 3, 4, 2, 3], "ks": [3] * 20, "image_size": 64}
        one, two = net.extract(arch), net.extract(arch)
        with torch.no_grad():
            for tensor in one.parameters():
                tensor.mul_(1.5)
        keys = one.published()
        assert "blocks.14.conv.point_linear.conv.weight" in keys  # numbered one after another
        assert "blocks.15.conv.point_linear.conv.weight" not in keys
        two.load_published({"state_dict": one.published("old")})
        x = torch.randn(1, 3, 64, 64)
        with torch.no_grad():
            assert torch.equal(one(x), two(x))

    def test_another_architectures_file_is_refused(self, net):
        small = {**net.largest.as_dict(), "d": [2] * 5, "image_size": 64}
        with pytest.raises(InputError, match=r"missing: .* and \d+ more"):
            net.extract(net.largest).load_published(net.extract(small).published())
