"""Int8: per-channel weights, integer kernels throughout, differences told as they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
onnxruntime = pytest.importorskip("onnxruntime")

from torch import nn  # noqa: E402

from ofa_plugins_core.errors import InputError, UsageError  # noqa: E402
from ofa_plugins_core.nn import quantise  # noqa: E402
from ofa_plugins_core.nn.checking import random_images  # noqa: E402
from ofa_plugins_core.nn.integer_graph import before_quantisation  # noqa: E402
from ofa_plugins_core.nn.onnx_export import onnx_run, to_onnx  # noqa: E402
from ofa_plugins_core.nn.quantise import int8_onnx  # noqa: E402

SIZE = 32


class Gate(nn.Module):
    """Squeeze-excite."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Conv2d(16, 8, 1), nn.ReLU(), nn.Conv2d(8, 16, 1), nn.Hardsigmoid()
        )

    def forward(self, x):
        return x * self.fc(x.mean((2, 3), keepdim=True))


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish()]
    layers += [nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16), nn.ReLU6()]
    layers += [Gate(), nn.Conv2d(16, 32, 1, bias=False), nn.BatchNorm2d(32), nn.Hardswish()]
    found = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10))
    for part in found.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_var.uniform_(0.05, 0.1)
    return found.eval()


@pytest.fixture(scope="module")
def batches():
    generator = np.random.default_rng(0)
    return [random_images(8, SIZE, generator) for _ in range(4)]


@pytest.fixture(scope="module")
def plain(made, tmp_path_factory):
    return to_onnx(made, SIZE, tmp_path_factory.mktemp("float") / "float.onnx").path


@pytest.fixture(scope="module")
def int8(made, batches, plain, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "int8.onnx"
    return int8_onnx(plain, batches, path, module=made, size=SIZE, images=batches[:2])


def ops(path: Path, tmp_path: Path) -> list[str]:
    """What ONNX Runtime really runs."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [n.op_type for n in onnx.load(tmp_path / "optimised.onnx").graph.node]


class TestInt8:
    def test_near_the_eager_network(self, made, int8, batches):
        found = int8.difference
        assert found.sqnr > 20
        assert found.cosine > 0.99
        assert (int8.given, found.inputs) == (16, 16)
        images = batches[3]
        with torch.no_grad():
            wanted = made(torch.from_numpy(images)).numpy()
        error = onnx_run(int8.path)(images) - wanted
        assert 10 * np.log10((wanted**2).sum() / (error**2).sum()) > 20

    def test_takes_a_quarter_of_the_weights(self, int8, plain):
        def bytes_of(path: Path) -> int:
            graph = onnx.load(path).graph
            return sum(onnx.numpy_helper.to_array(i).nbytes for i in graph.initializer if i.dims)

        assert bytes_of(int8.path) < 0.55 * bytes_of(plain)  # biases and scales stay 32 bits

    def test_weights_have_a_scale_a_channel(self, int8):
        graph = onnx.load(int8.path).graph
        constants = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
        reads = [n for n in graph.node if n.op_type == "DequantizeLinear"]
        weights = [n for n in reads if n.input[0] in constants and constants[n.input[0]].ndim > 1]
        assert len(weights) == 6  # the classifier's, too
        for node in weights:
            kept, scale, zero = (constants[name] for name in node.input)
            assert kept.itemsize == 1
            assert scale.shape == (len(kept),)
            assert (zero == 128).all()  # symmetric

    def test_a_gate_that_is_open_is_one(self, int8):
        """x + 3 is stored in 255 steps from 0 to 6, and read in 255 steps from 0 to 1."""
        graph = onnx.load(int8.path).graph
        constants = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
        ends = ("_wide", "_narrow", "_step")
        found = {e: [v for n, v in constants.items() if n.endswith(e)] for e in ends}
        assert [len(v) for v in found.values()] == [3, 3, 3]
        assert np.allclose(255 * np.stack(found["_wide"]), 6, rtol=1e-6)
        assert np.allclose(255 * np.stack(found["_narrow"]), 1, rtol=1e-6)
        assert np.allclose(255 * np.stack(found["_step"]), 3, rtol=1e-6)

    def test_no_kernel_goes_back_to_float(self, int8, tmp_path):
        """Float tensors between the layers would take four times the memory."""
        found = ops(int8.path, tmp_path)
        assert found[0] == "QuantizeLinear" and found[-1] == "DequantizeLinear"
        assert set(found[1:-1]) <= {
            "QLinearConv",
            "QLinearAdd",
            "QLinearMul",
            "QLinearGlobalAveragePool",
            "QGemm",
            "Reshape",
            "Transpose",
        }

    def test_any_batch(self, int8):
        run = onnx_run(int8.path)
        images = random_images(3, SIZE, np.random.default_rng(5))
        one_by_one = np.concatenate([run(i[None]) for i in images])
        assert np.allclose(run(images), one_by_one)

    @pytest.mark.parametrize("method", ["entropy", "percentile"])
    def test_other_ranges(self, made, batches, plain, tmp_path, method, capfd):
        found = int8_onnx(
            plain, batches, tmp_path / "n.onnx", module=made, size=SIZE, method=method
        )
        assert found.difference.sqnr > 10
        assert capfd.readouterr().out == ""

    def test_without_images_it_is_compared_on_random_ones(self, made, batches, plain, tmp_path):
        found = int8_onnx(plain, batches, tmp_path / "n.onnx", module=made, size=SIZE)
        assert (found.given, found.inputs_checked) == (0, 8)


def mean_over(axes, *, keepdims=1):
    """A model of one ReduceMean, on (1, 2, 4, 4)."""
    helper = onnx.helper
    given = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, 2, 4, 4])
    found = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)
    constant = onnx.numpy_helper.from_array(np.array(axes, np.int64), "axes")
    node = helper.make_node("ReduceMean", ["x", "axes"], ["y"], keepdims=keepdims)
    return helper.make_model(helper.make_graph([node], "mean", [given], [found], [constant]))


class TestMeans:
    @pytest.mark.parametrize("axes", [(2, 3), (-1, -2), (3, -2)])
    def test_over_all_pixels_it_is_a_pooling(self, axes):
        model = mean_over(axes)
        before_quantisation(model)
        assert [n.op_type for n in model.graph.node] == ["GlobalAveragePool"]
        assert not model.graph.initializer  # the axes are not read any more

    @pytest.mark.parametrize(
        ("axes", "keepdims"), [((1,), 1), ((3,), 1), ((1, 2), 1), ((1, 2, 3), 1), ((2, 3), 0)]
    )
    def test_others_stay_what_they_are(self, axes, keepdims):
        model = mean_over(axes, keepdims=keepdims)
        before = model.SerializeToString()
        before_quantisation(model)
        assert model.SerializeToString() == before


class TestRefusal:
    def test_no_image(self, made, plain, tmp_path):
        with pytest.raises(UsageError, match="images to calibrate"):
            int8_onnx(plain, [], tmp_path / "n.onnx", module=made, size=SIZE)

    def test_too_much_noise_leaves_nothing(self, made, batches, plain, tmp_path):
        with pytest.raises(InputError, match="dB are asked for") as error:
            int8_onnx(plain, batches, tmp_path / "n.onnx", module=made, size=SIZE, least_sqnr=80.0)
        assert "--least-sqnr" in error.value.advice
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize(("value", "why"), [(0, "the same logits"), (np.nan, "no finite")])
    def test_a_broken_network_leaves_nothing(
        self, made, batches, plain, tmp_path, monkeypatch, value, why
    ):
        broken = onnx.load(plain)
        weights = next(i for i in broken.graph.initializer if len(i.dims) == 4)
        shape, name = tuple(weights.dims), weights.name
        weights.CopyFrom(onnx.numpy_helper.from_array(np.full(shape, value, np.float32), name))
        monkeypatch.setattr(quantise, "quantised_model", lambda *given: broken)
        with pytest.raises(InputError, match=rf"n\.onnx is not kept: .*{why}"):
            int8_onnx(plain, batches, tmp_path / "n.onnx", module=made, size=SIZE)
        assert not list(tmp_path.iterdir())

    def test_full_disk_while_quantising_leaves_nothing(
        self, made, batches, plain, tmp_path, monkeypatch
    ):
        def full(*given):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(quantise, "quantised_model", full)
        with pytest.raises(InputError, match="No space left on device"):
            int8_onnx(plain, batches, tmp_path / "n.onnx", module=made, size=SIZE)
        assert not list(tmp_path.iterdir())
