"""What images that are prepared once promise.

    python benchmarks/evaluating.py [--json]

400 generated JPEG files of 500 × 375 pixels, evaluated at 224 by a network that is small, so that
reading counts; one process, one thread. The usual loader is that of a set which is too large to be
kept unasked: it decodes every picture in every pass. What is prepared was prepared before.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from promises import Action, Row, medians, report
from torch import nn

from ofa_plugins_core.nn.data import ImageSet, images_of
from ofa_plugins_core.nn.engines.alone import Alone
from ofa_plugins_core.nn.evaluating import Fast, Score, Supply, score
from ofa_plugins_core.nn.pictures import pillow
from ofa_plugins_core.nn.running import Runner

COUNT, WIDTH, HEIGHT, CLASSES = 400, 500, 375, 10
SIZE, BATCH, ROUNDS = 224, 100, 4
LIMIT = 0.25
WHERE: dict[Fast, str] = {"memory": "in memory", "disk": "in a file"}


def pictures(folder: Path) -> ImageSet:
    """Smooth shapes with some noise, as JPEG files of some 40 KB."""
    generator, image = np.random.default_rng(0), pillow()
    for number in range(COUNT):
        coarse = image.fromarray(generator.integers(0, 256, (15, 20, 3), np.uint8))
        smooth = np.asarray(coarse.resize((WIDTH, HEIGHT), image.Resampling.BICUBIC), np.int16)
        noisy = smooth + generator.integers(-10, 11, smooth.shape, np.int16)
        place = folder / "val" / f"class {number % CLASSES}"
        place.mkdir(parents=True, exist_ok=True)
        shown = image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        shown.save(place / f"{number:03}.jpg", quality=85)
    return images_of(str(folder), SIZE, split="val")


def network() -> nn.Module:
    """Two convolutions and a classifier."""
    torch.manual_seed(0)
    first, second = nn.Conv2d(3, 8, 8, 8), nn.Conv2d(8, 16, 3, 2)
    pool = (nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), *pool, nn.Linear(16, CLASSES)).eval()


def evaluation(supply: Supply, small: nn.Module, runner: Runner, scores: list[Score]) -> Action:
    """One pass over all images."""

    def run() -> None:
        scores.append(score(small, supply.at(SIZE), runner))

    return run


def rows() -> Iterator[Row]:
    """Every promise, measured."""
    torch.set_num_threads(1)
    runner, small = Runner(Alone(0, 1, torch.device("cpu"))), network()
    scores: list[Score] = []
    with tempfile.TemporaryDirectory() as name:
        images = pictures(Path(name) / "pictures")
        usual = evaluation(Supply(images, BATCH, room=0), small, runner, scores)
        for fast, where in WHERE.items():
            supply = Supply(images, BATCH, fast=fast, folder=Path(name))
            supply.keep(SIZE)
            kept = evaluation(supply, small, runner, scores)
            seconds = medians(kept, usual, ROUNDS)
            rate = [f"{COUNT / s:,.0f} images/s" for s in seconds]
            what = f"evaluating {COUNT} images that are prepared {where}: {rate[0]}"
            yield Row(what, f"decoding them each time, {rate[1]}", *seconds, LIMIT)
        if len(set(scores)) != 1:
            raise SystemExit(f"the same images had different scores: {set(scores)}")


if __name__ == "__main__":
    raise SystemExit(report(rows()))
