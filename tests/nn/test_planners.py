"""What planners allot for networks that are small enough to be worked out by hand."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from ofa_plugins_core.errors import InfeasibleError, InputError, MissingExtraError  # noqa: E402
from ofa_plugins_core.nn.planners import executorch, onnx_runtime  # noqa: E402
from ofa_plugins_core.nn.planners.fitting import refuse_beyond  # noqa: E402
from ofa_plugins_core.nn.planners.record import Moment, Plan, Tensor, largest  # noqa: E402
from ofa_plugins_core.nn.planners.torch_cpu import torch_plan  # noqa: E402

SIZE = 64
MAP = 16 * SIZE * SIZE
"""Elements of one feature map of 16 channels."""


class Residual(nn.Module):
    """Two convolutions and the sum with what went in."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Conv2d(16, 16, 3, padding=1)
        self.last = nn.Conv2d(16, 16, 1)

    def forward(self, given):
        return given + self.last(self.inner(given))


def network(*, shortcut: bool = False) -> nn.Sequential:
    """A stem, two convolutions with or without a shortcut, all of 16 channels, a classifier."""
    plain = (nn.Conv2d(16, 16, 3, padding=1), nn.Conv2d(16, 16, 1))
    middle = (Residual(),) if shortcut else plain
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10))
    return nn.Sequential(nn.Conv2d(3, 16, 1), *middle, *head)


@pytest.fixture(scope="module")
def onnx_files(tmp_path_factory):
    """The network with a shortcut as ONNX: float and int8."""
    for needed in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(needed)
    from ofa_plugins_core.nn.planners.exporting import float_file, int8_file

    folder = tmp_path_factory.mktemp("planned")
    float_onnx = float_file(network(shortcut=True), SIZE, folder / "float.onnx")
    return float_onnx, int8_file(float_onnx, SIZE, folder / "int8.onnx")


class TestTorch:
    def test_feature_maps_and_the_kernels_copies(self):
        """Input and output; at most the convolution's own layout of both, and of its weights."""
        plan = torch_plan(network(), SIZE)
        assert (plan.planner, plan.dtype, plan.lost) == ("torch", "fp32", 0)
        assert 2 * MAP * 4 <= plan.activations < 4.2 * MAP * 4

    def test_a_shortcut_holds_three(self):
        plain, with_shortcut = torch_plan(network(), SIZE), torch_plan(network(shortcut=True), SIZE)
        assert with_shortcut.activations >= max(3 * MAP * 4, plain.activations)

    def test_the_network_stays_as_it_was(self):
        module = network().train()
        before = {name: t.clone() for name, t in module.state_dict().items()}
        plan = torch_plan(module, SIZE)
        assert module.training
        assert all(torch.equal(t, before[n]) for n, t in module.state_dict().items())
        assert plan.weights == sum(t.nbytes for t in before.values())

    def test_nothing_is_printed(self, capfd):
        torch_plan(network(), SIZE)
        said = capfd.readouterr()
        assert (said.out, said.err) == ("", "")


class TestOnnxRuntime:
    def test_float(self, onnx_files):
        """The sum is written in place: three maps while the last convolution runs, or two."""
        plan = onnx_runtime.onnx_runtime_plan(onnx_files[0])
        assert (plan.planner, plan.dtype) == ("onnxruntime", "fp32")
        assert 2 * MAP * 4 <= plan.activations <= 3.1 * MAP * 4
        assert plan.peak is not None and plan.peak.bytes <= plan.activations
        assert plan.weights is not None and plan.weights >= 4 * (16 * 3 + 16 * 144 + 256 + 160)

    def test_int8_needs_a_quarter_or_little_more(self, onnx_files):
        plan = onnx_runtime.onnx_runtime_plan(onnx_files[1])
        assert plan.dtype == "int8"
        assert 2 * MAP <= plan.activations <= 4.1 * MAP
        assert plan.ops is not None and max(size for _, size in plan.ops) == plan.peak.bytes
        assert {t.dtype for t in plan.peak.tensors} == {"int8"}

    def test_what_is_no_network(self, tmp_path):
        pytest.importorskip("onnxruntime")
        broken = tmp_path / "broken.onnx"
        broken.write_bytes(b"no network")
        with pytest.raises(InputError, match=r"broken\.onnx"):
            onnx_runtime.onnx_runtime_plan(broken)

    def test_a_log_that_tells_nothing(self):
        peak = Moment("op", (Tensor("t", (1,), "fp32", 4096),))
        pytest.importorskip("onnxruntime")
        for log in ("", "=== run 2\nExtended allocation by 64 bytes."):
            with pytest.raises(InputError, match="does not tell"):
                onnx_runtime._asked_for(log, peak)

    def test_without_it_one_line_says_what_to_install(self, monkeypatch, tmp_path):
        monkeypatch.setattr(onnx_runtime, "find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"\[export\]"):
            onnx_runtime.onnx_runtime_plan(tmp_path / "any.onnx")


class TestExecutorch:
    def test_float(self):
        pytest.importorskip("executorch")
        plan = executorch.executorch_plan(network(shortcut=True), SIZE)
        assert plan.version.endswith("portable kernels")
        assert 3 * MAP * 4 <= plan.activations < 4 * MAP * 4
        assert plan.lost is not None and plan.lost >= 0

    def test_int8_holds_bytes_and_scratch(self):
        pytest.importorskip("executorch")
        pytest.importorskip("tosa_serializer")
        plan = executorch.executorch_plan(network(), SIZE, "int8")
        assert 2 * MAP <= plan.activations < 3 * MAP
        assert "Cortex-M" in plan.version

    def test_without_it_one_line_says_what_to_install(self, monkeypatch):
        monkeypatch.setattr(executorch, "find_spec", lambda name: None)
        with pytest.raises(MissingExtraError, match=r"\[executorch\]"):
            executorch.executorch_plan(network(), SIZE)


def test_what_does_not_fit_is_refused_with_what_it_needs():
    plan = Plan("p", "1", "int8", 4000, None, None, None, Moment("conv", ()), "")
    refuse_beyond(plan, 4000)
    with pytest.raises(InfeasibleError, match=r"4,000 bytes .* 3,999 are allowed.*conv") as error:
        refuse_beyond(plan, 3999)
    assert error.value.smallest == {"ram": 4000}


def test_gaps_are_what_no_buffer_fills():
    first = Moment("a", (Tensor("x", (2, 3), "fp32", 24), Tensor("y", (), "scratch", 8)))
    second = Moment("b", (Tensor("x", (2, 3), "fp32", 24),))
    assert largest([second, first]) == first
    plan = Plan("p", "1", "fp32", 40, None, 10, None, first, "")
    assert (plan.lost, plan.total) == (8, 50)
    assert list(map(str, first.tensors)) == ["fp32 2×3 (24 bytes)", "scratch y (8 bytes)"]
