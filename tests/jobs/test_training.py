"""What a phase is made of, as far as no training is needed to see it."""

from types import SimpleNamespace

import pytest

pytest.importorskip("torch")
pytest.importorskip("sklearn")

from ofa_plugins_core.jobs.training import Training
from ofa_plugins_core.nn.data import images_of
from ofa_plugins_core.phases import Hyperparameters


def training(rank=0, count=1, **options):
    """The second of several workers, for example, with a plan for batches of 64."""
    return SimpleNamespace(
        context=SimpleNamespace(seed=5),
        engine=SimpleNamespace(rank=rank, count=count, leads=rank == 0),
        found=SimpleNamespace(plan=SimpleNamespace(hyper=Hyperparameters(batch=64))),
        images=images_of("digits", 12, split="train", limit=24),
        options=SimpleNamespace(**options),
    )


def test_rates_grow_with_the_images_of_a_step():
    images = SimpleNamespace(batch=32, blocks=6)
    assert Training._rate(training(lr_scale=0.5), images) == 0.5 * 32 * 6 / 64


def test_each_worker_takes_blocks_of_its_own():
    given = {"accumulate": 3, "batch": None, "workers": 0}
    found = [Training._training_images(training(rank, 2, **given), 1) for rank in (0, 1)]
    assert [list(images.mine) for images in found] == [[0, 1, 2], [3, 4, 5]]
    assert {(images.blocks, images.batch, images.seed, images.phase) for images in found} == {
        (6, 64, 5, 2)
    }
