"""Ten steps of training by one of several workers, or by one alone, in double precision.

Started as ``worker.py HOW FOLDER``, by a launcher or without one. HOW: ``blocks``: each worker
takes a block of a step, one alone takes both; ``together``: all images of a step are one batch,
whose batch norm is synchronised where it is spread over workers. What it comes to:
``FOLDER/RANK.pt``.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

warnings.simplefilter("error")

import torch  # noqa: E402
from torch import nn  # noqa: E402

from ofa_plugins_core.nn.data import images_of  # noqa: E402
from ofa_plugins_core.nn.engines import joined  # noqa: E402
from ofa_plugins_core.nn.running import Runner  # noqa: E402
from ofa_plugins_core.nn.training.augmenting import usual_augment  # noqa: E402
from ofa_plugins_core.nn.training.losses import Loss  # noqa: E402
from ofa_plugins_core.nn.training.samples import TrainingImages  # noqa: E402
from ofa_plugins_core.nn.training.sharing import average_statistics, share_start  # noqa: E402
from ofa_plugins_core.nn.training.steps import (  # noqa: E402
    Stepper,
    optimiser_of,
    seed_of,
)

BATCH, STEPS, SIZES = 6, 10, (10, 14)
WORKERS = 2


class Elastic(nn.Module):
    """Convolutions of which the first channels run, as many as are active; in double precision."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.second = nn.Sequential(nn.Conv2d(8, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
        self.head, self.active = nn.Linear(6, 10), 8
        self.double()

    def activate(self, channels):
        self.active = channels

    def forward(self, x):
        n, part = self.norm, slice(self.active)
        x = nn.functional.conv2d(x.double(), self.first.weight[part], self.first.bias[part])
        held = (n.running_mean[part], n.running_var[part], n.weight[part], n.bias[part])
        x = nn.functional.batch_norm(x, *held, self.training).relu()
        x = nn.functional.conv2d(x, self.second[0].weight[:, part], self.second[0].bias)
        return self.head(self.second[2](self.second[1](x)).mean((2, 3)))


def trained(how, engine):
    """The state after the steps, statistics averaged; and the losses."""
    torch.manual_seed(engine.rank)  # process 0's start has to reach the others
    net = Elastic().train()
    share_start(net, engine)
    images = images_of("digits", max(SIZES), split="train")
    together = how == "together" and engine.count == 1
    blocks = 1 if together else WORKERS
    mine = range(blocks) if engine.count == 1 else (engine.rank,)
    data = TrainingImages(
        images=images,
        augment=usual_augment(images),
        seed=3,
        phase=1,
        batch=BATCH * WORKERS // blocks,
        blocks=blocks,
        mine=mine,
    )
    optimiser = optimiser_of(net, 0.9, 1e-3)
    for group in optimiser.param_groups:
        group["lr"] = 0.05
    given = (net, optimiser, Loss(0.1, 1.0), Runner(engine), net.activate)
    stepper = Stepper(*given, synchronised=how == "together")
    losses = []
    for step, taken in zip(range(STEPS), data.epoch(0, SIZES), strict=False):
        seeds = [seed_of(3, step, block) for block in mine]
        losses.append(stepper.step([8, 5, 3], taken, seeds))
    own = {k: v.clone() for k, v in net.state_dict().items()}
    average_statistics(net, engine)
    return {"state": net.state_dict(), "own": own, "losses": losses}


def main():
    how, folder = sys.argv[1:]
    with joined("cpu") as engine:
        torch.save(trained(how, engine), Path(folder, f"{engine.rank}.pt"))


if __name__ == "__main__":
    main()
