"""Every published supernet computes the published functions: golden logits in float64.

The golden files hold numbers that the published implementations gave, on weights that are filled
by a formula (``nn.checkpoints.synthetic_state``), so that no weight file has to travel.
"""

from __future__ import annotations

import json
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from ofa_plugins_core import Host

torch = pytest.importorskip("torch", reason="networks need the extra [torch]")

from ofa_plugins_core.nn.checkpoints import synthetic_state  # noqa: E402 - needs torch

GOLDEN = Path(__file__).parent / "golden" / "logits"
HOST = Host.discover()
SPACES = sorted(f.stem for f in GOLDEN.glob("*.jsonl"))
TOLERANCE = 1e-6
"""Of the largest logit of the entry."""


def entries(space):
    return [json.loads(line) for line in (GOLDEN / f"{space}.jsonl").read_text().splitlines()]


@cache
def network(space, layout):
    """Filled by the formula, saved in a layout, and loaded again."""
    net = HOST.supernet(space).build().double().eval()
    shapes = {k: tuple(t.shape) for k, t in net.published().items()}
    net.load_published(synthetic_state(shapes, torch.float64))
    fresh = HOST.supernet(space).build().double().eval()
    fresh.load_published({"state_dict": net.published(layout)})
    return fresh


def images(size):
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(b"input")))
    return torch.from_numpy(generator.standard_normal((2, 3, size, size)))


def agrees(logits, entry):
    scale = float(logits.abs().max())
    for found, golden in (
        (logits[:, :8], entry["logits_first8"]),
        (logits.sum(1), entry["logit_sum"]),
        (logits.abs().sum(1), entry["logit_abs_sum"]),
    ):
        np.testing.assert_allclose(found.numpy(), golden, rtol=0, atol=TOLERANCE * scale)
    assert logits.argmax(1).tolist() == entry["argmax"]


def test_there_are_golden_logits_of_all_nine():
    assert len(SPACES) == 9
    assert all(len(entries(space)) >= 4 for space in SPACES)


@pytest.mark.parametrize("layout", ["new", "old"])
@pytest.mark.parametrize("space", SPACES)
def test_elastic_and_extracted_networks_compute_the_golden_logits(space, layout):
    net = network(space, layout)
    for entry in entries(space):
        net.activate(entry["arch"])
        x = images(entry["image_size"])
        with torch.no_grad():
            agrees(net(x), entry)
            agrees(net.extract(entry["arch"])(x), entry)
