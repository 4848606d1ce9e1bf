"""An ONNX graph from the geometry computes what the torch module of the same blocks does."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra [torch]")
pytest.importorskip("onnx", reason="needs the extra [export]")
pytest.importorskip("onnxruntime", reason="needs the extra [export]")

import onnx
import onnxruntime
import torch

from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.nn.devices.onnx_blocks import OPSET, onnx_model
from ofa_plugins_core.nn.plain.blocks import block_module
from ofa_plugins_core.nn.plain.layers import layer, sequence
from ofa_plugins_core.nn.plain.tensors import Norm, Tensors
from ofa_plugins_core.testing import everything, toy_supernet

EPS = 1e-5
TOY = toy_supernet()


class Drawn:
    """Blocks in torch whose batch norms do something, and the same weights folded."""

    def __init__(self, blocks):
        self.generator = torch.Generator().manual_seed(7)
        self.layers = {}
        modules = {str(n): self.module(n, block) for n, block in enumerate(blocks)}
        self.network = sequence(**modules).eval()

    def module(self, number, block):
        def made(op):
            self.layers[number, op.name] = layer(op, self.tensors(op), EPS)
            return self.layers[number, op.name]

        return block_module(block, made)

    def tensors(self, op):
        into = op.channels_in // op.groups
        square = [] if op.role == "linear" else [op.kernel] * 2
        scale = (2.0 / (into * op.kernel**2)) ** 0.5
        weight = scale * self.normal(op.channels_out, into, *square)
        bias = self.normal(op.channels_out) if op.bias else None
        return Tensors(weight, bias, self.norm(op.channels_out) if op.norm else None)

    def norm(self, channels):
        gamma, variance = (0.5 + self.normal(channels).abs() for _ in range(2))
        return Norm(gamma, self.normal(channels), self.normal(channels), variance)

    def normal(self, *shape):
        return torch.randn(*shape, generator=self.generator)

    def folded(self, number, op):
        made = self.layers[number, op.name]
        inner = made.linear if op.role == "linear" else made.conv
        bias = torch.zeros(op.channels_out) if inner.bias is None else inner.bias
        weight = inner.weight
        if op.norm:
            scale = made.norm.weight / torch.sqrt(made.norm.running_var + EPS)
            weight = weight * scale.reshape(-1, *[1] * (weight.ndim - 1))
            bias = (bias - made.norm.running_mean) * scale + made.norm.bias
        return weight.detach().numpy(), bias.detach().numpy()


def both(blocks, batch=1):
    """What torch and ONNX Runtime make of the same input."""
    drawn, work = Drawn(blocks), Work(tuple(blocks), batch)
    images = np.random.default_rng(3).standard_normal(work.input_shape).astype(np.float32)
    session = onnxruntime.InferenceSession(
        onnx_model(blocks, batch, drawn.folded), providers=["CPUExecutionProvider"]
    )
    with torch.inference_mode():
        expected = drawn.network(torch.from_numpy(images.copy())).numpy()
    return expected, session.run(None, {"x": images})[0]


def same(expected, found, what):
    assert found.shape == expected.shape, what
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(found, expected, atol=2e-4 * scale, err_msg=str(what))


@pytest.mark.parametrize("size", [64, 75])
def test_a_block_of_each_kind(published, kinds, size):
    for block in kinds(published, size):
        same(*both([block]), block)


def test_a_whole_network(published):
    space = published.at([64]).space
    (arch,) = space.decode((space.sizes[None] // 2).astype(np.uint8))
    blocks = published.geometry().blocks({**arch.as_dict(), "image_size": 64})
    same(*both(blocks), arch)


def test_a_batch():
    blocks = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[-1:])[0])
    expected, found = both(blocks, batch=3)
    assert found.shape == (3, 10)
    same(expected, found, "toy")


def test_what_the_file_says():
    blocks = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[:1])[0])
    model = onnx.load_model_from_string(onnx_model(blocks, 2))
    assert model.opset_import[0].version == OPSET
    (given,), (found,) = model.graph.input, model.graph.output
    shapes = [[d.dim_value for d in v.type.tensor_type.shape.dim] for v in (given, found)]
    assert shapes == [[2, 3, 32, 32], [2, 10]]


def test_drawn_weights_are_the_same_each_time_and_sound():
    blocks = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[-1:])[0])
    one, two = onnx_model(blocks), onnx_model(blocks)
    assert one == two
    session = onnxruntime.InferenceSession(one, providers=["CPUExecutionProvider"])
    out = session.run(None, {"x": np.random.default_rng(0).random((1, 3, 64, 64), np.float32)})[0]
    assert 1e-6 < np.abs(out).max() < 1e6
