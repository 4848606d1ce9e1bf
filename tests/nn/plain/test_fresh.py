"""Blocks with fresh weights are what the geometry says, and their numbers stay sound."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="needs the extra [torch]")

import torch

from ofa_plugins_core.interfaces import Work
from ofa_plugins_core.nn.plain.fresh import fresh_network
from ofa_plugins_core.testing import everything, toy_supernet

TOY = toy_supernet()


def output_shape(blocks, batch):
    last = next(op for op in reversed(blocks[-1].ops) if not op.name.startswith("shortcut"))
    if last.role == "linear":
        return (batch, last.channels_out)
    return (batch, last.channels_out, last.size_out, last.size_out)


def ran(blocks, batch=1, seed=0):
    work = Work(tuple(blocks), batch)
    network = fresh_network(work.blocks, seed)
    images = torch.rand(work.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        return network, network(images)


@pytest.mark.parametrize("size", [64, 75])
def test_a_block_of_each_kind(published, kinds, size):
    """Parameters as counted, input as Work says, output as the geometry says."""
    blocks = kinds(published, size)
    assert len(blocks) >= 8
    for block in blocks:
        network, out = ran([block])
        assert sum(p.numel() for p in network.parameters()) == sum(o.params for o in block.ops)
        assert tuple(out.shape) == output_shape([block], 1), block
        assert torch.isfinite(out).all()


def test_whole_networks(published):
    """Their numbers neither blow up nor fade to denormal ones, which processors are slow with."""
    space = published.at([64]).space
    genes = torch.arange(len(space.sizes)).numpy() * 0
    smallest, largest = space.decode([genes.astype("uint8"), (space.sizes - 1).astype("uint8")])
    for arch in (smallest, largest):
        blocks = published.geometry().blocks({**arch.as_dict(), "image_size": 64})
        network, out = ran(blocks, batch=2)
        assert sum(p.numel() for p in network.parameters()) == sum(
            o.params for b in blocks for o in b.ops
        )
        assert tuple(out.shape) == output_shape(blocks, 2)
        assert 1e-6 < float(out.abs().max()) < 1e6


def test_every_network_of_the_toy_runs():
    for arch in TOY.space.decode(everything(TOY.space)[::40]):
        blocks = TOY.geometry().blocks(arch)
        _, out = ran(blocks)
        assert tuple(out.shape) == (1, 10)


def test_the_seed_decides_the_weights():
    blocks = TOY.geometry().blocks(TOY.space.decode(everything(TOY.space)[:1])[0])
    one, two, other = (ran(blocks, seed=s)[1] for s in (3, 3, 4))
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_no_other_randomness_is_touched():
    before = torch.get_rng_state()
    fresh_network(TOY.geometry().catalogue(32).blocks[:2])
    assert torch.equal(torch.get_rng_state(), before)


def test_it_is_in_evaluation_mode():
    network = fresh_network(TOY.geometry().catalogue(32).blocks[:2])
    assert not any(m.training for m in network.modules())
